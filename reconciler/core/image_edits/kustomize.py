"""Images in a kustomization: the entries of `images`, which kustomize puts over those of the manifests.

With both `newTag` and `digest` kustomize writes `name:tag@digest` (api/filters/imagetag/updater.go, since v5.3).
"""

from __future__ import annotations

from collections.abc import Iterator

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.image_edits.spot import (
    Pairs,
    Splice,
    Spot,
    Wanted,
    end_of_line,
    last_end,
    newline,
    pairs,
    scalar,
    text_of,
)
from reconciler.model.image import parse_ref

NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def spots(root: Node) -> Iterator[Spot]:
    """Every entry of `images`. The name is what the entry puts in: `newName` where it has one."""
    listed = _images(root)
    for entry in listed.value if isinstance(listed, SequenceNode) else ():
        found: Pairs = pairs(entry) if isinstance(entry, MappingNode) else {}
        anchor = "newName" if text_of(found, "newName") else "name"
        tag, digest = text_of(found, "newTag"), text_of(found, "digest")
        ref = parse_ref(text_of(found, anchor) + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""))
        if ref is not None:
            yield Spot(
                ref,
                fields=found,
                mapping=entry,
                tag_key="newTag",
                name_key=anchor,
                digest_may_be_added=True,
            )


def added(text: str, root: Node, name: str, wanted: Wanted) -> Splice:
    """A new entry for an image that the manifests name `name`."""
    fields = (("name", name), ("newTag", wanted.tag), ("digest", wanted.digest))
    flow = "{" + ", ".join(f"{key}: {scalar(value)}" for key, value in fields) + "}"
    listed, line = _images(root), newline(text)
    if isinstance(listed, SequenceNode) and listed.flow_style:
        at = last_end(listed.value[-1]) if listed.value else listed.start_mark.index + 1
        return Splice(at, at, f", {flow}" if listed.value else flow)
    if isinstance(listed, SequenceNode):
        at = end_of_line(text, last_end(listed))
        return Splice(at, at, line + _item(fields, " " * listed.start_mark.column, line))
    if isinstance(listed, ScalarNode):
        # `images:` with nothing behind it.
        at = end_of_line(text, listed.start_mark.index)
        return Splice(at, at, line + _item(fields, "", line))
    at = end_of_line(text, last_end(root))
    if isinstance(root, MappingNode) and root.flow_style:
        at = root.end_mark.index - 1
        return Splice(at, at, f", images: [{flow}]" if root.value else f"images: [{flow}]")
    return Splice(at, at, f"{line}images:{line}" + _item(fields, "", line))


def _item(fields: tuple[tuple[str, str], ...], indent: str, line: str) -> str:
    rows = [f"{key}: {scalar(value)}" for key, value in fields]
    return f"{indent}- " + f"{line}{indent}  ".join(rows)


def _images(root: Node) -> Node | None:
    found = pairs(root).get("images") if isinstance(root, MappingNode) else None
    return found[1] if found else None
