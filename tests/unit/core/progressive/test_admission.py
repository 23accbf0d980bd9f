"""Which revision a run works with, over every state of vetoes, rollouts in flight and rebuilt clusters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.progressive.admission import Candidate, admit
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger, Promoted, Veto
from reconciler.model.outcome import Reason, Terminal
from reconciler.model.rollout import Phase, RolloutSeen
from reconciler.model.strategy import InFlight

NOW = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
WEB = ObjectId("argoproj.io", "Rollout", "shop", "web")

PROMOTED = RolloutSeen(WEB, "u1", "canary", True, Phase.HEALTHY, "", "old", "old", step=4, steps=4)
RUNNING = RolloutSeen(WEB, "u1", "canary", True, Phase.PAUSED, "", "new", "old", step=1, steps=4)
ABORTED = replace(RUNNING, aborted=True, phase=Phase.DEGRADED)
FIRST = replace(PROMOTED, stable_hash="", phase=Phase.PROGRESSING)
INVALID = replace(RUNNING, invalid=True, phase=Phase.DEGRADED)

V1_PROMOTED = Ledger(Promoted("c1", {"web": "v1"}, NOW))


def vetoing(template: str, ledger: Ledger = V1_PROMOTED) -> Ledger:
    return replace(ledger, vetoes=(Veto(template, (), "c2", "error rate", "", NOW),))


def web(wanted: str, live: str, rollout: RolloutSeen | None = PROMOTED, exists: bool = True) -> Candidate:
    return Candidate("web", wanted, live, f"c{live[1:]}" if live else "", exists, rollout)


def test_a_new_version_starts_when_nothing_is_on_its_way() -> None:
    assert admit("c2", [web("v2", "v1")], InFlight.QUEUE, V1_PROMOTED).stay == ""


def test_a_commit_that_changes_no_pod_is_never_held_up() -> None:
    assert admit("c9", [web("v2", "v2", RUNNING)], InFlight.QUEUE, V1_PROMOTED).stay == ""


@pytest.mark.parametrize("policy", [InFlight.QUEUE, InFlight.BLOCK])
def test_a_newer_version_waits_for_the_one_on_its_way(policy: InFlight) -> None:
    found = admit("c3", [web("v3", "v2", RUNNING)], policy, V1_PROMOTED, admitted="c2")
    assert found.stay == "c2"
    assert found.reason in (Reason.REVISION_QUEUED, Reason.REVISION_BLOCKED)
    assert "step 2 of 4" in found.why
    assert "dispatch sync" in found.why


def test_the_last_commit_that_was_let_in_is_kept_not_the_one_that_brought_the_version() -> None:
    """A commit that changed no pod came after it: its ConfigMap must not be taken back."""
    assert admit("c5", [web("v3", "v2", RUNNING)], InFlight.QUEUE, V1_PROMOTED, admitted="c4").stay == "c4"


def test_supersede_takes_the_newer_version_at_once_and_says_which_one_is_discarded() -> None:
    found = admit("c3", [web("v3", "v2", RUNNING)], InFlight.SUPERSEDE, V1_PROMOTED)
    assert found.stay == ""
    assert "supersedes c2 of web, at step 2 of 4" in found.why


def test_a_person_who_asks_for_it_supersedes() -> None:
    assert admit("c3", [web("v3", "v2", RUNNING)], InFlight.QUEUE, V1_PROMOTED, asked=True).stay == ""


@pytest.mark.parametrize("policy", InFlight)
def test_the_way_back_to_the_promoted_version_is_always_open(policy: InFlight) -> None:
    found = admit("c3", [web("v1", "v2", RUNNING)], policy, V1_PROMOTED, admitted="c2")
    assert found.stay == ""
    assert "steps are skipped" in found.why


@pytest.mark.parametrize("rollout", [ABORTED, FIRST, INVALID, None], ids=["aborted", "first", "invalid", "none"])
def test_a_mend_is_let_in_where_nothing_moves(rollout: RolloutSeen | None) -> None:
    assert admit("c3", [web("v3", "v2", rollout)], InFlight.QUEUE, V1_PROMOTED, admitted="c2").stay == ""


def test_a_blocked_version_stays_out_after_the_running_one_has_ended_until_asked_for_or_a_newer_comes() -> None:
    settled = [web("v3", "v2", replace(PROMOTED, pod_hash="new", stable_hash="new"))]
    assert admit("c3", settled, InFlight.BLOCK, V1_PROMOTED, admitted="c2", blocked="c3").stay == "c2"
    assert admit("c3", settled, InFlight.BLOCK, V1_PROMOTED, admitted="c2", blocked="c3", asked=True).stay == ""
    assert admit("c4", settled, InFlight.BLOCK, V1_PROMOTED, admitted="c2", blocked="c3").stay == ""


def test_an_aborted_version_does_not_start_again() -> None:
    found = admit("c4", [web("v2", "v1")], InFlight.SUPERSEDE, vetoing("v2"), admitted="c3")
    assert (found.reason, found.stay) == (Reason.VETOED, "c3")
    assert "error rate" in found.why
    assert "dispatch rollout retry" in found.why


def test_nobody_starts_a_vetoed_version_by_asking_for_a_sync() -> None:
    assert admit("c4", [web("v2", "v1")], InFlight.QUEUE, vetoing("v2"), admitted="c3", asked=True).stay == "c3"


def test_where_the_aborted_version_is_live_already_the_commit_goes_on() -> None:
    """Git is ahead of what serves: there is nothing to start, and the rest of the commit is wanted."""
    assert admit("c2", [web("v2", "v2", ABORTED)], InFlight.QUEUE, vetoing("v2"), admitted="c2").stay == ""


def test_a_rebuilt_cluster_gets_the_promoted_version_first() -> None:
    found = admit("c2", [web("v2", "", None, exists=False)], InFlight.QUEUE, V1_PROMOTED)
    assert (found.reason, found.stay) == (Reason.REBUILDING, "c1")
    coming = admit("c2", [web("v2", "v1", replace(FIRST, pod_hash="old"))], InFlight.QUEUE, V1_PROMOTED)
    assert (coming.reason, coming.stay) == (Reason.REBUILDING, "c1")


def test_once_the_promoted_version_is_stable_again_the_newest_one_is_walked_out() -> None:
    assert admit("c2", [web("v2", "v1", PROMOTED)], InFlight.QUEUE, V1_PROMOTED).stay == ""


def test_a_first_deployment_without_a_memory_starts_at_once() -> None:
    assert admit("c1", [web("v1", "", None, exists=False)], InFlight.QUEUE, Ledger()).stay == ""


def test_a_deployment_that_gets_a_strategy_is_no_rebuilt_cluster() -> None:
    assert admit("c9", [web("v9", "", None)], InFlight.QUEUE, V1_PROMOTED).stay == ""


def test_a_rebuilt_cluster_never_starts_with_a_vetoed_version() -> None:
    new = [web("v2", "", None, exists=False)]
    assert admit("c2", new, InFlight.QUEUE, vetoing("v2")).stay == "c1"
    with pytest.raises(Terminal) as refused:
        admit("c2", new, InFlight.QUEUE, vetoing("v2", Ledger()))
    assert refused.value.reason is Reason.VETOED


versions = st.sampled_from(["v1", "v2", "v3"])
rollouts = st.sampled_from([PROMOTED, RUNNING, ABORTED, FIRST, INVALID, None])


@given(
    wanted=versions,
    live=versions,
    rollout=rollouts,
    policy=st.sampled_from(InFlight),
    asked=st.booleans(),
    vetoed=versions,
)
def test_a_vetoed_version_never_starts_whatever_else_is_true(
    wanted: str, live: str, rollout: RolloutSeen | None, policy: InFlight, asked: bool, vetoed: str
) -> None:
    ledger = vetoing(vetoed)
    found = admit("c9", [web(wanted, live, rollout)], policy, ledger, admitted="c8", asked=asked)
    if wanted == vetoed and live != wanted:
        assert found.stay == "c8"


@given(wanted=versions, live=versions, rollout=rollouts, policy=st.sampled_from(InFlight))
def test_what_is_let_in_is_told_or_silent_but_what_waits_always_says_why(
    wanted: str, live: str, rollout: RolloutSeen | None, policy: InFlight
) -> None:
    found = admit("c9", [web(wanted, live, rollout)], policy, V1_PROMOTED, admitted="c8")
    assert not found.stay or (found.why and found.reason is not Reason.SUCCEEDED)
    if policy is InFlight.SUPERSEDE:
        assert found.stay in ("", "c1")
