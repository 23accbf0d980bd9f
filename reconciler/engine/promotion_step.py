"""One environment of a Promotion, at one look: what is to come, and how far it may go now."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from reconciler.core.conditions import is_ready
from reconciler.core.promotion import Candidate, branch_of, images_of, is_ours
from reconciler.core.promotion_text import Story, body
from reconciler.engine import proposals
from reconciler.engine.keys import Key
from reconciler.engine.proposals import Place
from reconciler.engine.queues import Queues
from reconciler.engine.stages.fetch import repository_of
from reconciler.engine.world import World
from reconciler.model.application import Application
from reconciler.model.outcome import Blocked, Reason, Terminal, Transient
from reconciler.model.promotion import EnvironmentState, GateState, PromotionEnvironment, PromotionState
from reconciler.model.rollout import Verdict
from reconciler.model.strategy import InFlight, MergePolicy
from reconciler.ports import CommitStatuses, Forge, Proof, PullRequest


class Step:
    """One environment, at one look."""

    def __init__(
        self,
        world: World,
        queues: Queues,
        key: Key,
        source: PromotionEnvironment,
        target: PromotionEnvironment,
        known: EnvironmentState,
    ) -> None:
        self._world, self._queues, self._key = world, queues, key
        self._source, self._target, self._known = source, target, known

    def take(self) -> EnvironmentState:
        source, target = self._application(self._source), self._application(self._target)
        if repository_of(source) != repository_of(target):
            raise Terminal(
                Reason.INVALID_SPEC,
                f"{source.metadata.name} and {target.metadata.name} read two Repositories: both must be in one",
            )
        to = proposals.place(self._world, target)
        commit = _applied(source)
        if not commit:
            return self._state(PromotionState.WAITING, f"{source.metadata.name} has deployed nothing yet")
        found = proposals.candidate(self._world, self._target, source, commit, to)
        if not found:
            self._withdraw(target, to)
            return self._state(PromotionState.CURRENT, f"has what {self._source.name} runs")
        return self._propose(source, target, to, commit, found)

    def _propose(
        self, source: Application, target: Application, to: Place, commit: str, found: Candidate
    ) -> EnvironmentState:
        since = _ready_since(source)
        gates = self._gates(Proof(since))
        base = EnvironmentState(
            name=self._target.name,
            state=PromotionState.WAITING,
            candidate=found.id,
            images=tuple(map(str, found.images)),
            source=commit,
            gates=gates,
        )
        if (vetoed := _vetoed(target, found)) is not None:
            return base.model_copy(update={"state": PromotionState.FAILED, "message": vetoed})
        if since is None:
            return base.model_copy(update={"message": f"{source.metadata.name} is not Ready: nothing is proven there"})
        change = proposals.commit(self._world, self._name, self._target.name, found, commit, to)
        forge = self._forge(target, to)
        if forge is None:
            return self._push(base, to, change)
        return self._by_pull_request(base, source, to, change, forge, found)

    def _push(self, base: EnvironmentState, to: Place, change: str) -> EnvironmentState:
        """Without a forge nobody can look at it before: only the gates stand in the way."""
        if closed := _closed(base.gates):
            return base.model_copy(update={"message": closed})
        self._world.source.push(to.seen.remote, change, f"refs/heads/{to.base}", to.head)
        self._queues.add(repository_of(to.application))
        return base.model_copy(update={"state": PromotionState.MERGED, "message": f"pushed {change[:10]} to {to.base}"})

    def _by_pull_request(
        self, base: EnvironmentState, source: Application, to: Place, change: str, forge: Forge, found: Candidate
    ) -> EnvironmentState:
        if (older := self._older(base, forge)) is not None:
            return older
        branch = branch_of(self._key.namespace, self._key.name, self._target.name, found.id)
        request = forge.find(branch, to.base)
        if request is None:
            self._write_branch(to, change, branch, to.seen.refs.get(f"refs/heads/{branch}"))
            request = forge.open(branch, to.base, self._title(to, change), self._body(base, source, to, change, found))
        elif request.state == "open" and request.head_commit != change:
            foreign = self._bring_up_to_date(to, change, branch, request, found)
            if foreign:
                return _of(base, request, PromotionState.OPEN, foreign)
        if request.state == "closed":
            words = f"{request.url} was closed without a merge: this version is not proposed again"
            return _of(base, request, PromotionState.REJECTED, words)
        if request.state == "merged":
            self._queues.add(repository_of(to.application))
            return _of(base, request, PromotionState.MERGED, f"{request.url} is merged")
        return self._merge(self._judged(base, source, to, change, forge, request, found), to, change, forge, request)

    def _judged(
        self,
        base: EnvironmentState,
        source: Application,
        to: Place,
        change: str,
        forge: Forge,
        request: PullRequest,
        found: Candidate,
    ) -> EnvironmentState:
        """The gates with what is said of the pull request, told there as well: in its text, and as commit statuses."""
        statuses = self._statuses(to)
        asked = {name for gate in self._target.gates for name in ("approvals", "checks") if getattr(gate, name)}
        proof = Proof(
            ready_since=_ready_since(source),
            reviews=forge.reviews(request.number) if "approvals" in asked else None,
            checks=statuses.read(change) if "checks" in asked and statuses is not None else None,
            head=change,
            author=request.author,
        )
        judged = base.model_copy(update={"gates": self._gates(proof), "head": change})
        if (judged.gates, judged.head) != (self._known.gates, self._known.head):
            forge.update(request.number, self._title(to, change), self._body(judged, source, to, change, found))
            if statuses is not None:
                _say(statuses, change, judged.gates)
        return judged

    def _merge(
        self, base: EnvironmentState, to: Place, change: str, forge: Forge, request: PullRequest
    ) -> EnvironmentState:
        if closed := _closed(base.gates):
            return _of(base, request, PromotionState.OPEN, closed)
        if self._target.merge is MergePolicy.MANUAL:
            words = f"all gates are open: {request.url} waits for a person to merge it"
            return _of(base, request, PromotionState.OPEN, words)
        try:
            forge.merge(request.number, change, self._world.source.message(to.seen.remote, change))
        except (Blocked, Transient) as waits:
            return _of(base, request, PromotionState.OPEN, waits.message)
        self._queues.add(repository_of(to.application))
        return _of(base, request, PromotionState.MERGED, f"{request.url} is merged")

    def _older(self, base: EnvironmentState, forge: Forge) -> EnvironmentState | None:
        """An open pull request of an older version: closed where a newer one supersedes it, else it keeps its turn."""
        known = self._known
        if not known.number or known.proposed in ("", base.candidate):
            return None
        request = forge.read(known.number)
        if request.state != "open":
            return None
        if self._target.in_flight is InFlight.SUPERSEDE:
            forge.close(known.number)
            return None
        words = f"{base.candidate} waits until {request.url} is merged or closed"
        return known.model_copy(update={"message": words})

    def _withdraw(self, target: Application, to: Place) -> None:
        """The environment before runs again what this one has: what was proposed meanwhile nobody wants any more."""
        known = self._known
        if not known.number or self._target.in_flight is not InFlight.SUPERSEDE:
            return
        forge = self._forge(target, to)
        if forge is not None and forge.read(known.number).state == "open":
            forge.close(known.number)

    def _bring_up_to_date(self, to: Place, change: str, branch: str, request: PullRequest, found: Candidate) -> str:
        """The branch anew upon a base that has moved; empty, or why it is left as it is."""
        self._world.source.fetch(to.seen.remote, request.head_commit, to.seen.refs)
        if not is_ours(self._world.source.message(to.seen.remote, request.head_commit), self._name, found.id):
            return f"somebody wrote to the branch of {request.url}: Dispatch does not merge what it did not make"
        self._write_branch(to, change, branch, request.head_commit)
        return ""

    def _write_branch(self, to: Place, change: str, branch: str, expected: str | None) -> None:
        self._world.source.push(to.seen.remote, change, f"refs/heads/{branch}", expected)

    def _title(self, to: Place, change: str) -> str:
        return self._world.source.message(to.seen.remote, change).partition("\n")[0]

    def _body(self, base: EnvironmentState, source: Application, to: Place, change: str, found: Candidate) -> str:
        after = proposals.objects(self._world, to.application, self._world.source.tree(to.seen.remote, change))
        story = Story(
            source=self._source.name,
            target=self._target.name,
            commit=base.source,
            subject=self._world.source.subject(to.seen.remote, base.source),
            running=images_of(each.document for each in to.before),
            coming=found.images,
            files=[*found.files],
            gates=base.gates,
        )
        return body(story, to.before, after)

    def _gates(self, proof: Proof) -> tuple[GateState, ...]:
        now = self._world.clock.now()
        judged = [self._world.rolling.gatekeeper(gate, proof, now) for gate in self._target.gates]
        return tuple(GateState(gate=name, verdict=verdict.value, evidence=why) for name, verdict, why in judged)

    def _application(self, environment: PromotionEnvironment) -> Application:
        found = self._world.catalog.application(Key("Application", self._key.namespace, environment.application))
        if found is None:
            raise Terminal(
                Reason.INVALID_SPEC,
                f"there is no Application {environment.application!r} in namespace {self._key.namespace!r}: create it, "
                "or mend spec.environments",
            )
        return found

    def _forge(self, target: Application, to: Place) -> Forge | None:
        repository = self._world.catalog.repository(repository_of(target))
        return self._world.rolling.forge(repository, to.seen.remote) if repository is not None else None

    def _statuses(self, to: Place) -> CommitStatuses | None:
        repository = self._world.catalog.repository(repository_of(to.application))
        return self._world.rolling.statuses(repository, to.seen.remote) if repository is not None else None

    def _state(self, state: PromotionState, words: str) -> EnvironmentState:
        return EnvironmentState(name=self._target.name, state=state, message=words)

    @property
    def _name(self) -> str:
        return f"{self._key.namespace}/{self._key.name}"


def _say(statuses: CommitStatuses, commit: str, gates: Sequence[GateState]) -> None:
    """A commit status for each gate: a forge's branch protection may ask for it."""
    for gate in gates:
        state = "success" if gate.verdict == Verdict.PASS.value else "pending"
        statuses.set(commit, f"dispatch/{gate.gate}", state, gate.evidence)


