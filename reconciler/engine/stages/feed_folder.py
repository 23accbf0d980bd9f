"""One folder of an ImageFeed: what it runs now, which image it should run, and which files change for that."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from reconciler.core.feeding import selected_of
from reconciler.core.image_edits import NAMES, Unwritable, Wanted, Written, edit, is_read, needed, written
from reconciler.core.images import choose, vetoed
from reconciler.core.refs import related
from reconciler.engine.keys import Key
from reconciler.engine.remembered import remembered
from reconciler.engine.sources import Seen
from reconciler.engine.world import World
from reconciler.model.image import ImageName, ImageRef, located
from reconciler.model.image_feed import FeedWrite, ImageFeed, SelectedImage
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Registry, Tree

_FILES = 500
_FILE = 1024 * 1024
_VETOED_TRIES = 50
_DEEP = 20


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
    texts, top = _texts(tree, write.path)
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


def _texts(tree: Tree, path: str) -> tuple[dict[str, str], str]:
    """The files that may name the image, by path; and the kustomization that decides for the folder, if there is one.

    Files of a base outside the folder are there to be seen, and are never written: the kustomization lists the image.
    """
    root = "" if path == "." else path
    found = _folder(tree, root)
    top = next((name for name in (posixpath.join(root, each) for each in NAMES) if name in found), "")
    if top:
        for folder in _bases(tree, top, found[top]):
            found = {**_without_kustomizations(_folder(tree, folder)), **found}
    return found, top


def _folder(tree: Tree, root: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for entry in tree.files(root):
        if entry.mode == 0o120000 or entry.size > _FILE or not is_read(entry.path, root if root != entry.path else ""):
            continue
        if len(found) == _FILES:
            raise Terminal(Reason.IMAGE_NOT_WRITTEN, f"{root or '.'} has over {_FILES} files: name a smaller folder")
        try:
            found[entry.path] = tree.read(entry.path, _FILE).decode()
        except UnicodeDecodeError:
            continue
    return found


def _bases(tree: Tree, top: str, text: str) -> Iterable[str]:
    """The folders and files outside that a kustomization is built on, and what those are built on."""
    waiting, seen = [(top, text)], set[str]()
    while waiting and len(seen) < _DEEP:
        at, content = waiting.pop()
        for name in needed(content):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(at), name))
            if "://" in name or path.startswith("..") or path in seen or tree.oid(path) is None:
                continue
            seen.add(path)
            inner = next((each for each in (posixpath.join(path, name) for name in NAMES) if tree.oid(each)), "")
            if inner:
                waiting.append((inner, tree.read(inner, _FILE).decode("utf-8", "replace")))
    return seen


def _without_kustomizations(files: dict[str, str]) -> dict[str, str]:
    return {path: text for path, text in files.items() if posixpath.basename(path) not in NAMES}


def name_of(feed: ImageFeed) -> ImageName:
    """Where the registry has the feed's image."""
    return located(feed.spec.image)


Opened = Callable[[ImageFeed, "dict[str, str] | None"], Registry]
"""The registry of a feed, by the `data` of the Secret that it names. Raises Terminal for a Secret without use."""
