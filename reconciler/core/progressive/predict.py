"""What a change would do to the rollouts, before it is made: sentences for `dispatch diff`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reconciler.core.progressive.shaped import Shaped
from reconciler.core.progressive.template import read_mark, workload_of
from reconciler.core.progressive.weights import may_surge, share
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger
from reconciler.model.rollout import CANDIDATE, RolloutSeen
from reconciler.model.strategy import InFlight

_TEMPLATE = "/spec/template"
_STEPS = "/spec/strategy/canary/steps"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What happens to one Rollout. `carrier` is the object whose change it is about: the one with the pod template."""

    rollout: ObjectId
    carrier: ObjectId
    sentences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """One Rollout: the document that is wanted, what is live, and the paths of the fields that would change."""

    document: Mapping[str, Any]
    name: str
    digest: str
    seen: RolloutSeen | None
    live_digest: str
    changed: tuple[str, ...]

    @property
    def section(self) -> Mapping[str, Any]:
        """The canary of `spec.strategy`; empty for blue/green."""
        found = ((self.document.get("spec") or {}).get("strategy") or {}).get("canary")
        return found if isinstance(found, Mapping) else {}

    @property
    def steps(self) -> Sequence[Mapping[str, Any]]:
        return self.section.get("steps") or ()

    @property
    def new_template(self) -> bool:
        """The server says it by its dry-run; the mark says it where the template itself was never applied by us."""
        moved = any(path == _TEMPLATE or path.startswith(f"{_TEMPLATE}/") for path in self.changed)
        return moved or bool(self.live_digest and self.live_digest != self.digest)

    @property
    def new_steps(self) -> bool:
        return any(path == _STEPS or path.startswith(f"{_STEPS}/") for path in self.changed)


def predict(
    shaped: Shaped,
    live: Mapping[ObjectId, Mapping[str, Any]],
    seen: Mapping[ObjectId, RolloutSeen],
    changed: Mapping[ObjectId, Sequence[str]],
    ledger: Ledger,
    in_flight: InFlight,
) -> tuple[Prediction, ...]:
    """One for each Rollout of which something would change, or whose pod template would.

    `live` are the live documents and `seen` the live Rollouts, without those that are not there; `changed` are the
    paths of the fields that would change, as `core.diff` writes them, of each object that would. Identities are whole
    (with their namespace), and so are the documents of `shaped`: completed.
    """
    documents = {manifest.id: manifest.document for manifest in shaped.manifests}
    found = []
    for id in shaped.rollouts:
        document = documents[id]
        workload = workload_of(document, id.namespace)
        carrier = workload if workload is not None and workload in shaped.carriers else id
        told = tuple(changed.get(carrier, ())) + (tuple(changed.get(id, ())) if carrier != id else ())
        if not told and carrier in live and id in live:
            continue
        live_digest, _ = read_mark(_annotation(live.get(carrier, {})))
        case = _Case(document, carrier.name, shaped.carriers[carrier], seen.get(id), live_digest, told)
        found.append(Prediction(id, carrier, tuple(_sentences(case, ledger, in_flight, carrier in live))))
    return tuple(found)


def _sentences(case: _Case, ledger: Ledger, in_flight: InFlight, running: bool) -> Iterator[str]:
    if case.seen is None:
        yield from _first(case, running)
        return
    if not case.new_template:
        yield from _same_template(case, case.seen)
        return
    veto = ledger.vetoed(case.digest)
    if veto is not None:
        who = f" by {veto.by}" if veto.by else ""
        yield (
            f"is vetoed: aborted{who} at {veto.at:%Y-%m-%d %H:%M} because {veto.why.rstrip('.')}; it is not started "
            f"until somebody lifts the veto (`dispatch rollout retry`)"
        )
        return
    if case.seen.in_flight and _back(case, ledger):
        yield "returns to the stable version: steps are skipped"
        return
    if case.seen.in_flight and in_flight is not InFlight.SUPERSEDE:
        yield _waits(in_flight)
        return
    yield _starts(case, case.seen)
    yield from _shares(case)


def _first(case: _Case, running: bool) -> Iterator[str]:
    if running:
        yield (
            "a Rollout takes the running pods over, a few at a time: its first version is promoted at once, steps and "
            "analyses are skipped"
        )
    else:
        yield "first deployment: steps and analyses are skipped"
    yield from _shares(case)


def _same_template(case: _Case, seen: RolloutSeen) -> Iterator[str]:
    if not case.new_steps or seen.promoted:
        yield "no pod change: no rollout"
        return
    back = " and takes the abort back" if seen.aborted else ""
    yield f"the steps change: the controller starts again at the first step{back}"
    yield from _shares(case)


def _back(case: _Case, ledger: Ledger) -> bool:
    promoted = ledger.promoted
    return promoted is not None and promoted.templates.get(case.name) == case.digest


def _waits(in_flight: InFlight) -> str:
    if in_flight is InFlight.QUEUE:
        return "waits: a rollout is in flight (inFlight: Queue); it starts when that one has been promoted or aborted"
    return "waits: a rollout is in flight (inFlight: Block); it starts when somebody asks (dispatch sync)"


def _starts(case: _Case, seen: RolloutSeen) -> str:
    if not case.section:
        return "starts blue/green anew with another new version" if seen.in_flight else "starts a blue/green switch"
    count = f"{len(case.steps)} step{'' if len(case.steps) == 1 else 's'}"
    if seen.in_flight and seen.step is not None:
        here = min(seen.step + 1, seen.steps)
        return f"restarts the running canary at step 1 of {count}: it is at step {here} of {seen.steps}"
    return f"starts a canary of {count}"


def _shares(case: _Case) -> Iterator[str]:
    """What weights come to in whole pods, where that is not what they say."""
    replicas = (case.document.get("spec") or {}).get("replicas")
    if not isinstance(replicas, int) or case.section.get("trafficRouting"):
        return
    surge = may_surge(replicas, dict(case.section))
    weights = [step["setWeight"] for step in case.steps if isinstance(step.get("setWeight"), int)]
    for weight in dict.fromkeys(weights):
        pods = share(replicas, weight, surge)
        if pods.canary * 100 != weight * pods.total:
            yield f"{weight}% of {replicas} replicas is {pods.canary} of {pods.total} pods"


def _annotation(document: Mapping[str, Any]) -> str:
    return str(((document.get("metadata") or {}).get("annotations") or {}).get(CANDIDATE, ""))
