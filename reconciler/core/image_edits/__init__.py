"""Writing an image into the files of a folder: text to text, and every character that is not the image stays.

A kustomization decides what its folder runs, so where there is one only its `images` are written; a chart's templates
are no YAML and are left alone; all other files are manifests (objects with a kind) or Helm values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reconciler.core.image_edits import helm, kustomize, manifests
from reconciler.core.image_edits.kustomize import NAMES
from reconciler.core.image_edits.spot import Splice, Spot, Unwritable, Wanted, documents, pairs, spliced
from reconciler.model.image import ImageRef, same_image

__all__ = ["NAMES", "Unwritable", "Wanted", "Written", "edit", "edit_text", "is_read", "needed", "written"]

_BOM = "\ufeff"
_ENDINGS = (".yaml", ".yml", ".json")


class Written(NamedTuple):
    """One place where the image is written now. `listed` is False for a manifest below a kustomization without an entry
    of its own.
    """

    path: str
    ref: ImageRef
    listed: bool = True


@dataclass(frozen=True, slots=True)
class _File:
    text: str
    roots: tuple[Node, ...]
    kustomization: bool


def is_read(path: str, folder: str) -> bool:
    """Whether a file below `folder` can hold an image: YAML or JSON, and not a chart's template."""
    inside = path[len(folder) :].lstrip("/") if folder and path.startswith(f"{folder}/") else path
    parts = inside.split("/")
    return parts[-1] in NAMES or (parts[-1].endswith(_ENDINGS) and "templates" not in parts[:-1])


def needed(text: str) -> tuple[str, ...]:
    """The paths that a kustomization takes its objects from, as it writes them."""
    found: list[str] = []
    for root in _roots(text):
        listed = pairs(root) if isinstance(root, MappingNode) else {}
        for key in ("resources", "bases", "components"):
            value = listed[key][1] if key in listed else None
            if isinstance(value, SequenceNode):
                found += [item.value for item in value.value if isinstance(item, ScalarNode)]
    return tuple(found)


def written(files: Mapping[str, str], image: str) -> list[Written]:
    """Where the image is written in the files of a folder, and what is written there."""
    read = {path: _read(path, text) for path, text in files.items()}
    deciding = {path for path, file in read.items() if file.kustomization}
    found = [Written(path, spot.ref) for path, file in read.items() for spot in _spots(file, image)]
    in_them = [each for each in found if each.path in deciding]
    if not deciding or in_them:
        return in_them or found
    return [each._replace(listed=False) for each in found]


def edit(files: Mapping[str, str], image: str, wanted: Wanted, top: str = "") -> dict[str, str]:
    """The files that change, with their new text. `top` is the kustomization that gets an entry where none lists the
    image. Raises Unwritable, with the path, for an image that is written over several lines.
    """
    places = written(files, image)
    if top and any(not place.listed for place in places):
        name = next(place.ref.name for place in places)
        return {top: _with_entry(files[top], name, wanted)}
    changed = {}
    for path in sorted({place.path for place in places}):
        try:
            new = edit_text(path, files[path], image, wanted)
        except Unwritable as error:
            raise Unwritable(f"{path}: {error}: write the image on one line") from None
        if new != files[path]:
            changed[path] = new
    return changed


def edit_text(path: str, text: str, image: str, wanted: Wanted) -> str:
    """One file with the image written anew wherever it has it."""
    file = _read(path, text)
    new = spliced(file.text, [splice for spot in _spots(file, image) for splice in spot.splices(file.text, wanted)])
    return text[: len(text) - len(file.text)] + new


def _with_entry(text: str, name: str, wanted: Wanted) -> str:
    bare = text.removeprefix(_BOM)
    roots = _roots(bare)
    if not roots:
        raise Unwritable("the kustomization is empty, or no YAML")
    splice: Splice = kustomize.added(bare, roots[0], name, wanted)
    return text[: len(text) - len(bare)] + spliced(bare, [splice])


def _read(path: str, text: str) -> _File:
    bare = text.removeprefix(_BOM)
    return _File(bare, _roots(bare), path.rpartition("/")[2] in NAMES)


def _roots(text: str) -> tuple[Node, ...]:
    """Nothing for a text that is no YAML: it holds no image that anybody could deploy."""
    try:
        return tuple(documents(text))
    except ValueError:
        return ()


def _spots(file: _File, image: str) -> Iterator[Spot]:
    for root in file.roots:
        for spot in _reader(file, root)(root):
            if same_image(spot.ref.name, image):
                yield spot


def _reader(file: _File, root: Node) -> Callable[[Node], Iterator[Spot]]:
    if file.kustomization:
        return kustomize.spots
    return manifests.spots if manifests.is_manifest(root) else helm.spots
