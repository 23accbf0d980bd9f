"""One environment of a Promotion, at one look: what is known is gathered, and the version goes as far as it may."""

from __future__ import annotations

from dataclasses import replace

from reconciler.core.errand import of_promotion
from reconciler.core.promotion_decision import has_its_turn
from reconciler.core.promotion_facts import Facts
from reconciler.engine import promotion_facts, promotion_story
from reconciler.engine.keys import Key
from reconciler.engine.measuring import measured
from reconciler.engine.promotion_story import Road
from reconciler.engine.promotion_walk import Rules, Told, Walk
from reconciler.engine.queues import Queues
from reconciler.engine.world import World
from reconciler.model.promotion import EnvironmentState, PromotionEnvironment, PromotionState
from reconciler.ports import Forge


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
        told: Told,
        before: EnvironmentState | None,
    ) -> None:
        """`before` is the state of the environment before; None where that is the first one."""
        self._world, self._queues, self._key = world, queues, key
        self._source, self._target, self._known = source, target, known
        self._told, self._before = told, before

    def take(self) -> EnvironmentState:
        origins, to = promotion_facts.ends(self._world, self._key.namespace, self._source, self._target)
        if self._known.state is PromotionState.MERGED and self._world.sources.doubted(to.repository):
            # The next version is not proposed upon a base that has just moved.
            return self._known
        road = Road(f"{self._key.namespace}/{self._key.name}", origins, to)
        rolling = self._world.rolling
        rules = Rules(
            rolling.gatekeeper,
            rolling.forecast,
            lambda facts, state: promotion_story.text(self._world, road, facts, state),
        )
        errand = of_promotion(self._key.namespace, self._key.name, self._target.name)
        walk = Walk(self._world, self._queues, self._told, errand, to, rules)
        return walk.walk(self._in_turn(walk.forge, road, self._facts(road, walk.forge is not None)))

    def _facts(self, road: Road, forge: bool) -> Facts:
        """What can be told without the forge."""
        world, ends = self._world, (self._source, self._target)
        facts = promotion_facts.gather(
            world, road.promotion, road.origins, road.to, *ends, self._known, forge, self._before, world.clock.now()
        )
        # Where nothing is to come no metric is asked.
        numbers = measured(world.rolling, self._target.gates) if facts.candidate else {}
        return replace(facts, measured=numbers)

    def _in_turn(self, forge: Forge | None, road: Road, facts: Facts) -> Facts:
        """Of two versions the one that came first, where it has its turn."""
        if forge is None or not has_its_turn(facts) or forge.read(facts.known.number).state != "open":
            return facts
        return promotion_facts.first(self._world, road.origins, road.to, facts)
