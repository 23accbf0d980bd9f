"""What a commit of an ImageFeed is called and says, and what an earlier one of it said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from reconciler.core import trailers
from reconciler.core.ledger import component
from reconciler.model.image import ImageRef
from reconciler.model.image_feed import SelectedImage

_FEED, _IMAGE, _DIGEST, _SOURCE = "Dispatch-Feed", "Dispatch-Image", "Dispatch-Digest", "Dispatch-Source-Commit"
_LABEL = "org.opencontainers.image."


class Fed(NamedTuple):
    """What a commit of ours wrote: `<namespace>/<feed>` and the digests."""

    feed: str
    digests: tuple[str, ...]


class Origin(NamedTuple):
    """An image (with its tag) that a commit of ours wrote, its digest, and the commit that it was built from; empty
    where its labels did not say it."""

    image: str
    digest: str
    revision: str


def branch_of(namespace: str, name: str) -> str:
    """The branch of a feed's pull request: one for all its images, so that a newer one takes the place of an older."""
    return f"dispatch/feed/{component(namespace)}/{component(name)}"


def title_of(image: str, tags: Iterable[str]) -> str:
    """The first line of the commit, and the title of the pull request: the name's last part and the tag."""
    return trailers.line(f"{image.rpartition('/')[2]} {', '.join(dict.fromkeys(tags))}")


def write(
    namespace: str,
    name: str,
    image: str,
    chosen: Mapping[str, SelectedImage],
    before: Mapping[str, Sequence[ImageRef]],
) -> str:
    """The message of the commit. `chosen` and `before` are by folder: what is written, and what was there."""
    lines = [_moved(path, before.get(path, ()), chosen[path]) for path in sorted(chosen)]
    selected = list({each.digest: each for each in chosen.values()}.values())
    lines += ["", *(_built(each) for each in selected)]
    told = [(_FEED, f"{namespace}/{name}")]
    for each in selected:
        told += [(_IMAGE, f"{image}:{each.tag}"), (_DIGEST, each.digest)]
        told += [(_SOURCE, trailers.line(each.revision))] if each.revision else []
    return trailers.written(title_of(image, (each.tag for each in selected)), "\n".join(lines), told)


def parse(message: str) -> Fed | None:
    """What a commit of a feed wrote; None for every other commit. Never raises."""
    found = list(trailers.read(message))
    feed = next((value for key, value in found if key == _FEED.lower()), "")
    return Fed(feed, tuple(value for key, value in found if key == _DIGEST.lower())) if feed else None


def origins(message: str) -> tuple[Origin, ...]:
    """What a commit of a feed says of its images; none for every other commit. Never raises."""
    if parse(message) is None:
        return ()
    found: list[Origin] = []
    for key, value in trailers.read(message):
        if key == _IMAGE.lower():
            found.append(Origin(value, "", ""))
        elif key == _DIGEST.lower() and found:
            found[-1] = found[-1]._replace(digest=value)
        elif key == _SOURCE.lower() and found:
            found[-1] = found[-1]._replace(revision=value)
    return tuple(found)


def selected_of(tag: str, digest: str, labels: Mapping[str, str]) -> SelectedImage:
    """What an image says of itself by the labels that OCI names (image-spec, annotations.md)."""
    revision, source, created = (
        trailers.line(labels[f"{_LABEL}{key}"]) if labels.get(f"{_LABEL}{key}") else ""
        for key in ("revision", "source", "created")
    )
    return SelectedImage(tag=tag, digest=digest, revision=revision, source=source, created=created)


def _moved(path: str, before: Sequence[ImageRef], chosen: SelectedImage) -> str:
    was = ", ".join(dict.fromkeys(_short(ref.tag or "no tag", ref.digest) for ref in before)) or "nothing"
    return f"{path}: {was} -> {_short(chosen.tag, chosen.digest)}"


def _built(chosen: SelectedImage) -> str:
    parts = [f"{chosen.tag} is {chosen.digest}"]
    parts += [f"built from {chosen.revision}"] if chosen.revision else []
    parts += [f"of {chosen.source}"] if chosen.source else []
    parts += [f"at {chosen.created}"] if chosen.created else []
    return " ".join(parts)


def _short(tag: str, digest: str) -> str:
    return f"{tag} ({digest[:19]})" if digest else tag
