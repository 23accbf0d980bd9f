"""The port `Registry` on any registry of the OCI distribution specification 1.1."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from reconciler.adapters.http import Answer
from reconciler.adapters.registry.client import Client
from reconciler.adapters.registry.place import origin, root_of
from reconciler.model.image import DIGEST_PATTERN, TAG_PATTERN, ImageName
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import RegistryLogin

_PAGE = 1000
_PAGES = 100
_INDEXES = ("application/vnd.oci.image.index.v1+json", "application/vnd.docker.distribution.manifest.list.v2+json")
_MANIFESTS = ("application/vnd.oci.image.manifest.v1+json", "application/vnd.docker.distribution.manifest.v2+json")
_ACCEPT = ", ".join((*_INDEXES, *_MANIFESTS))
_NEXT = re.compile(r'<([^>]*)>\s*;[^,]*\brel="?next"?')
_LONGEST_LABEL = 1024


class OciRegistry:
    """Safe for many threads; keeps tokens and what has an ETag."""

    def __init__(self, login: RegistryLogin, timeout: float = 30.0) -> None:
        """`timeout` is in seconds, for each request. Raises ValueError for an authority that cannot be read."""
        self._client = Client(login, timeout)

    def tags(self, image: ImageName) -> Sequence[str]:
        found: dict[str, None] = {}
        for answer in self._pages(image):
            listed = answer.body.get("tags") if isinstance(answer.body, dict) else ()
            if listed is None:
                # The specification allows it for a repository without tags.
                continue
            if not isinstance(listed, list) or not isinstance(answer.body, dict):
                raise _strange(image, "a list of tags that is none")
            found.update(
                dict.fromkeys(tag for tag in listed if isinstance(tag, str) and re.fullmatch(TAG_PATTERN, tag))
            )
        return tuple(found)

    def digest(self, image: ImageName, tag: str) -> str:
        path = _manifest(image, tag)
        told = self._client.ask(image, "HEAD", path, _ACCEPT).headers.get("docker-content-digest", "")
        if not told:
            # The header is not demanded; the content always has its digest.
            return _digest(self._client.ask(image, "GET", path, _ACCEPT).content)
        if not re.fullmatch(DIGEST_PATTERN, told):
            raise _strange(image, f"{told[:80]!r} as the digest of {tag}; only sha256 is understood")
        return told

    def described(self, image: ImageName, digest: str) -> Mapping[str, str]:
        top = self._manifest(image, digest)
        found = _texts(top.get("annotations"))
        if isinstance(top.get("manifests"), list):
            inner = _first_image(top["manifests"])
            if inner is None:
                return found
            manifest = self._manifest(image, inner)
            found = {**_texts(manifest.get("annotations")), **found}
        else:
            manifest = top
        config = manifest.get("config")
        blob = config.get("digest") if isinstance(config, dict) else None
        if isinstance(blob, str) and re.fullmatch(DIGEST_PATTERN, blob):
            content = self._held(image, f"/v2/{image.repository}/blobs/{blob}", blob, "*/*").body
            inside = content.get("config") if isinstance(content, dict) else None
            found = {**_texts(inside.get("Labels") if isinstance(inside, dict) else None), **found}
        return found

    def close(self) -> None:
        self._client.close()

    def _pages(self, image: ImageName) -> Iterator[Answer]:
        """Every page once. A registry that leads in a circle, or on for ever, is stopped: half a list is no list."""
        root, list_path = root_of(image.host), f"/v2/{image.repository}/tags/list"
        url, seen = f"{root}{list_path}?n={_PAGE}", set[str]()
        while url:
            if url in seen or len(seen) == _PAGES:
                raise _strange(image, f"pages of tags without an end ({len(seen)} were read)")
            seen.add(url)
            answer = self._client.ask(image, "GET", url)
            yield answer
            following = _NEXT.search(answer.headers.get("link", ""))
            url = urljoin(url, following[1]) if following else ""
            if url and (origin(url) != root or urlsplit(url).path != list_path):
                raise _strange(image, "a next page of tags that is somewhere else")

    def _manifest(self, image: ImageName, digest: str) -> dict[str, Any]:
        body = self._held(image, _manifest(image, digest), digest, _ACCEPT).body
        if not isinstance(body, dict):
            raise _strange(image, f"a manifest {digest[:19]} that is none")
        return body

    def _held(self, image: ImageName, path: str, digest: str, accept: str) -> Answer:
        """What is behind a digest. Raises Terminal(REGISTRY_STRANGE) when it is something else."""
        answer = self._client.ask(image, "GET", path, accept)
        if (real := _digest(answer.content)) != digest:
            raise _strange(image, f"for {digest[:19]} a content whose digest is {real[:19]}; nothing is taken from it")
        return answer


def _manifest(image: ImageName, reference: str) -> str:
    return f"/v2/{image.repository}/manifests/{quote(reference, safe=':')}"


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _first_image(manifests: Sequence[Any]) -> str | None:
    """The digest of an image of an index: all platforms are built from the same source. Attestations are none."""
    for entry in manifests:
        platform = entry.get("platform") if isinstance(entry, dict) else None
        unknown = isinstance(platform, dict) and platform.get("os") == "unknown"
        digest = entry.get("digest") if isinstance(entry, dict) and not unknown else None
        if isinstance(digest, str) and re.fullmatch(DIGEST_PATTERN, digest):
            return digest
    return None


def _texts(labels: Any) -> dict[str, str]:
    found = labels.items() if isinstance(labels, dict) else ()
    return {key: value[:_LONGEST_LABEL] for key, value in found if isinstance(key, str) and isinstance(value, str)}


def _strange(image: ImageName, what: str) -> Terminal:
    return Terminal(Reason.REGISTRY_STRANGE, f"{image.host} answers for {image} with {what}.")
