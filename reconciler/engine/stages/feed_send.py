"""What an ImageFeed has to write gets into Git: one commit, or one pull request, for each Repository.

Nothing is remembered but what Git, the forge and the feed's own status say. The same change gives the same commit, so a
process that was killed at any line makes no second one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from reconciler.core import feeding
from reconciler.engine.keys import Key
from reconciler.engine.sources import Seen
from reconciler.engine.stages.feed_folder import Folder
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World
from reconciler.model.image_feed import ImageFeed, SelectedImage, WriteState
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.repository import Repository
from reconciler.ports import Blob, Forge, PullRequest


class Target(NamedTuple):
    """One Repository's branch: `head` is where it was seen."""

    key: Key
    repository: Repository
    seen: Seen
    head: str

    @property
    def branch(self) -> str:
        return self.repository.spec.branch


class Sent(NamedTuple):
    """What became of the folders of one Repository. `wake` says that its branch has moved, or must be read again."""

    state: WriteState
    commit: str = ""
    pull_request: str = ""
    message: str = ""
    wake: bool = False


Described = Callable[[str, str], SelectedImage]
"""(tag, digest) -> what the image says of itself."""


def push(
    world: World, feed: ImageFeed, target: Target, folders: Sequence[Folder], described: Described, asked: bool
) -> Sent:
    """One commit upon the branch's head. What somebody took back in Git is left alone, unless it is asked for anew."""
    commit = _commit(world, feed, target, folders, described)
    if not asked and (back := _taken_back(feed, target, folders, commit)):
        return back
    abandon(world)
    world.source.push(target.seen.remote, commit, f"refs/heads/{target.branch}", target.head)
    return Sent(WriteState.PUSHED, commit, message=f"commit {commit[:10]} on {target.branch}", wake=True)


def propose(
    world: World, feed: ImageFeed, target: Target, folders: Sequence[Folder], described: Described, asked: bool
) -> Sent:
    """One pull request for the feed: opened, or brought up to date; one that a person closed stays closed, and one that
    a person pushed to is theirs.
    """
    forge = _forge(world, target)
    branch = feeding.branch_of(feed.metadata.namespace, feed.metadata.name)
    found = forge.find(branch, target.branch)
    digests = {folder.digest for folder in folders}
    if found is not None and found.state != "open" and not asked:
        proposed = _proposed(world, feed, target, found)
        if digests <= proposed:
            return _ended(found)
    tip = target.seen.refs.get(f"refs/heads/{branch}")
    if found is not None and found.state == "open":
        tip = found.head_commit
        if _up_to_date(world, target, tip, folders):
            return Sent(WriteState.OPEN, tip, found.url, f"{found.url} waits to be merged")
    if tip is not None and _fed(world, feed, target, tip) is None:
        where = found.url if found is not None else branch
        words = f"{where} has commits of somebody else, which are not written over: close it and delete its branch"
        return Sent(WriteState.OPEN if found else WriteState.FAILED, tip, found.url if found else "", words)
    commit = _commit(world, feed, target, folders, described)
    abandon(world)
    world.source.push(target.seen.remote, commit, f"refs/heads/{branch}", tip)
    opened = forge.open(branch, target.branch, *_title_and_body(world, target, commit))
    return Sent(WriteState.OPEN, commit, opened.url, f"{opened.url} waits to be merged", wake=True)


def withdraw(world: World, feed: ImageFeed, target: Target) -> Sent | None:
    """Nothing is to be written: a pull request that is still open has become empty, and is closed.

    None where there is none. The forge is asked only while the branch is there.
    """
    branch = feeding.branch_of(feed.metadata.namespace, feed.metadata.name)
    if f"refs/heads/{branch}" not in target.seen.refs:
        return None
    forge = _forge(world, target)
    found = forge.find(branch, target.branch)
    if found is None or found.state == "closed":
        return None
    if found.state == "merged":
        return Sent(WriteState.MERGED, found.merge_commit, found.url, f"{found.url} is merged")
    if _fed(world, feed, target, found.head_commit) is not None:
        abandon(world)
        forge.close(found.number)
    return Sent(WriteState.CURRENT, pull_request=found.url, message=f"{found.url} has nothing left to change")


