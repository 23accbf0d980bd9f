"""What people are told of a release that waits to go to the next environment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from reconciler.core.landing import said
from reconciler.core.notices import candidate_ready
from reconciler.core.standing import short
from reconciler.model.image import called
from reconciler.model.notice import Candidate, Notice, NoticeEvent, Subject
from reconciler.model.promotion import EnvironmentState, MergeVerdict, PromotionEnvironment, PromotionState

_TIMES = frozenset({"freeze", "window"})


def waiting(about: Sequence[Subject], environment: PromotionEnvironment, state: EnvironmentState) -> Notice | None:
    """The notice of an open pull request, and of one that was merged, under the same key; None in any other state.

    `about` are the Applications of the environment that it goes to, of one or several: it is told once of all. The
    version is named by its candidate.
    """
    if state.state not in (PromotionState.OPEN, PromotionState.MERGED) or not state.candidate:
        return None
    merged = state.state is PromotionState.MERGED
    people = [name for gate in environment.gates if gate.approvals is not None for name in gate.approvals.from_]
    notice = candidate_ready(
        Candidate(
            about[0],
            state.name,
            state.candidate,
            images=state.brings,
            open_gates=tuple(f"{gate.gate}: {gate.evidence}" for gate in state.gates if not gate.is_open),
            # Nobody is asked for what is done.
            approvers=() if merged else tuple(dict.fromkeys(people)),
            link=state.pull_request,
        )
    )
    what = ", ".join(map(_short, state.images)) or short(state.candidate)
    told = "was merged for" if merged else "is ready for"
    title = f"{_release(about)} {what} {told} {state.name}"
    return replace(notice, title=title, under_way=merged, beside=tuple(about[1:]))


def _release(about: Sequence[Subject]) -> str:
    """`team-a/web, worker`."""
    return ", ".join([str(about[0]), *(each.name for each in about[1:])])


def _short(image: str) -> str:
    """What people call it; by its digest where it has no tag."""
    name = called(image)
    return name if ":" in name else f"{name}@{image.partition('@')[2][:19]}"


def news(
    about: Sequence[Subject],
    environment: PromotionEnvironment,
    before: EnvironmentState | None,
    state: EnvironmentState,
    why: str = "",
) -> Iterator[tuple[Notice, bool]]:
    """What is told of an environment, each with whether it is news: after that its message is only kept true. `why` is
    said first of a release that does not come by itself.
    """
    if (notice := waiting(about, environment, state)) is not None:
        fresh = before is None or (before.state, before.candidate) != (state.state, state.candidate)
        yield replace(notice, lines=(why, *notice.lines)) if why else notice, fresh
    if (cold := frozen(about, state)) is not None:
        same = before is not None and before.candidate == state.candidate
        yield cold, not same or before is None or frozen(about, before) is None
    if (told := unreviewed(about, state)) is not None:
        yield told, before is None or before.merged != state.merged


def frozen(about: Sequence[Subject], state: EnvironmentState) -> Notice | None:
    """The notice of a pull request that only the time holds: a freeze, or a closed window. None for any other."""
    shut = [gate for gate in state.gates if not gate.is_open]
    if state.state is not PromotionState.OPEN or not shut or any(gate.gate not in _TIMES for gate in shut):
        return None
    what = ", ".join(map(_short, state.images)) or short(state.candidate)
    return Notice(
        NoticeEvent.FREEZE_BLOCKS,
        about[0],
        state.candidate,
        f"{_release(about)} {what} has all it needs for {state.name}, and waits for the time",
        tuple(f"{gate.gate}: {gate.evidence}" for gate in shut),
        state.pull_request,
        topic=f"frozen for {state.name}",
        under_way=True,
        beside=tuple(about[1:]),
    )


def unreviewed(about: Sequence[Subject], state: EnvironmentState) -> Notice | None:
    """The notice of a merge that was not of what was proposed, told once of all Applications; None where the last one
    was."""
    merge = state.merged
    if merge is None or merge.verdict is not MergeVerdict.UNREVIEWED:
        return None
    lines = [
        said(merge),
        *(f"closed gate: {gate}" for gate in merge.closed),
        f"look at commit {merge.commit}: revert it, or let it go on by `dispatch promotion accept`",
    ]
    title = f"{_release(about)} {short(merge.commit)} runs a change that nobody has reviewed in {state.name}"
    return Notice(
        NoticeEvent.UNREVIEWED_CHANGE,
        about[0],
        merge.commit,
        title,
        tuple(lines),
        merge.pull_request,
        topic=f"merged for {state.name}",
        beside=tuple(about[1:]),
    )
