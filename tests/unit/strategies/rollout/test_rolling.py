"""A Deployment has come to its end when every pod that is wanted is new and available."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.model.identity import ObjectId
from reconciler.model.rollout import DeploymentSeen, Verb
from strategies.rollout import rolling

DONE = DeploymentSeen(ObjectId("apps", "Deployment", "n", "web"), observed=True, replicas=3, updated=3, available=3)


@pytest.mark.parametrize(
    ("seen", "verb"),
    [
        (DONE, Verb.PROMOTED),
        (replace(DONE, replicas=0, updated=0, available=0), Verb.PROMOTED),
        (replace(DONE, observed=False), Verb.WAIT),
        (replace(DONE, updated=2), Verb.WAIT),
        (replace(DONE, available=2), Verb.WAIT),
        (replace(DONE, available=4), Verb.WAIT),
        (replace(DONE, replicas=4), Verb.WAIT),
    ],
)
def test_it_is_promoted_exactly_when_all_is_new_and_there(seen: DeploymentSeen, verb: Verb) -> None:
    decision = rolling.decide(seen)
    assert decision.verb is verb
    assert "Deployment web" in decision.why
