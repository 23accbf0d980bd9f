"""Images in plain manifests: `image:` of the containers of any object."""

from __future__ import annotations

from collections.abc import Iterator

from yaml.nodes import MappingNode, Node, SequenceNode

from reconciler.core.image_edits.spot import Spot, mappings, pairs, whole_spot

_LISTS = ("containers", "initContainers", "ephemeralContainers")


def is_manifest(root: Node) -> bool:
    """Whether a document is an object of Kubernetes: it says its version and its kind."""
    return isinstance(root, MappingNode) and {"apiVersion", "kind"} <= pairs(root).keys()


def spots(root: Node) -> Iterator[Spot]:
    """Every image of a container. Other fields called `image` may mean anything, and are left alone."""
    for mapping in mappings(root):
        found = pairs(mapping)
        for name in _LISTS:
            listed = found[name][1] if name in found else None
            for container in listed.value if isinstance(listed, SequenceNode) else ():
                image = pairs(container).get("image") if isinstance(container, MappingNode) else None
                if image is not None and (spot := whole_spot(image[1])) is not None:
                    yield spot
