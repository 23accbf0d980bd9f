"""What the times of a Promotion say to a rollout: an environment's gates `freeze` and `window` hold what goes forward
in it after the merge, too. What goes back is never held.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from reconciler.core.hotfix import landed, passes
from reconciler.model.application_status import PromotedRevision
from reconciler.model.hotfix import Hotfix
from reconciler.model.promotion import PromotionEnvironment, PromotionGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Gatekeeper, Proof


def holding(environment: PromotionEnvironment, hotfixes: Iterable[Hotfix], commit: str) -> list[PromotionGate]:
    """The gates on the time that the version waits for which `commit` brought: all of the environment, but for those
    that the Hotfix was told to skip of whose merge it is the commit.
    """
    brought = [each for each in hotfixes if _brought(each, environment.name, commit)]
    timed = (each for each in environment.gates if each.freeze is not None or each.window is not None)
    return [gate for gate in timed if not any(passes(each, gate) for each in brought)]


def closed(gates: Sequence[PromotionGate], judge: Gatekeeper, now: datetime) -> str:
    """Why nothing goes forward now, and until when, in one line; empty where all is open. What cannot be told is
    closed.
    """
    said = (judge(gate, Proof(), now) for gate in gates)
    shut = [f"{name}: {why}" for name, verdict, why in said if verdict is not Verdict.PASS]
    return " ".join("; ".join(dict.fromkeys(shut)).split())


def goes_back(promoted: PromotedRevision | None, workload: str, template: str) -> bool:
    """Whether this pod template was promoted before the one that was promoted last: a revert, not a step forward. One
    that was given up by such a revert has not been promoted before what came after it.
    """
    return promoted is not None and bool(template) and f"{workload}={template}" in promoted.earlier


def _brought(hotfix: Hotfix, environment: str, commit: str) -> bool:
    target = hotfix.status.target
    merged = target.merged if target is not None else None
    ours = hotfix.spec.environment == environment and landed(hotfix)
    return ours and merged is not None and bool(commit) and merged.commit == commit
