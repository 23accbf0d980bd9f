"""Stage 6, last part: what was aborted is undone in Git, so that Git and the cluster say the same again."""

from __future__ import annotations

from typing import NamedTuple

from reconciler.core.revert import branch_of, conflict, files_of, title_of, write
from reconciler.core.revert import undo as undo_files
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Act, Progress
from reconciler.engine.sources import Seen
from reconciler.engine.stages.admit import policy, seen_source
from reconciler.engine.stages.fetch import repository_of, wanted_ref
from reconciler.engine.stages.render import Goal, request
from reconciler.engine.stages.send import abandon
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.application_status import RevertState
from reconciler.model.ledger import Promoted, Veto
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient
from reconciler.model.strategy import MergePolicy, OnFailure
from reconciler.ports import Forge, PullRequest, Tree

_AGAIN = 15.0
"""Seconds between two looks at a pull request that waits for somebody, or at a push that was overtaken."""


def undo(world: World, application: Application, proposed: Goal, memory: Memory, progress: Progress) -> None:
    """Nothing, unless Git's head still wants a vetoed version and the policy is to revert it. Level-based: the same
    head gives the same commit, so a second try makes no second one. What fails is told and does not fail the run.
    """
    if policy(application).on_failure is not OnFailure.REVERT:
        return
    vetoes = [veto for digest in proposed.carriers.values() if (veto := progress.ledger.vetoed(digest)) is not None]
    if not vetoes:
        return
    try:
        progress.revert = _undo(world, application, memory, progress, vetoes[0])
    except StageError as problem:
        state = "Open" if isinstance(problem, Blocked) else "Failed"
        progress.revert = RevertState(template=vetoes[0].template, state=state, message=problem.message)
        if isinstance(problem, Terminal):
            progress.told.append((Reason.REVERT_FAILED, f"the revert in Git failed: {problem.message}"))
        else:
            progress.soon(_AGAIN)
            progress.wakes.append(repository_of(application))


def _undo(world: World, application: Application, memory: Memory, progress: Progress, veto: Veto) -> RevertState | None:
    """None where the branch has gone back since this run began: the next run is about that."""
    seen, repository = seen_source(world, application), world.catalog.repository(repository_of(application))
    promoted = progress.ledger.promoted
    if promoted is None or repository is None:
        raise Terminal(Reason.REVERT_FAILED, "no version was promoted yet that Git could return to: commit another one")
    branch = wanted_ref(application, repository.spec.branch)
    head = seen.refs.get(f"refs/heads/{branch}")
    if head is None:
        raise Terminal(Reason.REVERT_FAILED, f"{branch} is no branch: name another revision in spec.source.revision")
    aborted = _brought_now(progress, veto)
    commit = _commit(world, application, seen, head, promoted, veto, aborted)
    if not commit:
        progress.wakes.append(repository_of(application))
        return None
    forge = world.rolling.forge(repository, seen.remote)
    abandon(world)
    if forge is None:
        world.source.push(seen.remote, commit, f"refs/heads/{branch}", head)
        progress.wakes.append(repository_of(application))
        text = f"{branch} went back to what was promoted at {promoted.commit[:10]}, by commit {commit[:10]}"
        progress.acted.append(Act("Reverted", Reason.REVERTED, text))
        return RevertState(template=veto.template, commit=commit, state="Pushed", message=text)
    return _by_pull_request(world, application, memory, progress, _Way(seen, forge, branch, head, commit), veto)


def _brought_now(progress: Progress, veto: Veto) -> str:
    """The commit that is undone: the one that was aborted, or, when Git has brought its version once more, that one."""
    live = any(rolled.template == veto.template for rolled in progress.rolled)
    return veto.commit if live or progress.target is None else progress.target.commit


