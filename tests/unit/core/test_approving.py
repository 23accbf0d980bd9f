"""What approvals are held to. That the API server does it: tests/cluster/test_approving.py."""

from __future__ import annotations

from reconciler.core.approving import forged
from reconciler.model.document import load
from reconciler.model.manifest import Origin
from reconciler.model.rollout_action import RolloutAction


def test_the_forged_action_is_refused_for_its_author_alone() -> None:
    """The server judges the schema first: a document with another fault would never show whether the policy holds."""
    assert isinstance(load(forged("dispatch-system"), Origin("probe")), RolloutAction)
