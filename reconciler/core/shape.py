"""Whether a document is an object at all."""

from __future__ import annotations

from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Reason, Terminal


def check(manifest: Manifest) -> None:
    """Raises Terminal(INVALID_MANIFEST), with file and line, for a document that names no one object."""
    document = manifest.document
    for field in ("apiVersion", "kind"):
        if not isinstance(document.get(field), str) or not document[field]:
            raise invalid(manifest, f"has no {field}")
    metadata = document.get("metadata")
    if not isinstance(metadata, dict):
        raise invalid(manifest, "has no metadata: it needs at least metadata.name")
    if not metadata.get("name") and metadata.get("generateName"):
        raise invalid(
            manifest,
            "uses generateName, and each apply would create one more object: give it a metadata.name, "
            "for example with a hash of its content at the end",
        )
    if not metadata.get("name"):
        raise invalid(manifest, "has no metadata.name")
    for field in ("name", "namespace"):
        if not isinstance(metadata.get(field), str | None):
            raise invalid(manifest, f"metadata.{field} is {metadata[field]!r}: write text, in quotes")
    for field in ("labels", "annotations"):
        if not isinstance(metadata.get(field), dict | None):
            raise invalid(manifest, f"metadata.{field} is not a map of names to texts")


def invalid(manifest: Manifest, problem: str) -> Terminal:
    """The error for a document that nobody can apply: `problem` follows its name and has no full stop."""
    name = (manifest.document.get("metadata") or {}) if isinstance(manifest.document.get("metadata"), dict) else {}
    subject = "/".join(str(part) for part in (manifest.kind, name.get("namespace"), name.get("name")) if part)
    return Terminal(Reason.INVALID_MANIFEST, f"{manifest.origin}: {subject or 'the document'} {problem}.")
