"""What `dispatch diff` says about rollouts before a change is made."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from reconciler.core.progressive.predict import Prediction, predict
from reconciler.core.progressive.shaped import Shaped
from reconciler.model.identity import ObjectId
from reconciler.model.ledger import Ledger, Promoted, Veto
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.rollout import CANDIDATE, Phase, RolloutSeen
from reconciler.model.strategy import InFlight

WEB = ObjectId("apps", "Deployment", "shop", "web")
ROLLOUT = ObjectId("argoproj.io", "Rollout", "shop", "web")
AT = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
IMAGE = "/spec/template/spec/containers/[name=web]/image"
STEPS = "/spec/strategy/canary/steps/0/setWeight"
FOUR = [{"setWeight": 25}, {"pause": {}}, {"setWeight": 50}, {"pause": {}}]


def wanted(replicas: int = 4, **canary: Any) -> Shaped:
    return _shaped(replicas, {"canary": {"steps": FOUR, **canary}})


def _shaped(replicas: int, strategy: dict[str, Any]) -> Shaped:
    workload = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    spec = {"replicas": replicas, "workloadRef": workload, "strategy": strategy}
    metadata = {"name": "web", "namespace": "shop"}
    documents = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": {}},
        {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": metadata, "spec": spec},
    ]
    manifests = tuple(Manifest(document, Origin("web.yaml", 1)) for document in documents)
    return Shaped(manifests, carriers={WEB: "new"}, rollouts=(ROLLOUT,))


def running(stable: str = "h1", current: str = "h1", **more: Any) -> RolloutSeen:
    return RolloutSeen(
        ROLLOUT,
        "u",
        "canary",
        observed=True,
        phase=Phase.PROGRESSING,
        message="",
        pod_hash=current,
        stable_hash=stable,
        steps=4,
        **more,
    )


def predicted(
    *changed: str,
    seen: RolloutSeen | None = None,
    shaped: Shaped | None = None,
    ledger: Ledger | None = None,
    in_flight: InFlight = InFlight.QUEUE,
    mark: str = "old.c1",
    deployed: bool = True,
) -> list[str]:
    live: dict[ObjectId, dict[str, Any]] = {}
    if deployed:
        live[WEB] = {"metadata": {"annotations": {CANDIDATE: mark} if mark else {}}}
    if seen is not None:
        live[ROLLOUT] = {"metadata": {}}
    paths: dict[ObjectId, list[str]] = {}
    for path in changed:
        paths.setdefault(ROLLOUT if path.startswith("/spec/strategy") else WEB, []).append(path)
    found = predict(shaped or wanted(), live, {ROLLOUT: seen} if seen else {}, paths, ledger or Ledger(), in_flight)
    return [sentence for prediction in found for sentence in prediction.sentences]


def test_nothing_is_said_about_what_does_not_change() -> None:
    assert predicted(seen=running()) == []


def test_a_new_template_starts_a_canary() -> None:
    assert predicted(IMAGE, seen=running()) == ["starts a canary of 4 steps"]


def test_it_is_said_at_the_object_with_the_template() -> None:
    live: dict[ObjectId, dict[str, Any]] = {WEB: {"metadata": {}}, ROLLOUT: {"metadata": {}}}
    found = predict(wanted(), live, {ROLLOUT: running()}, {WEB: [IMAGE]}, Ledger(), InFlight.QUEUE)
    assert found == (Prediction(ROLLOUT, WEB, ("starts a canary of 4 steps",)),)


def test_a_new_template_starts_a_switch() -> None:
    blue_green = _shaped(3, {"blueGreen": {}})
    assert predicted(IMAGE, seen=running(), shaped=blue_green) == ["starts a blue/green switch"]


def test_another_field_starts_nothing() -> None:
    for path in ("/metadata/labels/team", "/spec/minReadySeconds", "/spec/templates", STEPS):
        assert predicted(path, seen=running(), mark="new.c1") == ["no pod change: no rollout"]


def test_a_new_template_in_the_middle_waits_or_restarts() -> None:
    middle = running(current="h2", step=2)
    assert predicted(IMAGE, seen=middle) == [
        "waits: a rollout is in flight (inFlight: Queue); it starts when that one has been promoted or aborted"
    ]
    assert predicted(IMAGE, seen=middle, in_flight=InFlight.BLOCK) == [
        "waits: a rollout is in flight (inFlight: Block); it starts when somebody asks (dispatch sync)"
    ]
    assert predicted(IMAGE, seen=middle, in_flight=InFlight.SUPERSEDE) == [
        "restarts the running canary at step 1 of 4 steps: it is at step 3 of 4"
    ]


def test_new_steps_in_the_middle_start_again_and_take_back_an_abort() -> None:
    first = "the steps change: the controller starts again at the first step"
    assert predicted(STEPS, seen=running(current="h2", step=2), mark="new.c1") == [first]
    aborted = running(current="h2", step=0, aborted=True)
    assert predicted(STEPS, seen=aborted, mark="new.c1") == [f"{first} and takes the abort back"]


def test_the_way_back_is_held_up_by_nothing() -> None:
    ledger = Ledger(promoted=Promoted("c0", {"web": "new"}, AT))
    for policy in InFlight:
        told = predicted(IMAGE, seen=running(current="h2", step=2), ledger=ledger, in_flight=policy)
        assert told == ["returns to the stable version: steps are skipped"]
    assert predicted(IMAGE, seen=running(), ledger=ledger) == ["starts a canary of 4 steps"]


def test_a_vetoed_version_says_who_when_and_why() -> None:
    ledger = Ledger(vetoes=(Veto("new", (), "c2", "errors rose over 0.05.", "ann", AT),))
    (told,) = predicted(IMAGE, seen=running(), ledger=ledger)
    assert told.startswith("is vetoed: aborted by ann at 2026-11-26 09:30 because errors rose over 0.05; ")


def test_a_first_deployment_skips_the_steps() -> None:
    assert predicted(deployed=False) == ["first deployment: steps and analyses are skipped"]


def test_a_running_deployment_is_taken_over() -> None:
    (told,) = predicted("/metadata/annotations", mark="")
    assert told.startswith("a Rollout takes the running pods over")


@pytest.mark.parametrize(
    ("replicas", "canary", "expected"),
    [
        (3, {"steps": [{"setWeight": 5}]}, ["5% of 3 replicas is 1 of 4 pods"]),
        (3, {"steps": [{"setWeight": 5}], "maxSurge": 0}, ["5% of 3 replicas is 1 of 3 pods"]),
        (4, {"steps": [{"setWeight": 25}]}, []),
        (3, {"steps": [{"setWeight": 5}], "trafficRouting": {"nginx": {}}}, []),
        (3, {"steps": [{"setWeight": 5}, {"pause": {}}, {"setWeight": 5}]}, ["5% of 3 replicas is 1 of 4 pods"]),
    ],
)
def test_weights_that_whole_pods_cannot_make_are_told(
    replicas: int, canary: dict[str, Any], expected: list[str]
) -> None:
    told = predicted(IMAGE, seen=running(), shaped=wanted(replicas, **canary))
    assert told[1:] == expected