def _applied(application: Application) -> str:
    applied = application.status.applied
    return applied.revision.rpartition(":")[2] if applied is not None else ""


def _ready_since(application: Application) -> datetime | None:
    """Since when it is Ready with what it has applied; None while it is not."""
    status = application.status
    if not is_ready(status.conditions, application.metadata.generation) or status.applied is None:
        return None
    ready = next((each.last_transition_time for each in status.conditions if each.type == "Ready"), None)
    return max(ready, status.applied.at) if ready is not None else None


def _vetoed(target: Application, found: Candidate) -> str | None:
    """An image that was aborted in the environment does not come again under another tag."""
    for veto in target.status.vetoes:
        digests = {image.rpartition("@")[2] for image in veto.images if "@" in image}
        for ref in found.images:
            if str(ref) in veto.images or (ref.digest and ref.digest in digests):
                return (
                    f"{ref} was aborted in {target.metadata.name} ({veto.why}): `dispatch rollout retry` lifts the veto"
                )
    return None


def _closed(gates: Sequence[GateState]) -> str:
    """Why the gates are not open; empty when they are."""
    waiting = [f"{gate.gate}: {gate.evidence}" for gate in gates if gate.verdict != Verdict.PASS.value]
    return "; ".join(waiting)


def _of(base: EnvironmentState, request: PullRequest, state: PromotionState, words: str) -> EnvironmentState:
    """The state with its pull request."""
    return base.model_copy(
        update={
            "state": state,
            "pull_request": request.url,
            "number": request.number,
            "proposed": base.candidate,
            "message": words,
        }
    )
