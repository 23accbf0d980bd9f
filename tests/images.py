"""Images for tests, pushed to a registry by its own API: a config, a layer and a manifest, and no Docker."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import secrets
import tarfile
from typing import Any

import urllib3

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


class Store:
    """One repository of a registry at `url`, to write to. `name` is the image as a manifest names it."""

    def __init__(self, url: str, repository: str = "") -> None:
        self.repository = repository or f"team/shop-{secrets.token_hex(3)}"
        self.name = f"{url.partition('://')[2]}/{self.repository}"
        self._base = f"{url}/v2/{self.repository}"
        self._root = url
        self._http = urllib3.PoolManager(retries=False, timeout=30)

    def push(self, *tags: str, content: str = "", **labels: str) -> str:
        """An image that differs by its content, under all these tags; its digest. `labels` are OCI's, by last word."""
        manifest = self._image(content or secrets.token_hex(4), labels)
        return self._tag(manifest, MANIFEST, *tags)

    def push_index(self, *tags: str, **labels: str) -> str:
        """The same for two platforms, with an attestation in front; the digest of the index."""
        entries: list[dict[str, Any]] = [
            {"platform": {"os": "unknown", "architecture": "unknown"}},
            {"platform": {"os": "linux"}},
        ]
        for entry in entries:
            manifest = self._image(secrets.token_hex(4), labels)
            digest = self._tag(manifest, MANIFEST)
            entry |= {"mediaType": MANIFEST, "digest": digest, "size": len(manifest)}
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}
        return self._tag(json.dumps(index).encode(), INDEX, *tags)

    def retag(self, old: str, new: str) -> str:
        """The same image under another tag; its digest."""
        answer = self._ask("GET", f"/manifests/{old}", headers={"Accept": f"{MANIFEST}, {INDEX}"})
        return self._tag(answer.data, answer.headers["Content-Type"], new)

    def remove(self, tag: str) -> None:
        """Take the tag away; the image stays."""
        self._ask("DELETE", f"/manifests/{tag}")

    def _image(self, content: str, labels: dict[str, str]) -> bytes:
        layer = io.BytesIO()
        with tarfile.open(fileobj=layer, mode="w") as archive:
            entry = tarfile.TarInfo("content")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content.encode()))
        named = {f"org.opencontainers.image.{key}": value for key, value in labels.items()}
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Labels": named},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer.getvalue())]},
        }
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self._blob(json.dumps(config).encode(), _CONFIG),
            "layers": [self._blob(gzip.compress(layer.getvalue(), mtime=0), _LAYER)],
        }
        return json.dumps(manifest).encode()

    def _blob(self, content: bytes, kind: str) -> dict[str, Any]:
        digest = _digest(content)
        where = self._ask("POST", "/blobs/uploads/").headers["Location"]
        url = where if "://" in where else f"{self._root}{where}"
        answer = self._http.request("PUT", f"{url}{'&' if '?' in url else '?'}digest={digest}", body=content)
        assert answer.status == 201, answer.data
        return {"mediaType": kind, "digest": digest, "size": len(content)}

    def _tag(self, manifest: bytes, kind: str, *tags: str) -> str:
        digest = _digest(manifest)
        for reference in tags or (digest,):
            self._ask("PUT", f"/manifests/{reference}", body=manifest, headers={"Content-Type": kind})
        return digest

    def _ask(self, method: str, path: str, **given: Any) -> urllib3.BaseHTTPResponse:
        answer = self._http.request(method, f"{self._base}{path}", **given)
        assert 200 <= answer.status < 300, (method, path, answer.status, answer.data)
        return answer


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
