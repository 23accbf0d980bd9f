"""What goes from one environment to the next: images and files, with a name that follows from them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from reconciler.core import semver, trailers
from reconciler.core.revert import Files
from reconciler.model.image import ImageRef, parse_ref, same_image
from reconciler.ports import Blob

_SUPERSEDED = "Superseded: "
PROMOTION, CANDIDATE, SOURCE = "Dispatch-Promotion", "Dispatch-Candidate", "Dispatch-Source-Commit"
"""The trailers of the commits of promotions."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """`images` are written into the files of the environment, `files` put there as they are (None takes one away).
    `left` are images that do not come, because they are older than what is there. Where several applications go as one
    release it is what all of them get, and `parts` say what each does.
    """

    images: tuple[ImageRef, ...] = ()
    files: Mapping[str, Blob] = field(default_factory=dict)
    left: tuple[ImageRef, ...] = ()
    parts: tuple[tuple[str, Candidate], ...] = ()

    @property
    def id(self) -> str:
        """Ten hex digits: the same content has the same name, whatever commit brought it."""
        said: list[Any] = sorted([name, *part._content()] for name, part in self.parts if part)
        return sha256(json.dumps(said if self.parts else self._content()).encode()).hexdigest()[:10]

    @property
    def named(self) -> tuple[str, ...]:
        """Which application gets which image; nothing where there is one application."""
        return tuple(labelled(name, str(image)) for name, part in self.parts for image in part.images)

    def each(self, applications: Sequence[str]) -> tuple[tuple[str, Candidate], ...]:
        """What each of the environment's applications gets, in their order."""
        return self.parts or ((applications[0], self),)

    def _content(self) -> list[Any]:
        return [
            sorted(str(image) for image in self.images),
            sorted((path, _said(blob)) for path, blob in self.files.items()),
        ]

    def __bool__(self) -> bool:
        return bool(self.images or self.files)


def together(parts: Sequence[tuple[str, Candidate]]) -> Candidate:
    """One candidate of what each application gets. Of one application it is its own."""
    if len(parts) == 1:
        return parts[0][1]
    found = [part for _, part in parts]
    return Candidate(
        tuple(dict.fromkeys(image for part in found for image in part.images)),
        {path: blob for part in found for path, blob in part.files.items()},
        tuple(dict.fromkeys(image for part in found for image in part.left)),
        tuple(parts),
    )


def labelled(application: str, image: str) -> str:
    """An image of one of several applications."""
    return f"{application}={image}"


def images_of(documents: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The images that the pods of these objects run, each once, sorted."""
    return tuple(sorted({image for document in documents for image in _images(document)}))


def to_carry(source: Sequence[str], target: Sequence[str]) -> tuple[ImageRef, ...]:
    """The images of `source` that `target` runs too, and not in this version. One that is there in two versions is left
    alone: nobody can tell which is meant.
    """
    theirs = [ref for text in target if (ref := parse_ref(text)) is not None]
    found = []
    for text in source:
        ref = parse_ref(text)
        if ref is None or sum(_same(ref, other) for other in map(parse_ref, source)) > 1:
            continue
        here = [other for other in theirs if same_image(ref.name, other.name)]
        if here and any((other.tag, other.digest) != (ref.tag, ref.digest) for other in here):
            found.append(ref)
    return tuple(found)


def older_than(images: Sequence[ImageRef], target: Sequence[str]) -> tuple[ImageRef, ...]:
    """Those of `images` that would take `target` back. Only versions of SemVer have an order: of others nobody can tell
    which one is older.
    """
    theirs = [(ref.name, now.key) for text in target if (ref := parse_ref(text)) and (now := semver.parse(ref.tag))]
    return tuple(
        ref
        for ref in images
        if (wanted := semver.parse(ref.tag))
        and any(same_image(ref.name, name) and wanted.key < now for name, now in theirs)
    )


def same_images(source: Sequence[str], target: Sequence[str]) -> tuple[str, ...]:
    """The images that both run, in the same version."""
    here = {str(ref) for text in target if (ref := parse_ref(text)) is not None}
    return tuple(sorted({str(ref) for text in source if (ref := parse_ref(text)) is not None} & here))


def brought(before: Sequence[str], images: Sequence[str]) -> tuple[str, ...]:
    """The images of an environment once these have come into it, in the place of their older versions. Where it is
    several applications each is with its own (`labelled`)."""
    new = [found for text in images if (found := _known(text)) is not None]
    kept = [
        text
        for text in before
        if (old := _known(text)) and not any(old[0] == name and _same(old[1], one) for name, one in new)
    ]
    return tuple(sorted({*kept, *(labelled(name, str(ref)) if name else str(ref) for name, ref in new)}))


def copies(source: Files, target: Files, source_folder: str, target_folder: str) -> dict[str, Blob]:
    """What makes the files of one folder those of another one: both are given with their whole paths."""
    wanted = {_moved(path, source_folder, target_folder): blob for path, blob in source.items()}
    changed: dict[str, Blob] = {path: blob for path, blob in wanted.items() if target.get(path) != blob}
    return changed | {path: None for path in target if path not in wanted}


def superseded(title: str) -> str:
    """The title of a pull request that Dispatch closes itself. By it that is told from the closing of a person, who
    does not want the version: forges tell who merged, not who closed.
    """
    return title if is_superseded(title) else f"{_SUPERSEDED}{title}"


def is_superseded(title: str) -> bool:
    """Whether Dispatch closed the pull request of this title, for a version that nobody wanted at that time."""
    return title.startswith(_SUPERSEDED)


def last_source(messages: Iterable[str], promotion: str) -> str:
    """The commit that was promoted last, of the messages of the target's commits, the newest first; empty when none of
    them tells of a promotion. `promotion` is namespace/name.
    """
    for message in messages:
        found = dict(trailers.read(message))
        if found.get(PROMOTION.lower()) == promotion and found.get(SOURCE.lower()):
            return found[SOURCE.lower()]
    return ""


def _known(text: str) -> tuple[str, ImageRef] | None:
    """(the application, empty where there is one; the image)."""
    application, _, image = text.rpartition("=")
    ref = parse_ref(image)
    return (application, ref) if ref is not None else None


def _same(one: ImageRef, other: ImageRef | None) -> bool:
    return other is not None and same_image(one.name, other.name)


def _said(blob: Blob) -> str:
    return "" if blob is None else blob.hex() if isinstance(blob, bytes) else f"{blob[0]:o} {blob[1]}"


def _moved(path: str, source: str, target: str) -> str:
    inside = path[len(source) :].lstrip("/") if source else path
    return f"{target}/{inside}" if target else inside


def _images(document: Mapping[str, Any]) -> Iterator[str]:
    for pod in _pods(document.get("spec")):
        for kind in ("initContainers", "containers"):
            for container in pod.get(kind) or ():
                if isinstance(container, Mapping) and isinstance(container.get("image"), str):
                    yield container["image"]


def _pods(spec: Any) -> Iterator[Mapping[str, Any]]:
    """The pod specs in the spec of a workload: a Pod's own, that of a template, that of a CronJob's Job."""
    if not isinstance(spec, Mapping):
        return
    if isinstance(spec.get("containers"), list):
        yield spec
    for key in ("template", "jobTemplate"):
        inner = spec.get(key)
        if isinstance(inner, Mapping):
            yield from _pods(inner.get("spec"))
