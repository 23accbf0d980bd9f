"""Whether a revision may start now, or the cluster stays where it is: vetoes, rollouts in flight, rebuilt clusters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from reconciler.model.ledger import Ledger, Promoted
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import Phase, RolloutSeen
from reconciler.model.strategy import InFlight


@dataclass(frozen=True, slots=True)
class Candidate:
    """One workload: the digest of the pod template that Git wants, that of the one that is `live` (empty when it is not
    known) with the commit that brought it, whether the object `exists`, and its Rollout, None while there is none.
    """

    workload: str
    wanted: str
    live: str = ""
    commit: str = ""
    exists: bool = True
    rollout: RolloutSeen | None = None

    @property
    def changes(self) -> bool:
        """The revision would start a rollout of this workload, or end one."""
        return bool(self.live) and self.live != self.wanted

    @property
    def busy(self) -> bool:
        """A version is on its way out. The first one is not: there is nothing to go back to, and a mend must get in.
        Nor is one whose spec the controller refuses: it does not move.
        """
        seen = self.rollout
        return seen is not None and seen.in_flight and not seen.first and not seen.invalid


@dataclass(frozen=True, slots=True)
class Admission:
    """`stay` is the commit to keep applying instead, empty when the revision may start; `why` is told either way."""

    reason: Reason = Reason.SUCCEEDED
    stay: str = ""
    why: str = ""


def admit(
    target: str,
    candidates: Sequence[Candidate],
    policy: InFlight,
    ledger: Ledger,
    *,
    admitted: str = "",
    asked: bool = False,
    blocked: str = "",
) -> Admission:
    """`target` is the commit that Git names. `admitted` is the last one that was let in, `asked` that a person wants
    this one now (`dispatch sync`), `blocked` the commit that an earlier look refused under the policy Block.

    Raises Terminal(VETOED) when the version may not start and there is none to stay at.
    """
    refused = _veto(target, candidates, ledger, admitted)
    if refused is not None:
        return refused
    if not asked and (rebuild := _rebuild(candidates, ledger.promoted)) is not None:
        return rebuild
    moving = [each for each in candidates if each.changes]
    if not moving:
        return Admission()
    if _back(moving, ledger.promoted):
        return Admission(why="returns to the promoted version: steps are skipped")
    busy = [each for each in candidates if each.busy]
    if asked or (busy and policy is InFlight.SUPERSEDE):
        return Admission(why=_superseding(busy))
    if not busy and not (policy is InFlight.BLOCK and blocked == target):
        return Admission()
    return _wait(target, busy or moving, policy, admitted)


def _veto(target: str, candidates: Sequence[Candidate], ledger: Ledger, admitted: str) -> Admission | None:
    """A version that was aborted does not start again; where it is live already there is nothing to start."""
    for each in candidates:
        veto = ledger.vetoed(each.wanted)
        if veto is None or each.live == each.wanted:
            continue
        why = (
            f"{target[:10]} brings a version of {each.workload} that was aborted at {veto.at:%Y-%m-%d %H:%M} "
            f"({veto.why}): commit another one, or lift the veto with `dispatch rollout retry`"
        )
        stay = (admitted or each.commit) if each.live else (ledger.promoted.commit if ledger.promoted else "")
        if not stay or stay == target:
            raise Terminal(Reason.VETOED, why)
        return Admission(Reason.VETOED, stay, why)
    return None


def _rebuild(candidates: Sequence[Candidate], promoted: Promoted | None) -> Admission | None:
    """A cluster without a stable version gets the one that was promoted last: Argo Rollouts skips all steps of the
    first version it sees, so the newest one would go to everybody unproven (Flagger 1577 describes the hole).
    """
    if promoted is None:
        return None
    for each in candidates:
        proven = promoted.templates.get(each.workload, each.wanted)
        coming = each.live == proven and each.rollout is not None and not _has_come(each.rollout)
        if proven != each.wanted and (coming or not each.exists):
            return Admission(
                Reason.REBUILDING,
                promoted.commit,
                f"{each.workload} is new in this cluster: the version that was promoted last, "
                f"{promoted.commit[:10]}, is deployed first",
            )
    return None


def _has_come(seen: RolloutSeen) -> bool:
    """The first version of a Rollout is stable almost at once, long before it is there: only its health tells."""
    return seen.observed and not seen.first and (seen.revision != 1 or seen.phase is Phase.HEALTHY)


def _back(moving: Sequence[Candidate], promoted: Promoted | None) -> bool:
    return promoted is not None and all(promoted.templates.get(each.workload) == each.wanted for each in moving)


def _superseding(busy: Sequence[Candidate]) -> str:
    said = [f"{each.commit[:10]} of {each.workload}{_at_step(each.rollout)}" for each in busy]
    return f"supersedes {', '.join(said)}" if said else ""


def _wait(target: str, busy: Sequence[Candidate], policy: InFlight, admitted: str) -> Admission:
    first = busy[0]
    where = f"{first.commit[:10]} of {first.workload}{_at_step(first.rollout)}"
    if policy is InFlight.BLOCK:
        return Admission(
            Reason.REVISION_BLOCKED,
            admitted or first.commit,
            f"{target[:10]} came while {where} was rolled out (strategy.inFlight is Block): "
            "`dispatch sync` takes it up, or a newer commit",
        )
    return Admission(
        Reason.REVISION_QUEUED,
        admitted or first.commit,
        f"{target[:10]} waits until {where} is promoted or aborted (strategy.inFlight is Queue); "
        "`dispatch sync` takes it up now",
    )


def _at_step(seen: RolloutSeen | None) -> str:
    return f", at step {min(seen.step + 1, seen.steps)} of {seen.steps}" if seen and seen.step is not None else ""
