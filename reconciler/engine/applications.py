"""One reconcile of an Application: the road of one commit, read from top to bottom."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from reconciler.core.applyset import additional_namespaces, applyset_id, parent_annotations, parent_labels
from reconciler.core.conditions import is_ready
from reconciler.core.desired import Wanted
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT
from reconciler.core.refusals import explain
from reconciler.engine.keys import Key
from reconciler.engine.memory import Memory
from reconciler.engine.progress import Progress
from reconciler.engine.report import Reporter
from reconciler.engine.stages.admit import choose, record
from reconciler.engine.stages.apply import apply, correct
from reconciler.engine.stages.compare import compare
from reconciler.engine.stages.fetch import SYNC, fetch, subject
from reconciler.engine.stages.observe import observe, settled, unready
from reconciler.engine.stages.prune import FINALIZER, contained, empty, places, plan_prune, prune, release
from reconciler.engine.stages.render import Goal, render
from reconciler.engine.stages.roll import roll
from reconciler.engine.stages.sweep import sweep
from reconciler.engine.stages.undo import undo
from reconciler.engine.stages.versions import write_down
from reconciler.engine.world import World
from reconciler.model.application import Application, DriftIgnore, SyncMode
from reconciler.model.change import Refusal, Resource
from reconciler.model.identity import GroupKind, ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Blocked, Reason, StageError, Terminal, Transient

_FIRST_LIST = 30.0
_DEPENDENCY_WAIT = 60.0


def leaving_alone(application: Application, ignore: Sequence[DriftIgnore]) -> Application:
    """The Application with more fields that are somebody else's than its spec names."""
    if not ignore:
        return application
    drift = application.spec.drift
    drift = drift.model_copy(update={"ignore": (*drift.ignore, *ignore)})
    return application.model_copy(update={"spec": application.spec.model_copy(update={"drift": drift})})


def needed(application: Application) -> list[GroupKind]:
    """The kinds that must be watched before anything is decided: what the set holds, and what a strategy asks about."""
    kinds = {*contained(application)}
    if application.spec.strategy.progressive is not None or ROLLOUT in kinds:
        kinds |= {DEPLOYMENT, ROLLOUT}
    return sorted(kinds)


