"""What an answer that is not a success means: a `metav1.Status` read into a Refusal.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/
"""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import Any

from reconciler.adapters.kube.mask import FRAGMENT, hide
from reconciler.adapters.kube.wire import Response
from reconciler.model.change import Refusal

NOTHING: frozenset[str] = frozenset()
MAX_MESSAGE = 8 * 1024
"""Characters of a message that are kept: a schema with many errors repeats itself far beyond what a person reads."""

MAX_CAUSES = 50

_MALFORMED = ("failed to create typed patch object", "failed to convert new object", "failed to create manager for")
_TYPED = re.compile(r"^\s*\.(?P<field>\S.*?): (?P<message>.+)$")
_STRICT = re.compile(r'(?P<message>(?:unknown|duplicate) field) "(?P<field>[^"]+)"')


def refusal(response: Response, secrets: frozenset[str] = NOTHING) -> Refusal:
    """The server's no, with nothing of `secrets` left in its words.

    An object that does not fit its schema is refused by server-side apply with the code 500 and no reason, because
    the error of the typed parser is no API error (k8s.io/apiserver, patcher.applyPatchMechanism). It is told as what
    it is: 422 Invalid, with the fields as causes.
    """
    status = status_of(response)
    if status is None:
        return _unstructured(response, secrets)
    message = str(status.get("message") or "")
    code, reason = response.status, str(status.get("reason") or "")
    details = status.get("details")
    details = details if isinstance(details, dict) else {}
    causes = _told_causes(details)
    if not causes and code in (400, 500):
        causes = _read_causes(message)
    if is_malformed(code, reason, message):
        code, reason = 422, "Invalid"
    wait = response.head.retry_after
    if wait is None and isinstance(details.get("retryAfterSeconds"), int | float):
        wait = float(details["retryAfterSeconds"]) or None
    return Refusal(
        code=code,
        reason=reason or _phrase(code),
        message=_told(message, secrets) or f"the server answered {code} {_phrase(code)}",
        causes=tuple((_told(field, secrets), _told(text, secrets)) for field, text in causes[:MAX_CAUSES]),
        retry_after=wait,
    )


def _told(text: str, secrets: frozenset[str]) -> str:
    """Masked and cut. What a cut leaves of a secret at the end may be too short to be known as one, so it goes too."""
    if len(text) <= MAX_MESSAGE:
        return hide(text, secrets)
    return hide(text[:MAX_MESSAGE], secrets)[:-FRAGMENT] + "..."


def status_of(response: Response) -> dict[str, Any] | None:
    """The `metav1.Status` of an answer; None when a proxy, or the server's outermost layer, answered in other words."""
    try:
        document = json.loads(response.body)
    except ValueError:
        return None
    return document if isinstance(document, dict) and document.get("kind") == "Status" else None


def is_malformed(code: int, reason: str, message: str) -> bool:
    """Whether a 500 is the fault of the object that was sent, so that no repetition helps."""
    return code == 500 and not reason and message.startswith(_MALFORMED)


def is_gone(answer: Refusal) -> bool:
    """Whether the path itself is not served, as against an object or a namespace that is not there."""
    return answer.code == 404 and ("requested resource" in answer.message or "page not found" in answer.message)


def _told_causes(details: dict[str, Any]) -> list[tuple[str, str]]:
    causes = details.get("causes")
    if not isinstance(causes, list):
        return []
    return [
        (str(cause.get("field") or ""), str(cause.get("message") or "")) for cause in causes if isinstance(cause, dict)
    ]


def _read_causes(message: str) -> list[tuple[str, str]]:
    """The fields in a message whose Status names none: of the typed parser (one a line) and of the strict decoder."""
    _, separator, tail = message.partition("): ")
    if message.startswith(_MALFORMED) and separator:
        found = (_TYPED.match(line) for line in tail.splitlines())
        return [(match["field"], match["message"]) for match in found if match]
    return [(match["field"], match["message"]) for match in _STRICT.finditer(message)]


def _unstructured(response: Response, secrets: frozenset[str]) -> Refusal:
    """A body of no known form is repeated only as one line of plain text: a page of HTML explains nothing."""
    code = response.status
    said = ""
    if response.head.media.startswith("text/plain"):
        said = " ".join(response.body[:400].decode("utf-8", "replace").split())
    message = f"the server answered {code} {_phrase(code)}" + (f": {hide(said, secrets)}" if said else "")
    return Refusal(code, _phrase(code), message, retry_after=response.head.retry_after)


def _phrase(code: int) -> str:
    """`Not Found` of 404 in the CamelCase of a Status's reason."""
    try:
        return HTTPStatus(code).phrase.title().replace(" ", "").replace("-", "")
    except ValueError:
        return "Unknown"
