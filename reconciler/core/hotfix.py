"""What a hotfix passes and what it does not, how long it may, and what it keeps from taking it away again.

It passes the environments before, and so the gates that speak of them. What people, CI and the line itself have to say
it does not pass, nor the render, nor a veto of the environment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from reconciler.core.promotion import Candidate, older_than, to_carry
from reconciler.model.hotfix import Hotfix
from reconciler.model.image import ImageRef, parse_ref, same_image
from reconciler.model.promotion import EnvironmentState, PromotionGate, PromotionState
from reconciler.model.rollout import Verdict
from reconciler.ports import Forecast, Gatekeeper, Proof

_BEFORE = ("healthy_for", "analysis")
"""The gates that ask the environment before."""
_OVER = frozenset({PromotionState.REJECTED, PromotionState.EXPIRED})


def passes(hotfix: Hotfix, gate: PromotionGate) -> bool:
    """Whether it does not wait for this gate."""
    passed = (*_BEFORE, *(each.value for each in hotfix.spec.skip))
    return any(getattr(gate, name) is not None for name in passed)


def judging(hotfix: Hotfix, judge: Gatekeeper) -> Gatekeeper:
    """The judge of its gates: of those that it passes it is said that, by whom and why."""

    def judged(gate: PromotionGate, proof: Proof, now: datetime) -> tuple[str, Verdict, str]:
        name, verdict, evidence = judge(gate, proof, now)
        if not passes(hotfix, gate):
            return name, verdict, evidence
        return name, Verdict.PASS, f"passed by Hotfix {hotfix.metadata.name} of {hotfix.spec.by}"

    return judged


def forecasting(hotfix: Hotfix, forecast: Forecast) -> Forecast:
    """When the times of the gates let it go on that it does not pass."""

    def foreseen(gates: Sequence[PromotionGate], since: datetime | None, now: datetime) -> datetime | None:
        return forecast([gate for gate in gates if not passes(hotfix, gate)], since, now)

    return foreseen


def candidate(hotfix: Hotfix, running: Sequence[str]) -> Candidate:
    """What an application of its environment lacks of it. It may be older than what runs: that is a way back, too."""
    return Candidate(to_carry(hotfix.spec.images, running))


def carried_back(hotfix: Hotfix, running: Sequence[str]) -> Candidate:
    """What an application of an environment before lacks of it. What is newer there stays."""
    images = to_carry(hotfix.spec.images, running)
    left = older_than(images, running)
    return Candidate(tuple(each for each in images if each not in left), left=left)


def others(hotfix: Hotfix, running: Sequence[str]) -> tuple[str, ...]:
    """The other versions of its images among those that run."""
    wanted = [ref for text in hotfix.spec.images if (ref := parse_ref(text)) is not None]
    found = {ref for text in running if (ref := parse_ref(text)) is not None}
    pairs = [(ref, one) for ref in found for one in wanted if same_image(ref.name, one.name)]
    return tuple(sorted({str(ref) for ref, one in pairs if (ref.tag, ref.digest) != (one.tag, one.digest)}))


def strange(hotfix: Hotfix, running: Sequence[str]) -> tuple[str, ...]:
    """The images that the environment runs in no version: nobody could write them anywhere."""
    theirs = [ref.name for text in running if (ref := parse_ref(text)) is not None]
    wanted = [ref for text in hotfix.spec.images if (ref := parse_ref(text)) is not None]
    return tuple(str(ref) for ref in wanted if not any(same_image(ref.name, name) for name in theirs))


def is_over(hotfix: Hotfix) -> bool:
    """Whether it goes nowhere any more: closed, out of its time, or landed and carried back."""
    state = hotfix.status.target
    if state is None:
        return False
    return state.state in _OVER or (landed(hotfix) and all(came_back(each) for each in hotfix.status.back))


def landed(hotfix: Hotfix) -> bool:
    """Whether it is in the environment, by a merge of its own or because somebody else was faster."""
    return hotfix.status.target is not None and has_landed(hotfix.status.target)


def has_landed(state: EnvironmentState) -> bool:
    """Whether its environment has it, and nothing is left to be learnt of how it came there."""
    return state.merged is not None or _is_there(state)


def came_back(state: EnvironmentState) -> bool:
    """Whether nothing is left to be done in an environment before: it has it, or had it, or nobody wants it there."""
    done = (PromotionState.REJECTED, PromotionState.HELD)
    return has_landed(state) or state.state in done


def first(hotfixes: Iterable[Hotfix], environment: str, now: datetime) -> Hotfix | None:
    """The one whose turn it is to go to an environment: the oldest that is on its way and within its time."""
    waiting = [
        each
        for each in hotfixes
        if each.spec.environment == environment and not landed(each) and not is_over(each) and now < each.expires
    ]
    return min(waiting, key=lambda each: (_created(each), each.metadata.name), default=None)


def _is_there(state: EnvironmentState) -> bool:
    # With a pull request that is still open it may be about to be merged.
    return state.state is PromotionState.CURRENT and not state.number


def _created(hotfix: Hotfix) -> datetime:
    return hotfix.expires - timedelta(seconds=hotfix.spec.expires_after)


def lacking(hotfixes: Iterable[Hotfix], environment: str) -> dict[str, str]:
    """Images that may lack what was mended -> the Hotfix that says so: what ran in the environments before when it
    landed.
    """
    found = [each for each in hotfixes if each.spec.environment == environment and landed(each)]
    return {image: each.metadata.name for each in found for image in each.status.behind}


def lacks(images: Iterable[ImageRef], lacking: Mapping[str, str]) -> tuple[str, str] | None:
    """(the image of a candidate that may lack a hotfix, which one); None where there is none."""
    return next(((str(image), lacking[str(image)]) for image in images if str(image) in lacking), None)
