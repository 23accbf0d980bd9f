"""One folder of an ImageFeed: what it runs now, which image it should run, and which files change for that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from reconciler.core.feeding import selected_of
from reconciler.core.image_edits import Unwritable, Wanted, Written, edit, written
from reconciler.core.images import choose, vetoed
from reconciler.core.refs import related
from reconciler.engine.keys import Key
from reconciler.engine.remembered import remembered
from reconciler.engine.sources import Seen
from reconciler.engine.stages.image_files import image_files
from reconciler.engine.world import World
from reconciler.model.image import ImageName, ImageRef, located
from reconciler.model.image_feed import FeedWrite, ImageFeed, SelectedImage
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Registry, Tree

_VETOED_TRIES = 50


class Images:
    """What the registry says in one run: each question once."""

    def __init__(self, registry: Registry, image: ImageName, labels: dict[str, dict[str, str]]) -> None:
        self.tags = registry.tags(image)
        self._registry, self._image, self._labels = registry, image, labels
        self._digests: dict[str, str] = {}

    def digest(self, tag: str) -> str:
        """Raises as the port."""
        if tag not in self._digests:
            self._digests[tag] = self._registry.digest(self._image, tag)
        return self._digests[tag]

    def digest_if_there(self, tag: str) -> str:
        """Empty for a tag that the registry does not have any more."""
        if tag not in self.tags:
            return ""
        return self.digest(tag)

    def labels(self, digest: str) -> dict[str, str]:
        """An image never changes, so its labels are kept from one run to the next."""
        if digest not in self._labels:
            self._labels[digest] = dict(self._registry.described(self._image, digest))
        return self._labels[digest]


class Folder(NamedTuple):
    """`tag` and `digest` are what is wanted, both empty where there is nothing that may be written, and `why` says it.
    `files` are what changes.
    """

    write: FeedWrite
    tag: str
    digest: str
    before: tuple[ImageRef, ...]
    files: dict[str, bytes]
    why: str = ""


def look(feed: ImageFeed, write: FeedWrite, tree: Tree, images: Images, refused: Collection[str]) -> Folder:
    """What one folder needs. `refused` are digests. Raises Terminal(IMAGE_NOT_WRITTEN) where the image is not found in
    it, or cannot be written there.
    """
    texts, top = image_files(tree, write.path)
    places = written(texts, feed.spec.image)
    if not places:
        raise Terminal(
            Reason.IMAGE_NOT_WRITTEN,
            f"no manifest, values or kustomization in {write.path} names {feed.spec.image}: write it there once, with "
            "any tag, or mend spec.writes",
        )
    before = tuple(place.ref for place in places)
    tag, digest, why = _chosen(feed, images, _tags(places), refused)
    if not tag:
        return Folder(write, "", "", before, {}, why)
    try:
        changed = edit(texts, feed.spec.image, Wanted(tag, digest, feed.spec.policy.digest is not None), top)
    except Unwritable as error:
        raise Terminal(Reason.IMAGE_NOT_WRITTEN, f"{write.path}: {error}") from None
    return Folder(write, tag, digest, before, {path: text.encode() for path, text in changed.items()})


def selected(
    feed: ImageFeed, images: Images, folders: Collection[Folder], refused: Collection[str]
) -> tuple[SelectedImage | None, str]:
    """What the policy wants for all folders together, and why there is none. What was selected before stays where there
    is nothing newer.
    """
    current = {ref.tag for folder in folders for ref in folder.before if ref.tag}
    tag, digest, why = _chosen(feed, images, current, refused)
    if tag:
        return selected_of(tag, digest, images.labels(digest)), ""
    return (feed.status.selected if current else None), why


def refused_digests(world: World, feed: ImageFeed, write: FeedWrite, seen: Seen, images: Images) -> frozenset[str]:
    """The digests of this image among the vetoed versions of the Applications that read the folder."""
    found: list[str] = []
    repository = Key("Repository", feed.metadata.namespace, write.repository)
    for key, application in world.catalog.applications_of(repository):
        if not related(application.spec.source.path or ".", write.path):
            continue
        ledger = world.ledgers.peek(key, seen) or remembered(application.status)
        found += [image for veto in ledger.vetoes for image in veto.images]
    return vetoed(found, feed.spec.image, images.digest_if_there)


def _chosen(
    feed: ImageFeed, images: Images, current: Collection[str], refused: Collection[str]
) -> tuple[str, str, str]:
    """(tag, digest, why none): the best that is no vetoed digest, whatever it is called."""
    vetoed_tags: set[str] = set()
    for _ in range(_VETOED_TRIES):
        choice = choose(feed.spec.policy, images.tags, current, vetoed_tags)
        if not choice.tag:
            told = f"; vetoed: {', '.join(sorted(vetoed_tags))}" if vetoed_tags else ""
            return "", "", choice.why + told
        digest = images.digest(choice.tag)
        if digest not in refused:
            return choice.tag, digest, ""
        vetoed_tags.add(choice.tag)
    return "", "", f"the {_VETOED_TRIES} newest tags are all vetoed"


def _tags(places: Iterable[Written]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(place.ref.tag for place in places if place.ref.tag))


def name_of(feed: ImageFeed) -> ImageName:
    """Where the registry has the feed's image."""
    return located(feed.spec.image)


Opened = Callable[[ImageFeed, "dict[str, str] | None"], Registry]
"""The registry of a feed, by the `data` of the Secret that it names. Raises Terminal for a Secret without use."""