def _commit(
    world: World, application: Application, seen: Seen, head: str, promoted: Promoted, veto: Veto, aborted: str
) -> str:
    """The commit upon `head` that brings back what the Application was made of when its version was promoted; empty
    where `head` is that already.
    """
    trees = [_tree(world, seen, commit) for commit in (promoted.commit, veto.commit, head)]
    read = [world.renderer.read_set(tree, request(application)) for tree in trees[:2]]
    paths = {path for reading in read for path in reading.oids}
    undone = undo_files(*(files_of(tree, paths) for tree in trees))
    if (refused := conflict(undone, veto.commit)) is not None:
        raise refused
    if undone.done and undone.found:
        return ""
    if not undone.files:
        raise Terminal(
            Reason.REVERT_FAILED,
            f"between {promoted.commit[:10]} and {veto.commit[:10]} no file that the Application reads has changed: "
            "the version comes from elsewhere (its spec, or the renderer)",
        )
    metadata = application.metadata
    text = write(metadata.namespace, metadata.name, aborted, _subject(world, seen, aborted), veto)
    return world.source.commit(seen.remote, head, undone.files, text)


def _subject(world: World, seen: Seen, commit: str) -> str:
    """The first line of its message, without the author."""
    return world.source.message(seen.remote, commit).partition("\n")[0]


def _tree(world: World, seen: Seen, commit: str) -> Tree:
    world.source.fetch(seen.remote, commit, seen.refs)
    return world.source.tree(seen.remote, commit)


class _Way(NamedTuple):
    """How a revert gets into Git: the `commit` upon the `head` of the branch `base`, by the forge."""

    seen: Seen
    forge: Forge
    base: str
    head: str
    commit: str


def _by_pull_request(
    world: World, application: Application, memory: Memory, progress: Progress, way: _Way, veto: Veto
) -> RevertState:
    """A branch of a name that follows from the version, and one pull request for it. When the version comes back after
    that was merged, another one, named after the head that brought it.
    """
    name, namespace = application.metadata.name, application.metadata.namespace
    branch = branch_of(namespace, name, veto.commit)
    found = way.forge.find(branch, way.base)
    if found is not None and found.state == "merged" and _came_back(memory, found, way.head):
        branch = f"{branch}-{way.head[:10]}"
        found = way.forge.find(branch, way.base)
    if found is None:
        found = _opened(world, application, progress, way, veto, branch)
    state = RevertState(template=veto.template, commit=found.head_commit, pull_request=found.url)
    if found.state == "closed":
        why = f"{found.url} was closed without a merge: Git keeps the version, and the cluster does not take it up"
        return state.model_copy(update={"state": "Closed", "message": why})
    if found.state == "open" and (waits := _merged(world, application, way, found)):
        progress.soon(_AGAIN)
        return state.model_copy(update={"state": "Open", "message": f"{found.url} {waits}"})
    if memory.merged[0] != found.number:
        memory.merged = (found.number, way.head)
    progress.wakes.append(repository_of(application))
    return state.model_copy(update={"state": "Merged", "message": f"{found.url} is merged"})


def _came_back(memory: Memory, merged: PullRequest, head: str) -> bool:
    """Whether Git has moved on since the merge was noticed: until then the head that we know is the one before it."""
    return memory.merged[0] == merged.number and memory.merged[1] != head


def _opened(
    world: World, application: Application, progress: Progress, way: _Way, veto: Veto, branch: str
) -> PullRequest:
    world.source.push(way.seen.remote, way.commit, f"refs/heads/{branch}", way.seen.refs.get(f"refs/heads/{branch}"))
    metadata = application.metadata
    title = title_of(metadata.namespace, metadata.name, _subject(world, way.seen, veto.commit))
    found = way.forge.open(branch, way.base, title, world.source.message(way.seen.remote, way.commit))
    text = f"pull request {found.url} takes {way.base} back to what was promoted"
    progress.acted.append(Act("Reverted", Reason.REVERTED, text))
    return found


def _merged(world: World, application: Application, way: _Way, found: PullRequest) -> str:
    """Empty once it is merged; else what it waits for."""
    if policy(application).revert_merge is MergePolicy.MANUAL:
        return "waits for a person to merge it"
    try:
        way.forge.merge(found.number, found.head_commit, world.source.message(way.seen.remote, way.commit))
    except (Blocked, Transient) as waits:
        return f"is not merged yet: {waits.message}"
    return ""
