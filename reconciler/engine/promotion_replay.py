"""A Promotion looked at again, from files: what the controller would decide, and why. Nothing is asked or written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from reconciler.core.errand import of_promotion
from reconciler.core.promotion_decision import Act, Decision, decide, has_its_turn
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_replay import opens, recorded, said
from reconciler.engine import promotion_facts
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.engine.proposals import Place
from reconciler.engine.sources import Sources
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.promotion import EnvironmentState, Promotion, PromotionEnvironment, PromotionState
from reconciler.ports import Forecast, Gatekeeper, Renderer, Source


@dataclass(frozen=True, slots=True)
class Files:
    """What stands for the World: documents, and a clone as the one remote that there is."""

    source: Source
    renderer: Renderer
    catalog: Catalog
    sources: Sources


@dataclass(frozen=True, slots=True)
class Replayed:
    """One environment. `status` is what its status says, `opens` what would let it go on, `notes` what the files do not
    tell.
    """

    decision: Decision
    status: EnvironmentState
    opens: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """Who judges, and the time that it is."""

    judge: Gatekeeper
    forecast: Forecast
    now: datetime


def replay(files: Files, key: Key, rules: Rules) -> Iterator[Replayed]:
    """Each environment but the first. Raises Terminal(INVALID_SPEC) where the Promotion is not among the documents."""
    promotion = files.catalog.get(key)
    if not isinstance(promotion, Promotion):
        raise Terminal(
            Reason.INVALID_SPEC,
            f"the files have no Promotion {key.name!r} of namespace {key.namespace!r}: give `kubectl get promotion "
            f"{key.name} -n {key.namespace} -o yaml` with -f, and its applications and repository",
        )
    known = {each.name: each for each in promotion.status.environments}
    for source, target in zip(promotion.spec.environments, promotion.spec.environments[1:], strict=False):
        before = known.get(target.name, EnvironmentState(name=target.name, state=PromotionState.WAITING))
        try:
            yield _environment(files, key, rules, source, target, before, known.get(source.name))
        except StageError as error:
            state = EnvironmentState(name=target.name, state=PromotionState.FAILED, message=error.message)
            yield Replayed(Decision(Act.NONE, state), before)


def _environment(
    files: Files,
    key: Key,
    rules: Rules,
    source: PromotionEnvironment,
    target: PromotionEnvironment,
    known: EnvironmentState,
    before: EnvironmentState | None,
) -> Replayed:
    errand = of_promotion(key.namespace, key.name, target.name)
    origins, to = promotion_facts.ends(files, key.namespace, source, target)
    repository = files.catalog.repository(to.repository)
    forge = repository is not None and repository.spec.forge is not None
    facts = promotion_facts.gather(
        files, f"{key.namespace}/{key.name}", origins, to, source, target, known, forge, before, rules.now
    )
    if forge and has_its_turn(facts) and known.state is PromotionState.OPEN:
        facts = promotion_facts.first(files, origins, to, facts)
    if facts.candidate:
        facts = promotion_facts.made(files, errand, facts, to)
    head = to.seen.refs.get(f"refs/heads/{errand.branch(facts.candidate.id)}", "")
    told = said(facts, facts.change, head)
    facts = replace(promotion_facts.kept(files, facts, to, told.request), said=told)
    decision = decide(facts, recorded(rules.judge, facts, facts.change), rules.forecast, rules.now)
    return Replayed(decision, known, tuple(opens(facts, decision)), tuple(_notes(facts, to)))


def _notes(facts: Facts, to: Place) -> Iterator[str]:
    known, same = facts.known, facts.known.candidate == facts.candidate.id
    yield f"{to.base} is at {to.head[:10]} in the clone"
    if facts.candidate and known.candidate and not same:
        yield f"the status speaks of another version: {known.candidate}"
    elif same and known.head and known.head != facts.change:
        yield f"the status speaks of another commit, {known.head[:10]}: the clone is older or newer than the objects"
    if facts.forge and facts.candidate and not known.number:
        yield "the status names no pull request: whether there is one is not told offline"
