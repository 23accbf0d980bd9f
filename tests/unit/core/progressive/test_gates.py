"""The verdict of a gate: passed only when everything fits, failed only when a person said so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.progressive.gates import verdict
from reconciler.model.identity import ObjectId
from reconciler.model.rollout import Asked, Phase, RolloutSeen, Verdict, Wish
from reconciler.model.strategy import Gate, HealthyGate

NOW = datetime(2026, 11, 26, 5, 0, tzinfo=UTC)
APPROVAL = Gate(approval=True)
HEALTHY = Gate(healthy=HealthyGate(applications=("db", "cache"), duration=60.0))
SEEN = RolloutSeen(
    id=ObjectId("argoproj.io", "Rollout", "shop", "web"),
    uid="u1",
    strategy="canary",
    observed=True,
    phase=Phase.PROGRESSING,
    message="",
    pod_hash="new",
    stable_hash="old",
    step=1,
    steps=4,
)


def wish(
    kind: Wish = Wish.PROMOTE,
    ago: float = 5,
    uid: str = "u1",
    pod_hash: str = "new",
    step: int | None = 1,
    by: str = "ada",
) -> Asked:
    at = NOW - timedelta(seconds=ago)
    return Asked(f"{kind}-{ago}", kind, uid, pod_hash, step if kind is Wish.PROMOTE else None, by, at)


def since(**seconds: float | None) -> dict[str, datetime | None]:
    return {name: None if ago is None else NOW - timedelta(seconds=ago) for name, ago in seconds.items()}


def judged(
    gate: Gate | None = APPROVAL,
    seen: RolloutSeen | None = SEEN,
    *wishes: Asked,
    ready: dict[str, datetime | None] | None = None,
) -> tuple[Verdict, str]:
    return verdict(gate, seen, "new", 1, wishes, ready or {}, NOW)


def test_an_approval_of_this_version_at_this_step_passes() -> None:
    assert judged(APPROVAL, SEEN, wish()) == (Verdict.PASS, "approved by ada")


def test_without_an_approval_it_waits_and_says_for_what() -> None:
    assert judged() == (Verdict.WAIT, "step 2 waits for an approval: `dispatch rollout promote`")


@pytest.mark.parametrize(
    "other",
    [
        wish(uid="u2"),
        wish(pod_hash="old"),
        wish(step=0),
        wish(step=2),
        wish(step=None),
        wish(Wish.PROMOTE_FULL),
    ],
)
def test_an_approval_of_anything_else_does_not(other: Asked) -> None:
    assert judged(APPROVAL, SEEN, other)[0] is Verdict.WAIT


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        (None, "Dispatch does not know this Rollout"),
        (replace(SEEN, observed=False), "Argo Rollouts has not looked at the newest spec yet"),
        (replace(SEEN, pod_hash="newer"), "the newest version is newer, not new"),
        (replace(SEEN, pod_hash=""), "the newest version is not known, not new"),
        (replace(SEEN, aborted=True), "this version was aborted"),
        (replace(SEEN, invalid=True, message="no selector"), "the Rollout's spec is not valid: no selector"),
        (replace(SEEN, step=None, steps=0), "the Rollout has no steps"),
        (replace(SEEN, step=0), "the Rollout is at step 1 of 4, not at step 2"),
        (replace(SEEN, step=2), "the Rollout is at step 3 of 4, not at step 2"),
    ],
)
def test_doubt_about_the_rollout_waits_even_with_an_approval(seen: RolloutSeen | None, why: str) -> None:
    assert judged(APPROVAL, seen, wish()) == (Verdict.WAIT, why)


def test_a_step_without_a_gate_waits() -> None:
    assert judged(None, SEEN, wish()) == (Verdict.WAIT, "the Application has no gate at step 2")


def test_a_gate_that_names_nothing_waits_for_a_person() -> None:
    assert judged(Gate())[0] is Verdict.WAIT
    assert judged(Gate(), SEEN, wish())[0] is Verdict.PASS


def test_who_asked_to_abort_the_version_fails_its_gate() -> None:
    assert judged(APPROVAL, SEEN, wish(), wish(Wish.ABORT, by="bob")) == (
        Verdict.FAIL,
        "bob asked to abort this version",
    )
    assert judged(APPROVAL, SEEN, wish(), wish(Wish.ABORT, pod_hash="old"))[0] is Verdict.PASS
    assert judged(APPROVAL, SEEN, wish(), wish(Wish.ABORT, uid="u2"))[0] is Verdict.PASS


def test_after_a_retry_the_abort_is_over_and_the_approvals_are_asked_for_again() -> None:
    before = [wish(ago=30), wish(Wish.ABORT, ago=20), wish(Wish.RETRY, ago=10)]
    assert judged(APPROVAL, SEEN, *before)[0] is Verdict.WAIT
    assert judged(APPROVAL, SEEN, *before, wish(ago=5))[0] is Verdict.PASS
    assert judged(APPROVAL, SEEN, *before, wish(Wish.ABORT, ago=4), wish(ago=3))[0] is Verdict.FAIL


def test_of_an_abort_and_a_retry_in_the_same_second_the_abort_counts() -> None:
    assert judged(APPROVAL, SEEN, wish(Wish.RETRY), wish(Wish.ABORT))[0] is Verdict.FAIL
    assert judged(APPROVAL, SEEN, wish(Wish.ABORT), wish(Wish.RETRY))[0] is Verdict.FAIL


@pytest.mark.parametrize(
    ("ready", "expected"),
    [
        (since(db=60, cache=61), (Verdict.PASS, "db, cache Ready")),
        (since(db=60, cache=59), (Verdict.WAIT, "Application cache is Ready for 59s of 1m")),
        (since(db=60, cache=None), (Verdict.WAIT, "Application cache is not Ready")),
        (since(db=60), (Verdict.WAIT, "Application cache is not Ready")),
        (since(db=-5, cache=60), (Verdict.WAIT, "Application db is Ready for 0s of 1m")),
        ({}, (Verdict.WAIT, "Application db is not Ready")),
    ],
)
def test_all_named_applications_must_be_ready_for_the_time(
    ready: dict[str, datetime | None], expected: tuple[Verdict, str]
) -> None:
    assert judged(HEALTHY, ready=ready) == expected


def test_all_that_is_given_must_hold() -> None:
    both = Gate(approval=True, healthy=HEALTHY.healthy)
    good = since(db=90, cache=90)
    assert judged(both, ready=good)[0] is Verdict.WAIT
    assert judged(both, SEEN, wish(), ready=since(db=90, cache=1))[0] is Verdict.WAIT
    assert judged(both, SEEN, wish(), ready=good) == (Verdict.PASS, "approved by ada; db, cache Ready")


HASHES, STEPS = st.sampled_from(["new", "old", "newer", ""]), st.integers(0, 3)
WISHES = st.lists(
    st.builds(
        Asked,
        name=st.just("x"),
        wish=st.sampled_from(Wish),
        uid=st.sampled_from(["u1", "u2"]),
        pod_hash=HASHES,
        step=st.none() | STEPS,
        by=st.just("ada"),
        at=st.integers(0, 3).map(lambda ago: NOW - timedelta(seconds=ago)),
    ),
    max_size=5,
)
ROLLOUTS = st.builds(
    replace,
    st.just(SEEN),
    observed=st.booleans(),
    pod_hash=HASHES,
    aborted=st.booleans(),
    step=st.none() | STEPS,
)
GATES = st.sampled_from([None, APPROVAL, HEALTHY, Gate()])
READY = st.fixed_dictionaries({"db": st.sampled_from([None, NOW, NOW - timedelta(minutes=2)])})


@given(gate=GATES, seen=ROLLOUTS, pod_hash=HASHES, step=STEPS, wishes=WISHES, ready=READY)
def test_it_never_passes_on_doubt_and_never_fails_without_a_person(
    gate: Gate | None,
    seen: RolloutSeen,
    pod_hash: str,
    step: int,
    wishes: list[Asked],
    ready: dict[str, datetime | None],
) -> None:
    answer, why = verdict(gate, seen, pod_hash, step, wishes, ready, NOW)
    mine = [each for each in wishes if (each.uid, each.pod_hash) == (seen.uid, pod_hash)]
    assert why
    if answer is Verdict.PASS:
        assert gate is not None
        assert seen.observed
        assert not seen.aborted
        assert (seen.pod_hash, seen.step) == (pod_hash, step)
        if gate is not HEALTHY:
            assert any(each.wish is Wish.PROMOTE and each.step == step for each in mine)
    if answer is Verdict.FAIL:
        assert any(each.wish is Wish.ABORT for each in mine)


def test_in_a_closed_time_a_gate_waits_and_an_abort_still_fails() -> None:
    closed = "freeze: frozen until 14:00 (a sale)"

    def answered(*wishes: Asked) -> tuple[Verdict, str]:
        return verdict(APPROVAL, SEEN, "new", 1, wishes, {}, NOW, closed)

    assert answered(wish()) == (Verdict.WAIT, f"step 2 waits: {closed}")
    assert answered() == (Verdict.WAIT, f"step 2 waits: {closed}")
    assert answered(wish(), wish(Wish.ABORT, ago=3))[0] is Verdict.FAIL
