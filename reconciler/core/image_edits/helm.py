"""Images in Helm values: `image: name:tag`, and maps of `registry`, `repository`, `tag` and `digest`."""

from __future__ import annotations

from collections.abc import Iterator

from yaml.nodes import Node

from reconciler.core.image_edits.spot import Spot, mappings, pairs, text_of, whole_spot
from reconciler.model.image import parse_ref


def spots(root: Node) -> Iterator[Spot]:
    """Every image of a file of values."""
    for mapping in mappings(root):
        found = pairs(mapping)
        if "image" in found and (spot := whole_spot(found["image"][1])) is not None:
            yield spot
        repository = text_of(found, "repository")
        if not repository:
            continue
        registry = text_of(found, "registry")
        # `tag: 1.2@sha256:...` pins where the chart has no field for the digest.
        tag, _, in_tag = text_of(found, "tag").partition("@")
        digest = text_of(found, "digest") or in_tag
        name = f"{registry}/{repository}" if registry else repository
        ref = parse_ref(name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else ""))
        if ref is not None:
            yield Spot(ref, fields=found, mapping=mapping)
