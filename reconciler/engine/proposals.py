"""What a Promotion proposes to an environment: found from what runs before it, made into a commit upon its branch."""

from __future__ import annotations

from dataclasses import dataclass
from posixpath import join
from typing import Protocol

from reconciler.core.image_edits import Unwritable, Wanted, edit
from reconciler.core.promotion import (
    Candidate,
    copies,
    images_of,
    is_ours,
    message,
    older_than,
    same_images,
    title_of,
    to_carry,
)
from reconciler.core.revert import files_of
from reconciler.engine.catalog import Catalog
from reconciler.engine.sources import Seen, Sources
from reconciler.engine.stages.fetch import repository_of, wanted_ref
from reconciler.engine.stages.image_files import image_files
from reconciler.engine.stages.render import request
from reconciler.model.application import Application
from reconciler.model.image import ImageRef, called
from reconciler.model.manifest import Manifest
from reconciler.model.outcome import Blocked, Reason, Terminal
from reconciler.model.promotion import PromotionEnvironment
from reconciler.ports import Blob, Renderer, Source, Tree


class Reading(Protocol):
    """What is read for it, and nothing is written to: of the World, or of files."""

    @property
    def source(self) -> Source: ...
    @property
    def renderer(self) -> Renderer: ...
    @property
    def catalog(self) -> Catalog: ...
    @property
    def sources(self) -> Sources: ...


@dataclass(frozen=True, slots=True)
class Place:
    """An environment's Application at the head of its branch. `before` are its objects as they are wanted now."""

    application: Application
    seen: Seen
    base: str
    head: str
    tree: Tree
    before: tuple[Manifest, ...]

    @property
    def folder(self) -> str:
        return request(self.application).path


def place(world: Reading, application: Application) -> Place:
    """Raises Blocked before the Repository was read, Terminal for a revision that is no branch."""
    key = repository_of(application)
    seen, repository = world.sources.get(key), world.catalog.repository(key)
    if seen is None or not seen.refs or repository is None:
        raise Blocked(Reason.PROGRESSING, f"waiting until Repository {key.name!r} was read", 30.0)
    base = wanted_ref(application, repository.spec.branch)
    head = seen.refs.get(f"refs/heads/{base}")
    if head is None:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"Application {application.metadata.name} follows {base}, which is no branch: nothing can go there",
        )
    tree = tree_at(world, seen, head)
    return Place(application, seen, base, head, tree, objects(world, application, tree))


def tree_at(world: Reading, seen: Seen, commit: str) -> Tree:
    """The files of a commit of a remote."""
    world.source.fetch(seen.remote, commit, seen.refs)
    return world.source.tree(seen.remote, commit)


def objects(world: Reading, application: Application, tree: Tree) -> tuple[Manifest, ...]:
    """The objects of an Application at a tree."""
    return world.renderer.render(tree, request(application)).manifests


def digest(world: Reading, application: Application, commit: str, seen: Seen) -> str:
    """Of the objects of an Application at a commit: the same for the same objects, whatever commit brought them."""
    return world.renderer.render(tree_at(world, seen, commit), request(application)).digest


def candidate(
    world: Reading, environment: PromotionEnvironment, source: Application, commit: str, to: Place
) -> Candidate:
    """What the environment lacks of what `source` runs at `commit`; empty when nothing."""
    tree = tree_at(world, to.seen, commit)
    images: tuple[ImageRef, ...] = ()
    running = images_of(each.document for each in to.before)
    if environment.carry.images:
        images = to_carry(images_of(each.document for each in objects(world, source, tree)), running)
    left = () if environment.carry.older else older_than(images, running)
    here = request(source).path
    theirs, ours = (
        files_of(each, [join(folder, path) if folder else path for path in environment.carry.paths])
        for each, folder in ((tree, here), (to.tree, to.folder))
    )
    images = tuple(each for each in images if each not in left)
    return Candidate(images, copies(theirs, ours, here, to.folder), left)


def shared(
    world: Reading, environment: PromotionEnvironment, source: Application, commit: str, to: Place
) -> tuple[str, ...]:
    """The images that `source` at `commit` and the environment run in the same version."""
    if not environment.carry.images:
        return ()
    found = objects(world, source, tree_at(world, to.seen, commit))
    return same_images(images_of(each.document for each in found), images_of(each.document for each in to.before))


def commit(world: Reading, promotion: str, environment: str, found: Candidate, source: str, to: Place) -> str:
    """The commit upon the head of the branch that brings it; the same arguments give the same commit.

    Raises Terminal(RENDER_FAILED) for an image that is written where it cannot be edited.
    """
    files: dict[str, Blob] = dict(found.files)
    texts, top = image_files(to.tree, to.folder)
    for ref in found.images:
        try:
            changed = edit(texts, ref.name, Wanted(ref.tag, ref.digest, bool(ref.digest)), top)
        except Unwritable as error:
            raise Terminal(Reason.RENDER_FAILED, str(error)) from None
        texts |= changed
        files |= {path: text.encode() for path, text in changed.items()}
    title = title_of([called(str(ref)) for ref in found.images] or [*found.files], environment)
    return world.source.commit(to.seen.remote, to.head, files, message(title, promotion, found.id, source))


def made_here(world: Reading, to: Place, commit: str, promotion: str, candidate: str) -> bool:
    """Whether a commit says of itself that Dispatch made it for this version of a Promotion (namespace/name)."""
    world.source.fetch(to.seen.remote, commit, to.seen.refs)
    return is_ours(world.source.message(to.seen.remote, commit), promotion, candidate)


def unmoved(world: Reading, to: Place, upon: str) -> bool:
    """Whether a change upon the commit `upon` is the same change upon the base of today: nothing that the target is
    made of differs. Then people need not look at it again because somebody pushed something else to the repository.
    """
    old, asked = tree_at(world, to.seen, upon), request(to.application)
    if old.oid(to.folder) != to.tree.oid(to.folder):
        return False
    return world.renderer.read_set(old, asked).oids == world.renderer.read_set(to.tree, asked).oids