class Applications:
    """Level-based: a call reads the Application and the world again, whatever woke it."""

    def __init__(self, world: World, reporter: Reporter) -> None:
        self._world = world
        self._reporter = reporter
        self._memories: dict[Key, Memory] = {}

    def reconcile(self, key: Key) -> None:
        progress = Progress(key)
        memory = self._memories.setdefault(key, Memory())
        error: StageError | None = None
        try:
            application = self._world.catalog.application(key)
            if application is None:
                self._memories.pop(key, None)
                return
            progress.generation = application.metadata.generation
            progress.token = application.metadata.annotations.get(SYNC, "")
            progress.asked = progress.token != application.status.handled_sync
            progress.write = progress.asked or application.spec.sync.mode is SyncMode.AUTOMATIC
            if application.metadata.deletion_timestamp is not None:
                self._delete(application, progress)
            else:
                self._road(application, memory, progress)
        except StageError as problem:
            error = problem
        self._reporter.settle(progress, memory, error)

    def _road(self, application: Application, memory: Memory, progress: Progress) -> None:
        world = self._world
        with progress.during("fetch"):
            self._require_dependencies(application)
            progress.target, tree = fetch(world, application)
        with progress.during("plan"):
            self._follow(places(world, application, needed(application)))
        with progress.during("render"):
            proposed = memory.proposed = render(world, application, tree, progress.target.commit, memory.proposed)
        with progress.during("plan"):
            admitted = choose(world, application, memory, progress, progress.target, proposed)
            progress.admission, progress.revision = admitted.admission, admitted.revision
            goal = memory.goal = admitted.goal
            progress.rendered, progress.objects = goal.rendered, len(goal.wanted)
        for position, stage in enumerate(goal.stages):
            behind = unready(world, goal.stages[:position])
            if behind and not settled(world, stage):
                progress.waiting_for = behind
                break
            self._stage(application, memory, progress, goal, stage)
        else:
            self._prune(application, goal, progress)
            progress.compared = True
            progress.complete = not progress.pending
            if progress.complete:
                memory.applied = {wanted.id: wanted.digest for wanted in goal.wanted}
        with progress.during("observe"):
            progress.health = observe(world, goal)
            if progress.wrote:
                progress.subject = subject(world, application, progress.revision)
        if goal.rollouts:
            with progress.during("roll"):
                roll(world, application, goal, progress)
                write_down(world, application, goal, memory, progress)
                undo(world, application, proposed, memory, progress)
                sweep(world, progress)

    def _stage(
        self, application: Application, memory: Memory, progress: Progress, goal: Goal, stage: Sequence[Wanted]
    ) -> None:
        with progress.during("plan"):
            self._follow([(wanted.resource, wanted.id.namespace) for wanted in stage])
            comparison = compare(self._world, leaving_alone(application, goal.ignore), memory, stage)
        if not progress.write:
            progress.pending.extend(change.id for _, change in comparison.changes)
            progress.drift.extend(drift for _, _, drifts in comparison.drifted for drift in drifts)
            return
        with progress.during("apply"):
            if comparison.changes or comparison.drifted:
                self._announce(application, {wanted.id for wanted in stage})
                if goal.carriers and progress.revision is not None:
                    record(self._world, application, progress.key, progress.revision.commit)
            apply(self._world, memory, progress, goal, comparison)
            correct(self._world, application.spec.drift, memory, progress, goal, comparison)

    def _prune(self, application: Application, goal: Goal, progress: Progress) -> None:
        with progress.during("prune"):
            applyset = applyset_id(application.metadata.name, application.metadata.namespace)
            application = self._world.catalog.application(progress.key) or application
            changes = plan_prune(self._world, application, applyset, {wanted.id for wanted in goal.wanted})
            if not progress.write:
                progress.pending.extend(change.id for change in changes)
                return
            prune(self._world, progress, changes)
            left = {wanted.id for wanted in goal.wanted} | {member.id for member in self._world.live.members(applyset)}
            if contained(application) - {id.group_kind for id in left}:
                self._announce(application, left, only=True)

    def _follow(self, wanted: Collection[tuple[Resource, str]]) -> None:
        """Make sure that the watches of these kinds have listed: what is not seen then is not there."""
        if not self._world.followers.ensure(wanted, within=_FIRST_LIST):
            raise Transient(Reason.CLUSTER_UNREACHABLE, "the API server has not listed the objects yet")

    def _announce(self, application: Application, members: set[ObjectId], only: bool = False) -> None:
        """Write the kinds of the set on its parent before the first object of a kind is applied (KEP-3659): whoever
        takes over finds every member, whatever happens to us.
        """
        current = self._world.catalog.application(_key(application)) or application
        have = current.metadata
        kinds = {id.group_kind for id in members}
        namespaces = {id.namespace for id in members}
        if not only:
            kinds |= contained(current)
            namespaces |= additional_namespaces(have.annotations)
        metadata = {
            "labels": parent_labels(have.name, have.namespace),
            "annotations": parent_annotations(kinds, namespaces, own=have.namespace),
        }
        if all(have.labels.get(k) == v for k, v in metadata["labels"].items()) and all(
            have.annotations.get(k) == v for k, v in metadata["annotations"].items()
        ):
            return
        resource = self._world.cluster.resource(application.api_version, application.kind)
        if resource is None:
            raise Terminal(Reason.UNKNOWN_KIND, "the kind Application is not served: run `dispatch install`")
        answer = self._world.cluster.patch(
            resource, application.metadata.namespace, application.metadata.name, {"metadata": metadata}
        )
        if isinstance(answer, Refusal):
            raise explain(answer, Manifest({}, Origin(str(_key(application)))), _id(application))
        self._world.catalog.observe(answer)

    def _require_dependencies(self, application: Application) -> None:
        """Raises Blocked while one is not Ready: its own reconcile wakes us when it is."""
        for name in application.spec.depends_on:
            key = Key("Application", application.metadata.namespace, name)
            try:
                other = self._world.catalog.application(key)
            except Terminal:
                other = None
            if other is None or not is_ready(other.status.conditions, other.metadata.generation):
                state = "does not exist" if other is None else f"is {other.status.health}"
                raise Blocked(
                    Reason.DEPENDENCY_NOT_READY, f"waiting for Application {name!r}, which {state}", _DEPENDENCY_WAIT
                )

    def _delete(self, application: Application, progress: Progress) -> None:
        if FINALIZER not in application.metadata.finalizers:
            return
        with progress.during("prune"):
            applyset = applyset_id(application.metadata.name, application.metadata.namespace)
            if empty(self._world, application, applyset, progress):
                release(self._world, application)
            else:
                progress.look_again = 2.0


def _key(application: Application) -> Key:
    return Key("Application", application.metadata.namespace, application.metadata.name)


def _id(application: Application) -> ObjectId:
    return ObjectId("dispatch.dev", "Application", application.metadata.namespace, application.metadata.name)
