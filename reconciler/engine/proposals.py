"""What a Promotion proposes to an environment: found from what runs before it, made into a commit upon its branch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from posixpath import join
from typing import Protocol

from reconciler.core.errand import Errand
from reconciler.core.image_edits import Unwritable, Wanted, edit
from reconciler.core.promotion import (
    Candidate,
    copies,
    images_of,
    labelled,
    older_than,
    same_images,
    to_carry,
    together,
)
from reconciler.core.promotion_members import whole
from reconciler.core.revert import files_of
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
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
class Member:
    """One Application of an environment. `before` are its objects as they are wanted now."""

    application: Application
    before: tuple[Manifest, ...]

    @property
    def name(self) -> str:
        return self.application.metadata.name

    @property
    def folder(self) -> str:
        return request(self.application).path


@dataclass(frozen=True, slots=True)
class Place:
    """An environment at the head of its branch: one Application, or several that go as one release."""

    seen: Seen
    base: str
    head: str
    tree: Tree
    members: tuple[Member, ...]

    @property
    def repository(self) -> Key:
        return repository_of(self.members[0].application)

    @property
    def applications(self) -> tuple[Application, ...]:
        return tuple(each.application for each in self.members)


def place(world: Reading, applications: Sequence[Application]) -> Place:
    """The place of Applications of one Repository. Raises Blocked before that was read, Terminal(INVALID_SPEC) for a
    revision that is no branch, and for two branches.
    """
    key = repository_of(applications[0])
    seen, repository = world.sources.get(key), world.catalog.repository(key)
    if seen is None or not seen.refs or repository is None:
        raise Blocked(Reason.PROGRESSING, f"waiting until Repository {key.name!r} was read", 30.0)
    bases = [wanted_ref(each, repository.spec.branch) for each in applications]
    require_one_branch(applications, bases)
    for application, base in zip(applications, bases, strict=True):
        if f"refs/heads/{base}" not in seen.refs:
            raise Terminal(
                Reason.INVALID_SPEC,
                f"Application {application.metadata.name} follows {base}, which is no branch: nothing can go there",
            )
    head = seen.refs[f"refs/heads/{bases[0]}"]
    tree = tree_at(world, seen, head)
    members = tuple(Member(each, objects(world, each, tree)) for each in applications)
    return Place(seen, bases[0], head, tree, members)


def require_one_branch(applications: Sequence[Application], branches: Sequence[str]) -> None:
    """Raises Terminal(INVALID_SPEC) where the Applications of one environment follow two."""
    for application, branch in zip(applications, branches, strict=True):
        if branch != branches[0]:
            raise Terminal(
                Reason.INVALID_SPEC,
                f"{application.metadata.name} follows {branch} and {applications[0].metadata.name} {branches[0]}: the "
                "applications of one environment go by one commit to one branch. Mend spec.source.revision of one, or "
                "give it a Promotion of its own",
            )


def tree_at(world: Reading, seen: Seen, commit: str) -> Tree:
    """The files of a commit of a remote."""
    world.source.fetch(seen.remote, commit, seen.refs)
    return world.source.tree(seen.remote, commit)


def objects(world: Reading, application: Application, tree: Tree) -> tuple[Manifest, ...]:
    """The objects of an Application at a tree."""
    return world.renderer.render(tree, request(application)).manifests


def digest(world: Reading, applications: Sequence[Application], commit: str, seen: Seen) -> str:
    """Of the objects of all of them at a commit: the same for the same objects, whatever commit brought them."""
    return whole(digests(world, applications, commit, seen))


def digests(world: Reading, applications: Sequence[Application], commit: str, seen: Seen) -> list[str]:
    """Of the objects of each of them at a commit."""
    tree = tree_at(world, seen, commit)
    return [world.renderer.render(tree, request(each)).digest for each in applications]


def candidate(
    world: Reading, environment: PromotionEnvironment, sources: Sequence[Application], commit: str, to: Place
) -> Candidate:
    """What the environment lacks of what `sources` run at `commit`, each for the one at its place."""
    tree = tree_at(world, to.seen, commit)
    pairs = zip(sources, to.members, strict=True)
    return together([(member.name, _part(world, environment, source, tree, to, member)) for source, member in pairs])


def _part(
    world: Reading, environment: PromotionEnvironment, source: Application, tree: Tree, to: Place, member: Member
) -> Candidate:
    """What one Application lacks. `tree` is of the commit that `source` runs."""
    images: tuple[ImageRef, ...] = ()
    running = images_of(each.document for each in member.before)
    if environment.carry.images:
        images = to_carry(images_of(each.document for each in objects(world, source, tree)), running)
    left = () if environment.carry.older else older_than(images, running)
    here = request(source).path
    theirs, ours = (
        files_of(each, [join(folder, path) if folder else path for path in environment.carry.paths])
        for each, folder in ((tree, here), (to.tree, member.folder))
    )
    images = tuple(each for each in images if each not in left)
    return Candidate(images, copies(theirs, ours, here, member.folder), left)


def shared(
    world: Reading, environment: PromotionEnvironment, sources: Sequence[Application], commit: str, to: Place
) -> tuple[str, ...]:
    """The images that `sources` at `commit` and the environment run in the same version."""
    if not environment.carry.images:
        return ()
    tree = tree_at(world, to.seen, commit)
    both: list[str] = []
    for source, member in zip(sources, to.members, strict=True):
        theirs = images_of(each.document for each in objects(world, source, tree))
        found = same_images(theirs, images_of(each.document for each in member.before))
        both += found if len(sources) == 1 else [labelled(member.name, image) for image in found]
    return tuple(both)


def commit(world: Reading, errand: Errand, found: Candidate, source: str, to: Place) -> str:
    """The commit upon the head of the branch that brings it; the same arguments give the same commit.

    Raises Terminal(RENDER_FAILED) for an image that is written where it cannot be edited.
    """
    files: dict[str, Blob] = dict(found.files)
    for member, (name, part) in zip(to.members, found.each([each.name for each in to.members]), strict=True):
        try:
            written = _written(to, member, part.images)
        except Unwritable as error:
            rest = (
                f"{name}: {error}. Nothing of this release goes on before it is mended" if found.parts else str(error)
            )
            raise Terminal(Reason.RENDER_FAILED, rest) from None
        _require_agreement(found, name, part, written, files)
        files |= written
    title = errand.title([called(str(ref)) for ref in found.images] or [*found.files])
    return world.source.commit(to.seen.remote, to.head, files, errand.message(title, found.id, source))


def _written(to: Place, member: Member, images: Sequence[ImageRef]) -> dict[str, Blob]:
    """The files of its folder that change, with these images in them. Raises Unwritable."""
    texts, top = image_files(to.tree, member.folder)
    files: dict[str, Blob] = {}
    for ref in images:
        changed = edit(texts, ref.name, Wanted(ref.tag, ref.digest, bool(ref.digest)), top)
        texts |= changed
        files |= {path: text.encode() for path, text in changed.items()}
    return files


def _require_agreement(
    found: Candidate, name: str, part: Candidate, written: Mapping[str, Blob], before: Mapping[str, Blob]
) -> None:
    """Applications may share a folder: then both must want the same of its files, or one would undo the other."""
    if not found.parts:
        return
    for path, blob in {**part.files, **written}.items():
        if path in before and before[path] != blob and not (path in part.files and path in written):
            raise Terminal(
                Reason.RENDER_FAILED,
                f"{name} and another application of this release want two versions of {path}: give each a folder of "
                "its own. Nothing of the release goes on before that",
            )


def made_here(world: Reading, to: Place, commit: str, errand: Errand, candidate: str) -> bool:
    """Whether a commit says of itself that Dispatch made it for this version."""
    world.source.fetch(to.seen.remote, commit, to.seen.refs)
    return errand.made(world.source.message(to.seen.remote, commit), candidate)


def unmoved(world: Reading, to: Place, upon: str) -> bool:
    """Whether a change upon the commit `upon` is the same change upon the base of today: nothing that the target is
    made of differs. Then people need not look at it again because somebody pushed something else to the repository.
    """
    old = tree_at(world, to.seen, upon)
    return all(_same_at(world, each, old, to.tree) for each in to.members)


def _same_at(world: Reading, member: Member, old: Tree, new: Tree) -> bool:
    asked = request(member.application)
    if old.oid(member.folder) != new.oid(member.folder):
        return False
    return world.renderer.read_set(old, asked).oids == world.renderer.read_set(new, asked).oids
