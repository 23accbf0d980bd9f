"""Requests to the API server as values: which method, where, with which headers and which body.

Paths: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

from reconciler.model.change import Resource

FIELD_MANAGER = "dispatch"
PAGE = 500
"""Objects in one page of a list: what client-go's pager asks for."""

_ACCEPT = b"Accept: application/json\r\n"
_APPLY = _ACCEPT + b"Content-Type: application/apply-patch+yaml\r\n"
_JSON = _ACCEPT + b"Content-Type: application/json\r\n"
_MERGE_PATCH = _ACCEPT + b"Content-Type: application/merge-patch+json\r\n"
_JSON_PATCH = _ACCEPT + b"Content-Type: application/json-patch+json\r\n"


class Request(NamedTuple):
    """`target` is path and query, quoted; `head` whole header lines. `repeatable` says that sending it twice does
    what sending it once does (RFC 9110, section 9.2.2), so that it may be sent again when its answer was lost."""

    method: bytes
    target: bytes
    head: bytes = _ACCEPT
    body: bytes = b""
    repeatable: bool = True

    def __str__(self) -> str:
        return f"{self.method.decode()} {self.target.decode().partition('?')[0]}"


class Unsendable(Exception):
    """The object cannot be put into a request; the message says which field is missing or wrong."""


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Sequence):
        return list(value)
    raise TypeError(f"a {type(value).__name__} cannot be written as JSON")


_to_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain).encode
_NOT_IN_YAML = str.maketrans(
    {code: f"\\u{code:04x}" for code in (*range(0x7F, 0xA0), 0x2028, 0x2029, 0xFEFF, 0xFFFE, 0xFFFF)}
)
_ESCAPED_BY_GO = str.maketrans({code: f"\\u{code:04x}" for code in (*b"<>&", 0x2028, 0x2029)})


def encode(document: Any) -> bytes:
    """Compact JSON that is YAML, too, since the server reads an apply as YAML: that knows no surrogate pairs, so an
    emoji must be itself, and takes some characters for the end of a line or for none, so they must be escaped.

    Raises Unsendable.
    """
    return _encode(document, _NOT_IN_YAML)


def encode_as_server(document: Any) -> bytes:
    """JSON as Go writes it (encoding/json): the `test` of a JSON Patch compares texts, not what they stand for
    (evanphx/json-patch, lazyNode.equal). Raises Unsendable.
    """
    return _encode(document, _ESCAPED_BY_GO)


def _encode(document: Any, escapes: dict[int, str]) -> bytes:
    try:
        return _to_json(document).translate(escapes).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"the object is no JSON: {error}") from error


def collection(resource: Resource, namespace: str = "") -> str:
    """The path of a kind's objects: those of one namespace, or all when `namespace` is empty."""
    root = "/apis/" if "/" in resource.api_version else "/api/"
    within = f"/namespaces/{quote(namespace, safe='')}" if namespace and resource.namespaced else ""
    return f"{root}{quote(resource.api_version)}{within}/{quote(resource.plural, safe='')}"


def path(resource: Resource, namespace: str, name: str, subresource: str = "") -> str:
    """The path of one object, or of a subresource of it. Raises Unsendable when the place is not complete."""
    if not name:
        raise Unsendable(f"a {resource.kind} without metadata.name")
    if resource.namespaced and not namespace:
        raise Unsendable(f"{resource.kind} {name} has no metadata.namespace, and {resource.kind} lives in one")
    below = f"/{quote(subresource, safe='')}" if subresource else ""
    return f"{collection(resource, namespace)}/{quote(name, safe='')}{below}"


def get(target: str, accept: str = "") -> Request:
    head = f"Accept: {accept}\r\n".encode() if accept else _ACCEPT
    return Request(b"GET", target.encode(), head)


def page(resource: Resource, namespace: str, selector: str, after: str = "") -> Request:
    """One page of a list. Without a resourceVersion the answer is the newest state, not whatever a cache holds."""
    query = {"limit": str(PAGE)}
    if selector:
        query["labelSelector"] = selector
    if after:
        query["continue"] = after
    return get(f"{collection(resource, namespace)}?{urlencode(query)}")


def watch(resource: Resource, namespace: str, selector: str, version: str, seconds: int) -> Request:
    """Everything that happens after `version`, until the server ends the answer after `seconds`."""
    query = {
        "watch": "1",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(seconds),
    }
    if selector:
        query["labelSelector"] = selector
    return get(f"{collection(resource, namespace)}?{urlencode(query)}")


class Applying:
    """Makes the requests of one server-side apply; what is the same for many objects is made once.

    `seconds` bounds the server's own work on one object (the `timeout` parameter); it then answers 504.
    """

    def __init__(self, *, dry_run: bool, force: bool, seconds: float) -> None:
        query = {"fieldManager": FIELD_MANAGER, "force": "true" if force else "false", "fieldValidation": "Strict"}
        query |= {"dryRun": "All"} if dry_run else {}
        self._query = f"?{urlencode(query | {'timeout': f'{seconds:g}s'})}"
        self._collections: dict[tuple[Resource, str], str] = {}

    def request(self, resource: Resource, document: Mapping[str, Any]) -> Request:
        """Raises Unsendable."""
        metadata = document.get("metadata") or {}
        name, namespace = metadata.get("name") or "", metadata.get("namespace") or ""
        where = self._collections.get((resource, namespace))
        if where is None or not name:
            path(resource, namespace, name)
            where = self._collections[resource, namespace] = collection(resource, namespace)
        target = f"{where}/{quote(name, safe='')}{self._query}"
        # JSON is YAML, and every server since 1.16 takes it under this media type.
        return Request(b"PATCH", target.encode(), _APPLY, encode(document))


def delete(resource: Resource, namespace: str, name: str, uid: str) -> Request:
    """Delete exactly the object with this uid, its dependents afterwards in the background. Raises Unsendable."""
    if not uid:
        raise Unsendable(f"{resource.kind} {name} is not deleted without its uid: another may have its name by now")
    options = {
        "kind": "DeleteOptions",
        "apiVersion": "v1",
        "propagationPolicy": "Background",
        "preconditions": {"uid": uid},
    }
    return Request(b"DELETE", path(resource, namespace, name).encode(), _JSON, encode(options))


def patch(
    resource: Resource,
    namespace: str,
    name: str,
    change: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    subresource: str,
) -> Request:
    """A map is a merge patch (RFC 7386), a list a JSON Patch (RFC 6902). Raises Unsendable.

    A JSON Patch is not repeatable: `remove` of an index of a list removes another element the second time.
    """
    target = f"{path(resource, namespace, name, subresource)}?fieldManager={FIELD_MANAGER}"
    if isinstance(change, Mapping):
        return Request(b"PATCH", target.encode(), _MERGE_PATCH, encode(change))
    return Request(b"PATCH", target.encode(), _JSON_PATCH, encode_as_server(change), repeatable=False)


def create(resource: Resource, namespace: str, document: Mapping[str, Any]) -> Request:
    """Raises Unsendable."""
    if resource.namespaced and not namespace:
        raise Unsendable(f"a {resource.kind} is created in a namespace, and none was given")
    target = f"{collection(resource, namespace)}?fieldManager={FIELD_MANAGER}"
    return Request(b"POST", target.encode(), _JSON, encode(document), repeatable=False)


def post(target: str, document: Mapping[str, Any]) -> Request:
    """A question that is asked by POST and stores nothing (the `*AccessReview` kinds), so it may be asked again."""
    return Request(b"POST", target.encode(), _JSON, encode(document))
