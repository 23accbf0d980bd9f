"""The way of one version into one environment, at one look: what is known is decided upon and done, until nothing is
left to do. What is decided is in `core/promotion_decision.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from reconciler.core.errand import Errand
from reconciler.core.promotion import superseded
from reconciler.core.promotion_decision import Act, Decision, decide
from reconciler.core.promotion_facts import Facts, Said
from reconciler.core.promotion_past import merged_since
from reconciler.engine import promotion_facts, promotion_story, proposals
from reconciler.engine.landing import landed, opinions
from reconciler.engine.proposals import Place
from reconciler.engine.queues import Queues
from reconciler.engine.world import World
from reconciler.model.outcome import Blocked, Transient
from reconciler.model.promotion import EnvironmentState, PromotionState
from reconciler.ports import CommitStatuses, Forecast, Forge, Gatekeeper, PullRequest

_STILL_LOOKING = 30.0
"""Seconds. A forge that only works out whether it can merge asks to wait for less than one whose rules forbid it."""

Told = dict[tuple[str, str, str], object]
"""(kind of errand, its document, environment) -> what its pull request was last told about. Of this process: after a
start each text is made once more, and written where it is another one."""


@dataclass(frozen=True, slots=True)
class Rules:
    """Who judges the gates, when they open, and what the pull request says."""

    judge: Gatekeeper
    forecast: Forecast
    text: Callable[[Facts, EnvironmentState], str]


class Walk:
    """What is asked and done, at one head of the environment's branch."""

    def __init__(self, world: World, queues: Queues, told: Told, errand: Errand, to: Place, rules: Rules) -> None:
        self._world, self._queues, self._told = world, queues, told
        self._errand, self._to, self._rules = errand, to, rules
        repository = world.catalog.repository(to.repository)
        remote = to.seen.remote
        self.forge: Forge | None = world.rolling.forge(repository, remote) if repository is not None else None
        self._statuses: CommitStatuses | None = (
            world.rolling.statuses(repository, remote) if repository is not None else None
        )

    def walk(self, facts: Facts) -> EnvironmentState:
        """The acts one after the other, each upon what the one before has changed; none comes twice. `facts` is what
        can be told without the forge.
        """
        ways: dict[Act, Callable[[Forge, Facts, Decision], Facts]] = {
            Act.ASK: self._ask,
            Act.CLOSE: self._close,
            Act.OPEN: self._open,
            Act.RENEW: self._renew,
        }
        decision = self._decide(facts)
        if decision.act is Act.ASK and self.forge is None:
            facts = replace(self._made(facts), said=Said())
            decision = self._decide(facts)
        while decision.act in ways and self.forge is not None:
            facts = ways[decision.act](self.forge, facts, decision)
            decision = self._decide(facts)
        return self._end(facts, decision)

    def _decide(self, facts: Facts) -> Decision:
        return decide(facts, self._rules.judge, self._rules.forecast, self._world.clock.now())

    def _ask(self, forge: Forge, facts: Facts, decision: Decision) -> Facts:
        """Makes the commit, and asks for all that is said of it and of what was proposed before."""
        known = facts.known
        if not facts.candidate:
            return self._with_landed(forge, replace(facts, said=Said(older=forge.read(known.number))))
        older = forge.read(known.number) if known.number and known.proposed not in ("", facts.candidate.id) else None
        facts = self._made(facts)
        said = Said(older=older, request=forge.find(self._branch(facts), self._to.base))
        facts = promotion_facts.kept(self._world, facts, self._to, said.request)
        # A cache that was deleted has not the commit that was made earlier.
        self._world.source.fetch(self._to.seen.remote, facts.change, self._to.seen.refs)
        return self._with_landed(forge, replace(facts, said=self._heard(forge, facts, said)))

    def _heard(self, forge: Forge, facts: Facts, said: Said) -> Said:
        """What is said of the pull request, where there is an open one and a gate asks for it."""
        request = said.request
        if request is None or request.state != "open":
            return said
        if request.head_commit != facts.change:
            return replace(said, foreign=not self._is_ours(request, facts.candidate.id))
        # Of this commit nothing is known at the forge before it is there.
        reviews, checks, teams = opinions(forge, self._statuses, facts.target, request)
        return replace(said, reviews=reviews, checks=checks, teams=teams)

    def _with_landed(self, forge: Forge, facts: Facts) -> Facts:
        """With what is said of a pull request that was merged since the last look."""
        request = merged_since(facts)
        found = landed(self._world, self._to, forge, self._statuses, facts, request) if request is not None else None
        return replace(facts, said=replace(facts.said or Said(), landed=found))

    def _close(self, forge: Forge, facts: Facts, decision: Decision) -> Facts:
        said = facts.said or Said()
        older, request = said.older, said.request
        if older is not None and older.number == decision.number:
            forge.close(decision.number, superseded(older.title))
            return replace(facts, said=replace(said, older=None))
        if request is None:
            return facts
        forge.close(decision.number, superseded(request.title))
        gone = request._replace(state="closed", title=superseded(request.title))
        return replace(facts, said=replace(said, request=gone))

    def _open(self, forge: Forge, facts: Facts, decision: Decision) -> Facts:
        branch = self._branch(facts)
        self._write_branch(facts, self._to.seen.refs.get(f"refs/heads/{branch}"))
        title = promotion_story.title(self._world, self._to, facts.change)
        text = self._rules.text(facts, decision.state)
        request = forge.open(branch, self._to.base, title, text)._replace(head_commit=facts.change)
        return replace(facts, said=self._heard(forge, facts, replace(facts.said or Said(), request=request)))

    def _renew(self, forge: Forge, facts: Facts, decision: Decision) -> Facts:
        """The branch anew upon a base that has moved."""
        said = facts.said or Said()
        if said.request is None:
            return facts
        self._write_branch(facts, said.request.head_commit)
        request = said.request._replace(head_commit=facts.change)
        return replace(facts, said=self._heard(forge, facts, replace(said, request=request)))

    def _end(self, facts: Facts, decision: Decision) -> EnvironmentState:
        state = decision.state.model_copy(update={"proven": facts.ready_since})
        if facts.behind and state.state is PromotionState.OPEN:
            words = f"{state.message}; {facts.behind} waits until {state.pull_request} is merged or closed"
            state = state.model_copy(update={"message": words})
        decision = replace(decision, state=state)
        if self.forge is not None and state.head and facts.change:
            self._tell(self.forge, facts, state)
        if decision.act is Act.PUSH:
            return self._push(facts, state)
        if decision.act is Act.MERGE and self.forge is not None:
            return self._merge(self.forge, facts, decision)
        if state.state is PromotionState.MERGED:
            self._queues.add(self._to.repository)
        return state

    def _tell(self, forge: Forge, facts: Facts, state: EnvironmentState) -> None:
        """The pull request says what its gates say, and what it would do: in its text, and as commit statuses."""
        rollouts = tuple(
            (each.object, each.phase, each.step)
            for application in self._to.applications
            for each in application.status.rollouts
        )
        news = (state.gates, state.head, state.earliest, rollouts)
        told = (self._errand.trailer, self._errand.owner, state.name)
        if self._told.get(told) == news:
            return
        title = promotion_story.title(self._world, self._to, facts.change)
        forge.update(state.number, title, self._rules.text(facts, state))
        if self._statuses is not None:
            promotion_story.say(self._statuses, facts.change, state.gates)
        self._told[told] = news

    def _push(self, facts: Facts, state: EnvironmentState) -> EnvironmentState:
        change, to = facts.change, self._to
        self._world.source.push(to.seen.remote, change, f"refs/heads/{to.base}", to.head)
        self._moved()
        return state.model_copy(update={"message": f"pushed {change[:10]} to {to.base}"})

    def _merge(self, forge: Forge, facts: Facts, decision: Decision) -> EnvironmentState:
        message = self._world.source.message(self._to.seen.remote, facts.change)
        try:
            forge.merge(decision.number, facts.change, message)
        except (Blocked, Transient) as waits:
            if isinstance(waits, Blocked) and waits.wait > _STILL_LOOKING and facts.upon != self._to.head:
                # A forge can be told to merge only what is upon the newest base.
                self._write_branch(self._made(facts), facts.change)
            return decision.state.model_copy(update={"state": PromotionState.OPEN, "message": waits.message})
        self._moved()
        return decision.state

    def _moved(self) -> None:
        """The base is another one now: it is to be read again."""
        key = self._to.repository
        self._world.sources.doubt(key, f"refs/heads/{self._to.base}", self._to.head)
        self._queues.add(key)

    def _is_ours(self, request: PullRequest, candidate: str) -> bool:
        return proposals.made_here(self._world, self._to, request.head_commit, self._errand, candidate)

    def _made(self, facts: Facts) -> Facts:
        return promotion_facts.made(self._world, self._errand, facts, self._to)

    def _write_branch(self, facts: Facts, expected: str | None) -> None:
        ref = f"refs/heads/{self._branch(facts)}"
        self._world.source.push(self._to.seen.remote, facts.change, ref, expected)

    def _branch(self, facts: Facts) -> str:
        return self._errand.branch(facts.candidate.id)
