"""What is said of a hotfix: in its commits, its pull requests, and of where it is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from reconciler.core import landing
from reconciler.core.hotfix import passes
from reconciler.core.markdown import code, inline
from reconciler.model.hotfix import Hotfix
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment, PromotionState


def lead(hotfix: Hotfix, target: PromotionEnvironment, before: Sequence[PromotionEnvironment]) -> str:
    """The first lines of the pull request to its environment, in Markdown."""
    spec, names = hotfix.spec, ", ".join(inline(each.name) for each in before)
    passed = dict.fromkeys(_names(hotfix, target))
    what = f" and waits for none of its {', '.join(map(code, passed))}" if passed else ""
    return (
        f"**Hotfix** {code(hotfix.metadata.name)} of **{inline(target.name)}**, asked for by {inline(spec.by)}: "
        f"{inline(spec.reason)}\n\nIt passes {names}{what}. It may be merged until "
        f"{hotfix.expires:%Y-%m-%d %H:%M} UTC, and is then carried back to {names}.\n"
    )


def lead_back(hotfix: Hotfix, before: PromotionEnvironment) -> str:
    """The first lines of the pull request to an environment before."""
    spec = hotfix.spec
    return (
        f"Hotfix {code(hotfix.metadata.name)} of {inline(spec.by)} went to **{inline(spec.environment)}**: "
        f"{inline(spec.reason)}\n\nThis carries it back to **{inline(before.name)}**. Merge it, or close it where "
        f"{inline(before.name)} has what it mends in another way.\n"
    )


def worded(hotfix: Hotfix, state: EnvironmentState, newer: bool) -> EnvironmentState:
    """The state with words about a hotfix in the place of those about a version of the environment before. `newer`:
    what the environment runs is newer.
    """
    merge = state.merged
    if merge is not None:
        # Whatever runs there later, this is what came of it.
        words = landing.said(merge) or f"{merge.pull_request} is merged"
        done = {"state": PromotionState.MERGED, "number": merge.number, "pull_request": merge.pull_request}
        return state.model_copy(update={**done, "message": words, "again": "", "source": ""})
    has = "runs a newer version: what it mends must come with one of its own" if newer else "has it"
    words = {
        PromotionState.REJECTED: f"{state.pull_request} was closed without a merge: if it is still wanted, ask anew",
        PromotionState.CURRENT: state.message if state.number else has,
        PromotionState.HELD: "had it, and has something else since: a revert or a mend in Git",
    }.get(state.state, state.message)
    return state.model_copy(update={"message": words, "again": "", "source": ""})


def _names(hotfix: Hotfix, target: PromotionEnvironment) -> Iterator[str]:
    for gate in target.gates:
        if passes(hotfix, gate):
            yield from gate.model_dump(by_alias=True, exclude_none=True)
