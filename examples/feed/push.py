"""A stand-in for a pipeline: pushes a small image to a registry by its own API, without Docker.

python push.py http://127.0.0.1:5000 team/shop 1.1.0 --revision 3d4e5f --source https://git.example.com/team/shop
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import tarfile
from typing import Any

import urllib3

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HTTP = urllib3.PoolManager(retries=False, timeout=30)


def push(base: str, tag: str, revision: str, source: str) -> str:
    """The digest of the new image. `base` is the repository's URL: http://host:port/v2/NAME."""
    labels = {"revision": revision, "source": source}
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo(f"shop-{tag}"))
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {"Labels": {f"org.opencontainers.image.{key}": value for key, value in labels.items() if value}},
        "rootfs": {"type": "layers", "diff_ids": [digest(layer.getvalue())]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": blob(base, json.dumps(config).encode(), CONFIG),
        "layers": [blob(base, gzip.compress(layer.getvalue(), mtime=0), LAYER)],
    }
    content = json.dumps(manifest).encode()
    send("PUT", f"{base}/manifests/{tag}", content, {"Content-Type": MANIFEST})
    return digest(content)


def retag(base: str, old: str, new: str) -> str:
    """What `old` is, under the tag `new` as well; its digest."""
    manifest = send("GET", f"{base}/manifests/{old}", headers={"Accept": MANIFEST}).data
    send("PUT", f"{base}/manifests/{new}", manifest, {"Content-Type": MANIFEST})
    return digest(manifest)


def blob(base: str, content: bytes, kind: str) -> dict[str, Any]:
    where = send("POST", f"{base}/blobs/uploads/").headers["Location"]
    send("PUT", f"{where}{'&' if '?' in where else '?'}digest={digest(content)}", content)
    return {"mediaType": kind, "digest": digest(content), "size": len(content)}


def send(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
    answer = HTTP.request(method, url, body=body, headers=headers)
    if answer.status >= 300:
        raise SystemExit(f"{method} {url}: HTTP {answer.status} {answer.data.decode(errors='replace')}")
    return answer


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Push a small image.")
    parser.add_argument("registry", help="http://127.0.0.1:5000")
    parser.add_argument("name", help="team/shop")
    parser.add_argument("tag", help="1.1.0")
    parser.add_argument("--revision", default="", help="the source commit that it was built from")
    parser.add_argument("--source", default="", help="where its source is")
    parser.add_argument("--same-as", metavar="TAG", help="no new image, but what this tag is, under another name")
    return parser.parse_args()


if __name__ == "__main__":
    given = parsed()
    base = f"{given.registry}/v2/{given.name}"
    made = (
        retag(base, given.same_as, given.tag) if given.same_as else push(base, given.tag, given.revision, given.source)
    )
    print(f"{given.name}:{given.tag} {made}")
