"""Stage 6, last part: what was aborted is undone in Git, so that Git and the cluster say the same again."""

from __future__ import annotations

from reconciler.core.revert import branch_of, conflict, files_of, title_of, write
from reconciler.core.revert import undo as undo_files
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
from reconciler.ports import Forge, Tree

_AGAIN = 15.0
"""Seconds between two looks at a pull request that waits for somebody, or at a push that was overtaken."""


def undo(world: World, application: Application, proposed: Goal, progress: Progress) -> None:
    """Nothing, unless Git's head still wants a vetoed version and the policy is to revert it. Level-based: the same
    head gives the same commit, so a second try makes no second one. What fails is told and does not fail the run.
    """
    if policy(application).on_failure is not OnFailure.REVERT:
        return
    vetoes = [veto for digest in proposed.carriers.values() if (veto := progress.ledger.vetoed(digest)) is not None]
    if not vetoes:
        return
    try:
        progress.revert = _undo(world, application, progress, vetoes[0])
    except StageError as problem:
        state = "Open" if isinstance(problem, Blocked) else "Failed"
        progress.revert = RevertState(template=vetoes[0].template, state=state, message=problem.message)
        if isinstance(problem, Terminal):
            progress.told.append((Reason.REVERT_FAILED, f"the revert in Git failed: {problem.message}"))
        else:
            progress.soon(_AGAIN)
            progress.wakes.append(repository_of(application))


def _undo(world: World, application: Application, progress: Progress, veto: Veto) -> RevertState:
    seen, repository = seen_source(world, application), world.catalog.repository(repository_of(application))
    promoted = progress.ledger.promoted
    if promoted is None or repository is None:
        raise Terminal(Reason.REVERT_FAILED, "no version was promoted yet that Git could return to: commit another one")
    branch = wanted_ref(application, repository.spec.branch)
    head = seen.refs.get(f"refs/heads/{branch}")
    if head is None:
        raise Terminal(Reason.REVERT_FAILED, f"{branch} is no branch: name another revision in spec.source.revision")
    commit = _commit(world, application, seen, head, promoted, veto)
    forge = world.rolling.forge(repository, seen.remote)
    abandon(world)
    if forge is None:
        world.source.push(seen.remote, commit, f"refs/heads/{branch}", head)
        progress.wakes.append(repository_of(application))
        text = f"{branch} went back to what was promoted at {promoted.commit[:10]}, by commit {commit[:10]}"
        progress.acted.append(Act("Reverted", Reason.REVERTED, text))
        return RevertState(template=veto.template, commit=commit, state="Pushed", message=text)
    return _by_pull_request(world, application, progress, seen, forge, branch, commit, veto)


def _commit(world: World, application: Application, seen: Seen, head: str, promoted: Promoted, veto: Veto) -> str:
    """The commit upon `head` that brings back what the Application was made of when its version was promoted."""
    trees = [_tree(world, seen, commit) for commit in (promoted.commit, veto.commit, head)]
    read = [world.renderer.read_set(tree, request(application)) for tree in trees[:2]]
    paths = {path for reading in read for path in reading.oids}
    undone = undo_files(*(files_of(tree, paths) for tree in trees))
    if (refused := conflict(undone, veto.commit)) is not None:
        raise refused
    if not undone.files:
        raise Terminal(
            Reason.REVERT_FAILED,
            f"between {promoted.commit[:10]} and {head[:10]} no file that the Application reads has changed: the "
            "version comes from elsewhere (its spec, or the renderer)",
        )
    metadata = application.metadata
    text = write(metadata.namespace, metadata.name, veto.commit, _subject(world, seen, veto.commit), veto)
    return world.source.commit(seen.remote, head, undone.files, text)


def _subject(world: World, seen: Seen, commit: str) -> str:
    """The first line of its message, without the author."""
    return world.source.message(seen.remote, commit).partition("\n")[0]


def _tree(world: World, seen: Seen, commit: str) -> Tree:
    world.source.fetch(seen.remote, commit, seen.refs)
    return world.source.tree(seen.remote, commit)


def _by_pull_request(
    world: World,
    application: Application,
    progress: Progress,
    seen: Seen,
    forge: Forge,
    base: str,
    commit: str,
    veto: Veto,
) -> RevertState:
    """A branch of a name that follows from the version, and one pull request for it."""
    metadata = application.metadata
    head = branch_of(metadata.namespace, metadata.name, veto.commit)
    request_ = forge.find(head, base)
    if request_ is None:
        world.source.push(seen.remote, commit, f"refs/heads/{head}", seen.refs.get(f"refs/heads/{head}"))
        title = title_of(metadata.namespace, metadata.name, _subject(world, seen, veto.commit))
        body = world.source.message(seen.remote, commit)
        request_ = forge.open(head, base, title, body)
        text = f"pull request {request_.url} takes {base} back to what was promoted"
        progress.acted.append(Act("Reverted", Reason.REVERTED, text))
    state = RevertState(template=veto.template, commit=request_.head_commit, pull_request=request_.url)
    if request_.state == "closed":
        return state.model_copy(
            update={"state": "Closed", "message": f"{request_.url} was closed without a merge: Git keeps the version"}
        )
    if request_.state == "open" and policy(application).revert_merge is MergePolicy.MANUAL:
        progress.soon(_AGAIN)
        return state.model_copy(update={"state": "Open", "message": f"{request_.url} waits for a person to merge it"})
    if request_.state == "open":
        try:
            forge.merge(request_.number, request_.head_commit, world.source.message(seen.remote, commit))
        except (Blocked, Transient) as waits:
            progress.soon(_AGAIN)
            return state.model_copy(update={"state": "Open", "message": f"{request_.url}: {waits.message}"})
    progress.wakes.append(repository_of(application))
    return state.model_copy(update={"state": "Merged", "message": f"{request_.url} is merged"})
