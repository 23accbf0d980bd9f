"""One look at a Hotfix: into its environment, past the ones before, and then back to those."""

from __future__ import annotations

from collections.abc import Callable

from reconciler.core import hotfix
from reconciler.core.errand import Errand, of_hotfix, of_return
from reconciler.core.hotfix_text import lead, lead_back, worded
from reconciler.core.promotion import Candidate, images_of, labelled, same_images, together
from reconciler.core.promotion_facts import Facts
from reconciler.core.promotion_members import applied_commit
from reconciler.engine import promotion_facts, promotion_story, proposals
from reconciler.engine.keys import Key
from reconciler.engine.promotion_standing import stood
from reconciler.engine.promotion_walk import Rules, Told, Walk
from reconciler.engine.proposals import Member, Place
from reconciler.engine.queues import Queues
from reconciler.engine.world import World
from reconciler.model.hotfix import Hotfix, HotfixStatus
from reconciler.model.outcome import Reason, StageError, Terminal
from reconciler.model.promotion import EnvironmentState, Promotion, PromotionEnvironment, PromotionState
from reconciler.model.strategy import InFlight, MergePolicy

_EXPIRED = "Expired: "


class HotfixStep:
    """One Hotfix, at one look."""

    def __init__(self, world: World, queues: Queues, told: Told, fix: Hotfix) -> None:
        """Raises Terminal(INVALID_SPEC) for an environment that is none of the Promotion, or its first one."""
        self._world, self._queues, self._told, self._fix = world, queues, told, fix
        self._promotion = Key("Promotion", fix.metadata.namespace, fix.spec.promotion)
        self._before, self.target = self._environments()

    def take(self) -> HotfixStatus:
        """The status without its conditions."""
        known = self._fix.status
        state = known.target or EnvironmentState(name=self.target.name, state=PromotionState.WAITING)
        behind, back = known.behind, known.back
        if not hotfix.landed(self._fix):
            behind = tuple(sorted({*behind, *self._others()}))
            state = stood(self._world, state, self._into(state))
        if hotfix.has_landed(state):
            back = tuple(self._back(each, state) for each in self._before)
        found = {"expires": self._fix.expires, "target": state, "behind": behind, "back": back}
        return known.model_copy(update=found)

    def _environments(self) -> tuple[tuple[PromotionEnvironment, ...], PromotionEnvironment]:
        promotion, wanted = self._world.catalog.get(self._promotion), self._fix.spec.environment
        if not isinstance(promotion, Promotion):
            raise Terminal(
                Reason.INVALID_SPEC,
                f"there is no Promotion {self._promotion.name!r} in namespace {self._promotion.namespace!r}: "
                "create it, or bring another Hotfix",
            )
        names = [each.name for each in promotion.spec.environments]
        if wanted not in names[1:]:
            raise Terminal(
                Reason.INVALID_SPEC,
                f"Promotion {self._promotion.name} carries nothing to an environment {wanted!r}: it has "
                f"{', '.join(names[1:])}",
            )
        place = names.index(wanted)
        return promotion.spec.environments[:place], promotion.spec.environments[place]

    def _into(self, known: EnvironmentState) -> Callable[[], EnvironmentState]:
        """The way into its environment, where it is its turn and its time."""

        def taken() -> EnvironmentState:
            now, fix = self._world.clock.now(), self._fix
            first = hotfix.first(self._world.catalog.hotfixes_of(self._promotion), self.target.name, now)
            if first is not None and first.metadata.name != fix.metadata.name:
                words = f"Hotfix {first.metadata.name} goes first"
                return known.model_copy(update={"state": PromotionState.WAITING, "message": words})
            to = self._place(self.target)
            self._require_known(to)
            walk = self._walk(of_hotfix(fix), to, lead(fix, self.target, self._before), gated=True)
            found = self._facts(to, self.target, known, lambda running: hotfix.candidate(fix, running), walk)
            late = now >= fix.expires and known.state is not PromotionState.MERGED
            if late and (gone := self._expired(walk, found)) is not None:
                return gone
            return worded(fix, walk.walk(found), newer=False)

        return taken

    def _expired(self, walk: Walk, facts: Facts) -> EnvironmentState | None:
        """It is not merged any more; None where that has just been done."""
        request = None
        if walk.forge is not None and facts.candidate:
            request = walk.forge.find(of_hotfix(self._fix).branch(facts.candidate.id), facts.base)
        if request is not None and request.state == "merged":
            return None
        if request is not None and request.state == "open" and walk.forge is not None:
            walk.forge.close(request.number, f"{_EXPIRED}{request.title}")
        words = f"it was not merged until {self._fix.expires:%Y-%m-%d %H:%M} UTC: if it is still wanted, ask anew"
        return facts.known.model_copy(update={"state": PromotionState.EXPIRED, "message": words})

    def _back(self, before: PromotionEnvironment, landed: EnvironmentState) -> EnvironmentState:
        fix = self._fix
        waiting = EnvironmentState(name=before.name, state=PromotionState.WAITING)
        known = next((each for each in fix.status.back if each.name == before.name), waiting)
        if hotfix.came_back(known):
            return known
        # People look at it: nobody has tried it there.
        asked = before.model_copy(update={"gates": (), "merge": MergePolicy.MANUAL, "in_flight": InFlight.SUPERSEDE})

        def taken() -> EnvironmentState:
            to = self._place(before)
            walk = self._walk(of_return(fix, before), to, lead_back(fix, before), gated=False)
            found = self._facts(to, asked, known, lambda running: hotfix.carried_back(fix, running), walk)
            return worded(fix, walk.walk(found), newer=bool(found.candidate.left))

        return stood(self._world, known, taken)

    def _place(self, environment: PromotionEnvironment) -> Place:
        return promotion_facts.place(self._world, self._promotion.namespace, environment)

    def _walk(self, errand: Errand, to: Place, said: str, *, gated: bool) -> Walk:
        rolling = self._world.rolling
        judge, forecast = rolling.gatekeeper, rolling.forecast
        if gated:
            judge, forecast = hotfix.judging(self._fix, judge), hotfix.forecasting(self._fix, forecast)

        def text(facts: Facts, state: EnvironmentState) -> str:
            return promotion_story.led(self._world, to, facts, state, said)

        return Walk(self._world, self._queues, self._told, errand, to, Rules(judge, forecast, text))

    def _facts(
        self,
        to: Place,
        environment: PromotionEnvironment,
        known: EnvironmentState,
        part: Callable[[tuple[str, ...]], Candidate],
        walk: Walk,
    ) -> Facts:
        """It is proven by who asks for it: nothing has to run anywhere before."""
        return Facts(
            environment,
            # What is asked for now does not wait for what was asked for before.
            environment.model_copy(update={"in_flight": InFlight.SUPERSEDE}),
            known,
            applied=self._fix.metadata.name,
            ready_since=self._fix.metadata.creation_timestamp,
            vetoes={each.name: each.application.status.vetoes for each in to.members},
            candidate=together([(each.name, part(_running(each))) for each in to.members]),
            shared=self._shared(to),
            base=to.base,
            forge=walk.forge is not None,
        )

    def _shared(self, to: Place) -> tuple[str, ...]:
        """What of it the environment runs already."""
        both = [(each.name, same_images(self._fix.spec.images, _running(each))) for each in to.members]
        several = len(both) > 1
        return tuple(labelled(name, image) if several else image for name, images in both for image in images)

    def _others(self) -> set[str]:
        """What the environments before run of its images, in other versions: of their branches, and applied."""
        return {image for each in self._before for image in self._others_of(each)}

    def _others_of(self, environment: PromotionEnvironment) -> tuple[str, ...]:
        try:
            to = self._place(environment)
            running = {image for member in to.members for image in (*_running(member), *self._applied(to, member))}
        except StageError:
            # What cannot be read now is what was read before.
            return ()
        return hotfix.others(self._fix, sorted(running))

    def _applied(self, to: Place, member: Member) -> tuple[str, ...]:
        commit = applied_commit(member.application.status)
        if not commit:
            return ()
        tree = proposals.tree_at(self._world, to.seen, commit)
        return images_of(each.document for each in proposals.objects(self._world, member.application, tree))

    def _require_known(self, to: Place) -> None:
        running = sorted({image for member in to.members for image in _running(member)})
        if strange := hotfix.strange(self._fix, running):
            raise Terminal(
                Reason.INVALID_SPEC,
                f"{self.target.name} runs no version of {', '.join(strange)}: it runs {', '.join(running) or 'none'}. "
                "Bring another Hotfix",
            )


def _running(member: Member) -> tuple[str, ...]:
    return images_of(each.document for each in member.before)