def _commit(world: World, feed: ImageFeed, target: Target, folders: Sequence[Folder], described: Described) -> str:
    files: dict[str, Blob] = {path: content for folder in folders for path, content in folder.files.items()}
    message = feeding.write(
        feed.metadata.namespace,
        feed.metadata.name,
        feed.spec.image,
        {folder.write.path: described(folder.tag, folder.digest) for folder in folders},
        {folder.write.path: folder.before for folder in folders},
    )
    return world.source.commit(target.seen.remote, target.head, files, message)


def _taken_back(feed: ImageFeed, target: Target, folders: Sequence[Folder], commit: str) -> Sent | None:
    """Held where the same images stood in the folders before, by the feed's own status, and do not any more.

    While the branch is still seen as it was before our push the commit is the same one, and that is not taken back.
    """
    # What failed since keeps the image that was written before it.
    written = (WriteState.PUSHED, WriteState.CURRENT, WriteState.HELD, WriteState.FAILED)
    before = {(each.repository, each.path): each for each in feed.status.writes}
    for folder in folders:
        was = before.get((target.key.name, folder.write.path))
        same = was is not None and was.image == wanted_image(feed, folder) and was.state in written
        if was is None or not same or was.commit in ("", commit):
            return None
    name = folders[0].tag
    words = (
        f"{name} was written and somebody took it back in Git: it is left alone until there is a newer image. To write "
        f"it again: dispatch release APP --image {feed.spec.image}:{name}"
    )
    return Sent(WriteState.HELD, before[target.key.name, folders[0].write.path].commit, message=words)


def wanted_image(feed: ImageFeed, folder: Folder) -> str:
    """`name:tag@digest`, empty where nothing is wanted."""
    return f"{feed.spec.image}:{folder.tag}@{folder.digest}" if folder.tag else ""


def _forge(world: World, target: Target) -> Forge:
    forge = world.rolling.forge(target.repository, target.seen.remote)
    if forge is None:
        raise Terminal(
            Reason.INVALID_SPEC,
            f"Repository {target.key.name!r} has no forge where a pull request could be opened: set its spec.forge, or "
            "write `via: Commit`",
        )
    return forge


def _ended(found: PullRequest) -> Sent:
    if found.state == "merged":
        words = f"{found.url} was merged: the same image is not proposed again"
        return Sent(WriteState.MERGED, found.merge_commit, found.url, words, wake=True)
    words = f"{found.url} was closed without a merge: the image is left alone until there is a newer one"
    return Sent(WriteState.CLOSED, found.head_commit, found.url, words)


def _proposed(world: World, feed: ImageFeed, target: Target, found: PullRequest) -> frozenset[str]:
    """The digests of a pull request that has ended: by its commit, or by the status where that is gone."""
    fed = _fed(world, feed, target, found.head_commit)
    if fed is not None:
        return frozenset(fed.digests)
    return frozenset(
        each.image.rpartition("@")[2]
        for each in feed.status.writes
        if each.pull_request == found.url and each.image and each.repository == target.key.name
    )


def _fed(world: World, feed: ImageFeed, target: Target, commit: str) -> feeding.Fed | None:
    """What a commit of this feed wrote; None for one of somebody else, and one that is gone."""
    try:
        world.source.fetch(target.seen.remote, commit, target.seen.refs)
        fed = feeding.parse(world.source.message(target.seen.remote, commit))
    except StageError:
        return None
    return fed if fed is not None and fed.feed == f"{feed.metadata.namespace}/{feed.metadata.name}" else None


def _up_to_date(world: World, target: Target, tip: str, folders: Sequence[Folder]) -> bool:
    """Whether the branch already holds the files as they are wanted: that the base moved elsewhere voids no review."""
    try:
        world.source.fetch(target.seen.remote, tip, target.seen.refs)
        tree = world.source.tree(target.seen.remote, tip)
        return all(
            tree.oid(path) is not None and tree.read(path, 2 * len(content) + 1) == content
            for folder in folders
            for path, content in folder.files.items()
        )
    except StageError:
        return False


def _title_and_body(world: World, target: Target, commit: str) -> tuple[str, str]:
    title, _, body = world.source.message(target.seen.remote, commit).partition("\n")
    return title, body.strip()
