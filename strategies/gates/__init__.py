"""What must hold before a version goes on: each gate says pass, wait or fail, and why. What cannot be told waits."""

from __future__ import annotations

from datetime import datetime

from reconciler.model.promotion import PromotionGate
from reconciler.model.rollout import Verdict
from reconciler.ports import Proof
from strategies.gates import analysis, approvals, checks, soak, window


def judge(gate: PromotionGate, proof: Proof, now: datetime) -> tuple[str, Verdict, str]:
    """(which gate, its verdict, the evidence in a sentence)."""
    if gate.healthy_for is not None:
        return ("healthyFor", *soak.judge(gate.healthy_for, proof.ready_since, now))
    if gate.window is not None:
        return ("window", *window.judge(gate.window, now))
    if gate.freeze is not None:
        return ("freeze", *window.judge_freeze(gate.freeze, now))
    if gate.approvals is not None:
        return ("approvals", *approvals.judge(gate.approvals, proof))
    if gate.checks:
        return ("checks", *checks.judge(gate.checks, proof.checks))
    if gate.analysis is not None:
        return ("analysis", *analysis.judge(gate.analysis, proof.measured.get(gate.analysis.prometheus)))
    if gate.hold is not None:
        held = (Verdict.WAIT, "the line is stopped by hand: set `hold` to false to go on")
        return ("hold", *(held if gate.hold else (Verdict.PASS, "not held")))
    return ("unknown", Verdict.WAIT, "this Dispatch does not know the gate")
