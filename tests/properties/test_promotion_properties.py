"""What no promotion does, whatever is known and in whatever order it happens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.promotion import Candidate, superseded
from reconciler.core.promotion_decision import Act, Decision, decide
from reconciler.core.promotion_facts import Facts, Said
from reconciler.core.promotion_replay import recorded, said
from reconciler.model.application_status import VetoEntry
from reconciler.model.image import ImageRef
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment, PromotionGate, PromotionState
from reconciler.model.pull_request import PullRequest, Review
from reconciler.model.rollout import Verdict
from reconciler.model.strategy import MergePolicy
from reconciler.ports import Proof

NOW = datetime(2026, 6, 1, 10, 30, tzinfo=UTC)
SOURCE = PromotionEnvironment.model_validate({"name": "staging", "application": "shop-staging"})
DIGESTS = ["sha256:" + letter * 64 for letter in "abc"]
_MOST = 6
"""Acts of one look: ask, close, open, make anew, merge; and one that finds nothing left to do."""


def judge(gate: PromotionGate, proof: Proof, now: datetime) -> tuple[str, Verdict, str]:
    """`hold` says its verdict, `approvals` asks for one review of the head, `healthyFor` for a proof."""
    if gate.hold is not None:
        return "hold", Verdict.WAIT if gate.hold else Verdict.PASS, "held"
    if gate.approvals is not None:
        given = any(each.state == "approved" and each.commit == proof.head for each in proof.reviews or ())
        return "approvals", Verdict.PASS if given else Verdict.WAIT, "reviews"
    return "healthyFor", Verdict.PASS if proof.ready_since else Verdict.FAIL, "soak"


def opens(gates: Sequence[PromotionGate], ready: datetime | None, now: datetime) -> datetime | None:
    """Half an hour from now, where something is held."""
    return now + timedelta(minutes=30) if any(gate.hold for gate in gates) else now


GATES = st.lists(
    st.sampled_from([{"hold": True}, {"hold": False}, {"approvals": {}}, {"healthyFor": "1s"}]), max_size=3
)
TARGETS = st.builds(
    lambda gates, merge, flight: PromotionEnvironment.model_validate(
        {"name": "production", "application": "shop", "gates": gates, "merge": merge, "inFlight": flight}
    ),
    GATES,
    st.sampled_from(["Automatic", "Manual"]),
    st.sampled_from(["Supersede", "Queue", "Block"]),
)
IMAGES = st.builds(ImageRef, st.just("shop"), st.sampled_from(["1", "2"]), st.sampled_from(["", *DIGESTS]))
CANDIDATES = st.builds(Candidate, st.lists(IMAGES, max_size=1).map(tuple))
VETOES = st.builds(
    lambda images: VetoEntry(template="t", images=tuple(images), at=NOW),
    st.lists(IMAGES.map(lambda ref: str(ref._replace(tag="vetoed") if ref.digest else ref)), max_size=2),
)
COMMITS = st.sampled_from(["change", "older", "theirs"])
REQUESTS = st.builds(
    lambda number, commit, state: PullRequest(number, f"pr/{number}", "h", "main", commit, state, author="dispatch"),
    st.integers(1, 9),
    COMMITS,
    st.sampled_from(["open", "closed", "merged", "new word"]),
)
REVIEWS = st.builds(lambda commit: Review("ada", "approved", commit, NOW, True), COMMITS)
SAID = st.builds(
    Said,
    older=st.none() | REQUESTS,
    request=st.none() | REQUESTS,
    foreign=st.booleans(),
    reviews=st.none() | st.lists(REVIEWS, max_size=2),
)
KNOWN = st.builds(
    lambda number, had: EnvironmentState(
        name="production", state=PromotionState.OPEN, number=number, proposed="x" * 10, had=tuple(map(str, had))
    ),
    st.integers(0, 2),
    st.lists(IMAGES, max_size=2),
)
FACTS = st.builds(
    Facts,
    source=st.just(SOURCE),
    target=TARGETS,
    known=KNOWN,
    applied=st.sampled_from(["", "c" * 40]),
    ready_since=st.none() | st.just(NOW),
    vetoes=st.lists(VETOES, max_size=2).map(lambda found: {"shop": found}),
    candidate=CANDIDATES,
    base=st.just("main"),
    forge=st.booleans(),
    change=st.just("change"),
    said=st.none() | SAID,
    tainted=st.sampled_from(["", "staging runs an unreviewed change"]),
    urgent=st.sampled_from(["", "", "cve"]),
    lacking=st.just({}) | IMAGES.map(lambda ref: {str(ref): "cve"}),
)


def verdicts(facts: Facts) -> set[Verdict]:
    said = facts.said or Said()
    proof = Proof(facts.ready_since, said.reviews, None, facts.change, "dispatch")
    return {judge(gate, proof, NOW)[1] for gate in facts.target.gates}


@given(FACTS)
def test_nothing_is_merged_with_a_gate_that_does_not_pass(facts: Facts) -> None:
    decision = decide(facts, judge, opens, NOW)
    if decision.act in (Act.MERGE, Act.PUSH):
        assert verdicts(facts) <= {Verdict.PASS}
        assert facts.ready_since is not None


@given(FACTS)
def test_what_is_merged_is_open_and_exactly_the_change(facts: Facts) -> None:
    decision = decide(facts, judge, opens, NOW)
    if decision.act is Act.MERGE:
        request = facts.said.request if facts.said else None
        assert request is not None
        assert (request.state, request.head_commit, request.number) == ("open", "change", decision.number)
        assert facts.target.merge.value == "Automatic"


@given(FACTS)
def test_a_vetoed_image_is_neither_proposed_nor_merged_under_whatever_tag(facts: Facts) -> None:
    vetoed = {image for veto in facts.vetoes["shop"] for image in veto.images}
    vetoed |= {image.partition("@")[2] for image in vetoed if "@" in image}
    if any(str(ref) in vetoed or (ref.digest and ref.digest in vetoed) for ref in facts.candidate.images):
        decision = decide(facts, judge, opens, NOW)
        assert decision.act is Act.NONE


@given(FACTS)
def test_what_comes_from_an_unreviewed_change_goes_no_further(facts: Facts) -> None:
    if facts.tainted and facts.candidate:
        assert decide(facts, judge, opens, NOW).act is Act.NONE


@given(FACTS)
def test_while_a_hotfix_goes_first_nothing_else_is_proposed_and_what_was_gives_way(facts: Facts) -> None:
    if not facts.urgent or not facts.candidate or not facts.applied or facts.tainted:
        return  # What is tainted does nothing at all, and so it gives way without an act.
    decision = decide(facts, judge, opens, NOW)
    assert decision.act in (Act.NONE, Act.ASK, Act.CLOSE)
    said = facts.said or Said()
    if decision.act is Act.NONE and decision.state.state is PromotionState.WAITING and facts.forge and facts.said:
        open_still = [each for each in (said.older, said.request) if each is not None and each.state == "open"]
        assert not open_still or not facts.known.number


@given(FACTS)
def test_what_may_lack_a_hotfix_goes_no_further_by_itself(facts: Facts) -> None:
    if any(str(ref) in facts.lacking for ref in facts.candidate.images):
        assert decide(facts, judge, opens, NOW).act in (Act.NONE, Act.ASK, Act.CLOSE)


@given(FACTS)
def test_what_the_environment_gave_up_is_not_proposed_by_itself(facts: Facts) -> None:
    request = facts.said.request if facts.said else None
    gone = bool(facts.candidate) and {str(ref) for ref in facts.candidate.images} <= set(facts.known.had)
    if gone and (request is None or request.state != "open"):
        assert decide(facts, judge, opens, NOW).act in (Act.NONE, Act.ASK, Act.CLOSE)


@given(FACTS)
def test_a_branch_that_somebody_wrote_to_is_left_alone(facts: Facts) -> None:
    said = facts.said or Said()
    request = said.request
    if request is not None and said.foreign and request.head_commit != facts.change:
        assert decide(facts, judge, opens, NOW).act not in (Act.RENEW, Act.MERGE)


@given(FACTS)
def test_nothing_is_done_on_the_forge_before_it_was_asked(facts: Facts) -> None:
    assert decide(replace(facts, said=None), judge, opens, NOW).act in (Act.NONE, Act.ASK)


@given(FACTS)
def test_the_same_facts_are_decided_in_the_same_way(facts: Facts) -> None:
    assert decide(facts, judge, opens, NOW) == decide(facts, judge, opens, NOW)


@given(FACTS)
def test_each_decision_says_why(facts: Facts) -> None:
    assert decide(facts, judge, opens, NOW).state.message


@given(FACTS)
@example(
    Facts(
        SOURCE,
        PromotionEnvironment(name="production", application="shop", merge=MergePolicy.AUTOMATIC),
        EnvironmentState(name="production", state=PromotionState.OPEN, proposed="x"),
        applied="c" * 40,
        ready_since=NOW,
        candidate=Candidate((ImageRef("shop", "1"),)),
        forge=True,
        change="change",
        said=Said(request=PullRequest(1, "pr/1", "h", "main", "older", "merged")),
    )
)
def test_a_replay_of_what_was_decided_decides_the_same(facts: Facts) -> None:
    told = facts.said or Said()
    request = told.request
    if facts.said is None or (request is not None and request.state not in ("open", "closed", "merged")):
        return
    facts = replace(facts, said=replace(told, older=None, foreign=False))
    first = decide(facts, judge, opens, NOW)
    ours = request is None or request.head_commit == facts.change or request.state != "open"
    if first.act in (Act.NONE, Act.MERGE) and first.state.number and ours:
        before = first.state
        if first.act is Act.MERGE:
            before = before.model_copy(update={"state": PromotionState.OPEN})
        known = replace(facts, known=before, said=None)
        again = replace(known, said=said(known, facts.change, ""))
        second = decide(again, recorded(judge, again, facts.change), opens, NOW)
        assert (second.act, second.number, second.state.state) == (first.act, first.number, first.state.state)
        assert [each.verdict for each in second.state.gates] == [each.verdict for each in first.state.gates]


@given(FACTS)
def test_a_replay_passes_no_gate_of_people_that_its_status_does_not_pass(facts: Facts) -> None:
    decision = decide(facts, recorded(judge, facts, facts.change), opens, NOW)
    if decision.act in (Act.MERGE, Act.PUSH):
        assert not any(gate.approvals for gate in facts.target.gates)


@dataclass
class Host:
    """A forge that does what it is told."""

    requests: list[dict[str, Any]] = field(default_factory=list)

    def read(self, number: int, head: str = "") -> PullRequest:
        each = self.requests[number - 1]
        title = each.get("title", "")
        return PullRequest(
            number, f"pr/{number}", each["of"], "main", head or each["head"], each["state"], "", "d", title
        )

    def find(self, candidate: str) -> PullRequest | None:
        found = [n for n, each in enumerate(self.requests, 1) if each["of"] == candidate]
        found.sort(key=lambda n: (self.requests[n - 1]["state"] == "open", n))
        return self.read(found[-1]) if found else None

    def open(self) -> list[str]:
        return [each["of"] for each in self.requests if each["state"] == "open"]


def look(host: Host, facts: Facts) -> tuple[EnvironmentState, list[Act]]:
    """As the controller walks: decide, do, decide again."""
    acts: list[Act] = []
    while True:
        decision = decide(facts, judge, opens, NOW)
        acts.append(decision.act)
        if decision.act in (Act.NONE, Act.PUSH, Act.MERGE) or len(acts) > _MOST:
            if decision.act is Act.MERGE:
                host.requests[decision.number - 1]["state"] = "merged"
            return decision.state, acts
        facts = done(host, facts, decision)


def done(host: Host, facts: Facts, decision: Decision) -> Facts:
    known, wanted, said = facts.known, facts.candidate.id, facts.said or Said()
    if decision.act is Act.ASK:
        older = host.read(known.number) if known.number and (not facts.candidate or known.proposed != wanted) else None
        return replace(facts, said=Said(older, host.find(wanted) if facts.candidate else None))
    if decision.act is Act.CLOSE:
        host.requests[decision.number - 1] |= {"state": "closed", "title": superseded("t")}
        return replace(facts, said=replace(said, older=None))
    if decision.act is Act.OPEN:
        host.requests.append({"of": wanted, "head": facts.change, "state": "open"})
    else:
        host.requests[decision.number - 1]["head"] = facts.change
    return replace(facts, said=replace(said, request=host.find(wanted)))


EVENTS = st.lists(
    st.tuples(st.sampled_from(["1", "2", "3", ""]), st.sampled_from(["at-1", "at-2"]), st.booleans()), max_size=12
)


@settings(max_examples=200)
@given(TARGETS, EVENTS)
def test_at_most_one_pull_request_is_open_and_under_supersede_it_is_of_the_newest_version(
    target: PromotionEnvironment, events: list[tuple[str, str, bool]]
) -> None:
    """Each event: the version that is to come (or none), the head of the base, and whether the source is Ready."""
    host = Host()
    known = EnvironmentState(name="production", state=PromotionState.WAITING)
    for version, change, ready in events:
        candidate = Candidate((ImageRef("shop", version),)) if version else Candidate()
        proven = NOW if ready else None
        facts = Facts(SOURCE, target, known, "c", proven, {}, candidate, "main", forge=True, change=change)
        state, acts = look(host, facts)
        assert len(acts) <= _MOST and len(set(acts)) == len(acts)
        assert len(host.open()) <= 1
        assert state.state is not PromotionState.REJECTED, "nobody but Dispatch closes them here"
        if target.in_flight.value == "Supersede" and ready and candidate and state.state is PromotionState.OPEN:
            assert host.open() == [candidate.id]
        if not state.number and state.state is not PromotionState.CURRENT:
            state = state.model_copy(update={"number": known.number, "proposed": known.proposed})
        known = state
