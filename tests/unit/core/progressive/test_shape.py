"""What is written for a strategy, and what is sent while the pods go from one to the other."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from reconciler.core.progressive.services import held
from reconciler.core.progressive.shape import Shaped, shape
from reconciler.core.progressive.template import template_digest
from reconciler.model.application import DriftIgnore
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Blocked, Reason, Terminal
from reconciler.model.rollout import CANDIDATE, DeploymentSeen, Phase, RolloutSeen
from reconciler.model.strategy import Strategy
from reconciler.ports import Making
from strategies.rollout import blue_green_section, canary_section

Document = dict[str, Any]
WAYS: dict[str, Any] = {"canary": canary_section, "blueGreen": blue_green_section}
CANARY: Document = {"canary": {"steps": [{"weight": 20}, {"pause": {}}, {"gate": {"approval": True}}]}}
BLUE_GREEN: Document = {"blueGreen": {"approval": True}}
BOTH = pytest.mark.parametrize("strategy", [CANARY, BLUE_GREEN], ids=["canary", "blue/green"])
WEB = ObjectId("apps", "Deployment", "shop", "web")
ROLLOUT = ObjectId("argoproj.io", "Rollout", "shop", "web")
KEEP_REPLICAS = DriftIgnore(kind="Deployment.apps", name="web", fields=("/spec/replicas",))
KEEP_ROLLOUTS_REPLICAS = DriftIgnore(kind="Rollout.argoproj.io", name="web", fields=("/spec/replicas",))


def deployment(name: str = "web", replicas: int | None = 3, **more: Any) -> Document:
    spec: Document = {
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "c:1"}]}},
        **more,
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def service(name: str = "web", selects: str = "web", **more: Any) -> Document:
    spec = {"selector": {"app": selects}, "ports": [{"port": 80, "nodePort": 30080}], **more}
    metadata = {"name": name, "labels": {"team": "a"}, "annotations": {"external-dns/hostname": "web.example"}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def rollout(**spec: Any) -> Document:
    document = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": "web"}}
    return {**document, "spec": {"strategy": {"canary": {"steps": []}}, "template": {"spec": {}}, **spec}}


def autoscaler(**target: Any) -> Document:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", **target}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web"},
        "spec": {"minReplicas": 2, "maxReplicas": 9, "scaleTargetRef": ref},
    }


def seen_deployment(replicas: int = 3, available: int | None = None, candidate: str = "") -> DeploymentSeen:
    up = replicas if available is None else available
    return DeploymentSeen(WEB, True, replicas, up, up, candidate)


def seen_rollout(available: int = 3, replicas: int = 3, strategy: str = "canary", **more: Any) -> RolloutSeen:
    given = {"observed": True, "stable_hash": "h1", "steps": 3, "workload": WEB, **more}
    return RolloutSeen(
        ROLLOUT,
        "u",
        strategy,
        phase=Phase.HEALTHY,
        message="",
        pod_hash="h1",
        replicas=replicas,
        available=available,
        **given,
    )


Live = dict[str, DeploymentSeen | RolloutSeen]


def shaped(
    documents: list[Document],
    strategy: Document | None = None,
    live: Live | None = None,
    commit: str = "c0ffee",
) -> Shaped:
    manifests = [Manifest(document, Origin("web.yaml", place + 1)) for place, document in enumerate(documents)]
    untouched = copy.deepcopy(documents)
    found = shape(
        manifests,
        Strategy.model_validate(strategy or {}),
        WAYS,
        lambda kind, namespace, name: (live or {}).get(kind) if (namespace, name) == ("shop", "web") else None,
        Making("shop", "", "http://dispatch/gates", prometheus="http://prometheus"),
        commit,
    )
    assert [manifest.document for manifest in manifests] == untouched
    return found


def objects(found: Shaped) -> dict[str, Document]:
    return {f"{each.kind}/{each.id.name}": each.document for each in found.manifests}


def refusal(documents: list[Document], strategy: Document) -> str:
    with pytest.raises(Terminal) as caught:
        shaped(documents, strategy)
    assert caught.value.reason is Reason.INVALID_SPEC
    return caught.value.message


@pytest.mark.parametrize("strategy", [{}, {"rolling": {}}], ids=["none", "rolling"])
def test_without_a_strategy_nothing_is_done(strategy: Document) -> None:
    documents = [deployment(), service(), autoscaler()]
    found = shaped(documents, strategy, {"Deployment": seen_deployment()})
    assert [each.document for each in found.manifests] == documents
    assert (found.ignore, found.carriers, found.rollouts, found.state) == ((), {}, (), "")


def test_a_deployment_gets_a_rollout_that_takes_its_template() -> None:
    given = deployment(minReadySeconds=5, revisionHistoryLimit=2)
    given["metadata"]["labels"] = {"team": "a"}
    strategy = {"canary": {**CANARY["canary"], "progressDeadline": "90s", "rollbackWindow": 3}}
    found = shaped([given, service()], strategy)
    made = objects(found)["Rollout/web"]
    assert made["metadata"] == {"name": "web", "namespace": "shop", "labels": {"team": "a"}}
    spec = {name: value for name, value in made["spec"].items() if name != "strategy"}
    assert spec == {
        "replicas": 3,
        "workloadRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web", "scaleDown": "progressively"},
        "minReadySeconds": 5,
        "revisionHistoryLimit": 2,
        "progressDeadlineSeconds": 90,
        "rollbackWindow": {"revisions": 3},
    }
    digest = template_digest(given)
    assert objects(found)["Deployment/web"]["metadata"]["annotations"] == {CANDIDATE: f"{digest}.c0ffee"}
    assert (found.carriers, found.rollouts) == ({WEB: digest}, (ROLLOUT,))
    assert {str(each.origin) for each in found.manifests if each.kind in ("Rollout", "AnalysisTemplate")} == {
        "web.yaml:1"
    }


def test_what_the_rollout_refers_to_stands_before_it_in_its_wave() -> None:
    given = deployment()
    given["metadata"]["annotations"] = {"dispatch.dev/wave": "3", "dispatch.dev/prune": "disabled", "other": "x"}
    found = shaped([given], CANARY)
    assert [each.kind for each in found.manifests] == ["Deployment", "AnalysisTemplate", "Rollout"]
    assert found.manifests[1].annotations == {"dispatch.dev/wave": "3"}
    assert found.manifests[2].annotations == {"dispatch.dev/wave": "3", "dispatch.dev/prune": "disabled"}


@BOTH
def test_a_deployment_that_we_do_not_know_keeps_the_pods_that_it_may_have(strategy: Document) -> None:
    """It may be there without our label: to name a number would scale an application that is being taken over."""
    found = shaped([deployment(), service()], strategy)
    assert "replicas" not in objects(found)["Deployment/web"]["spec"]
    assert found.ignore == (KEEP_REPLICAS,)


@BOTH
def test_on_the_way_in_the_pods_of_the_deployment_are_left_to_the_controller(strategy: Document) -> None:
    lives: list[Live] = [
        {"Deployment": seen_deployment(3)},
        {"Deployment": seen_deployment(2), "Rollout": seen_rollout(available=1)},
        {"Deployment": seen_deployment(1), "Rollout": seen_rollout(available=3, observed=False)},
        {"Deployment": seen_deployment(3), "Rollout": seen_rollout(available=3, stable_hash="")},
    ]
    for live in lives:
        found = shaped([deployment(), service()], strategy, live)
        assert objects(found)["Deployment/web"]["spec"]["replicas"] == 3
        assert found.ignore == (KEEP_REPLICAS,)


@BOTH
def test_once_the_rollout_has_all_pods_the_deployment_has_none(strategy: Document) -> None:
    """The second: the controller takes pods away for its first revision only. A hand that scales up is corrected."""
    lives: list[Live] = [
        {"Deployment": seen_deployment(0), "Rollout": seen_rollout(available=1)},
        {"Deployment": seen_deployment(3), "Rollout": seen_rollout(available=3)},
        {"Rollout": seen_rollout()},
    ]
    for live in lives:
        found = shaped([deployment(), service()], strategy, live)
        assert objects(found)["Deployment/web"]["spec"]["replicas"] == 0
        assert found.ignore == ()


def test_an_unrelated_commit_keeps_the_mark() -> None:
    digest = template_digest(deployment())
    live: Live = {"Deployment": seen_deployment(0, candidate=f"{digest}.older"), "Rollout": seen_rollout()}
    found = shaped([deployment()], CANARY, live, commit="newer")
    assert found.manifests[0].annotations[CANDIDATE] == f"{digest}.older"
    live["Deployment"] = seen_deployment(0, candidate="0123.older")
    found = shaped([deployment()], CANARY, live, commit="newer")
    assert found.manifests[0].annotations[CANDIDATE] == f"{digest}.newer"


def test_the_state_tells_outcomes_apart() -> None:
    lives: list[Live] = [
        {},
        {"Deployment": seen_deployment(3)},
        {"Deployment": seen_deployment(0), "Rollout": seen_rollout()},
        {"Deployment": seen_deployment(0, candidate=f"{template_digest(deployment())}.x"), "Rollout": seen_rollout()},
    ]
    states = [shaped([deployment()], CANARY, live).state for live in lives]
    assert len(set(states)) == len(states)
    leaving: Live = {"Deployment": seen_deployment(0), "Rollout": seen_rollout()}
    back: Live = {"Deployment": seen_deployment(3), "Rollout": seen_rollout(steps=0)}
    none: Live = {}
    assert len({shaped([deployment()], {}, live).state for live in (none, leaving, back)}) == 3


@pytest.mark.parametrize("given", [deployment(replicas=None), deployment(replicas=3)], ids=["unset", "also in Git"])
def test_an_autoscaler_scales_the_rollout_which_starts_with_the_pods_that_there_are(given: Document) -> None:
    found = shaped([given, autoscaler()], CANARY, {"Deployment": seen_deployment(6)})
    made = objects(found)
    assert made["Rollout/web"]["spec"]["replicas"] == 6
    assert made["HorizontalPodAutoscaler/web"]["spec"]["scaleTargetRef"] == {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Rollout",
        "name": "web",
    }
    assert found.ignore == (KEEP_REPLICAS, KEEP_ROLLOUTS_REPLICAS)


def test_an_autoscaler_of_something_else_is_left_alone() -> None:
    for other in (autoscaler(name="db"), autoscaler(kind="StatefulSet"), autoscaler(apiVersion="example.com/v1")):
        found = shaped([deployment(), other], CANARY)
        assert objects(found)["HorizontalPodAutoscaler/web"] is other
        assert objects(found)["Rollout/web"]["spec"]["replicas"] == 3


def test_a_new_rollout_that_is_scaled_by_others_starts_with_the_fewest() -> None:
    assert objects(shaped([deployment(), autoscaler()], CANARY))["Rollout/web"]["spec"]["replicas"] == 2
    assert objects(shaped([deployment(replicas=None)], CANARY))["Rollout/web"]["spec"]["replicas"] == 1


def test_a_deployment_may_opt_out() -> None:
    worker = deployment("worker")
    worker["metadata"]["annotations"] = {"dispatch.dev/strategy": "rolling"}
    found = shaped([deployment(), worker, service()], BLUE_GREEN)
    assert objects(found)["Deployment/worker"] is worker
    assert found.rollouts == (ROLLOUT,)


def test_other_workloads_are_left_alone() -> None:
    stateful = {**deployment("db"), "kind": "StatefulSet"}
    assert [each.document for each in shaped([stateful], CANARY).manifests] == [stateful]


def test_blue_green_switches_the_service_that_selects_the_pods_and_previews_by_a_copy() -> None:
    found = objects(shaped([deployment(), service("front"), service("db", selects="db")], BLUE_GREEN))
    section = found["Rollout/web"]["spec"]["strategy"]["blueGreen"]
    assert (section["activeService"], section["previewService"]) == ("front", "front-preview")
    assert found["Service/front-preview"] == {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "front-preview", "namespace": "shop", "labels": {"team": "a"}},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], "type": "ClusterIP"},
    }


def test_a_preview_service_of_the_folder_is_taken_as_it_is() -> None:
    preview = service("web-preview")
    found = objects(shaped([deployment(), service(), preview], BLUE_GREEN))
    assert found["Service/web-preview"] is preview


@pytest.mark.parametrize(
    ("documents", "section", "says"),
    [
        ([deployment()], {}, "no Service of the folder selects the pods of web"),
        ([deployment(), service("a"), service("b")], {}, "a, b all select"),
        ([deployment(), service("a", selects="x"), service("b")], {"service": "a"}, "these do: b"),
        ([deployment(), service(type="ExternalName")], {}, "no Service"),
    ],
)
def test_blue_green_never_guesses_the_service(documents: list[Document], section: Document, says: str) -> None:
    message = refusal(documents, {"blueGreen": section})
    assert message.startswith("web.yaml:1: ")
    assert says in message


def test_traffic_routing_has_a_service_for_each_version() -> None:
    routing = {"trafficRouting": {"nginx": {"stableIngress": "web"}}, **CANARY["canary"]}
    found = objects(shaped([deployment(), service()], {"canary": routing}))
    section = found["Rollout/web"]["spec"]["strategy"]["canary"]
    assert (section["stableService"], section["canaryService"]) == ("web", "web-canary")
    assert found["Service/web-canary"]["spec"]["selector"] == {"app": "web"}


def test_a_canary_without_steps_is_refused() -> None:
    assert "has no steps" in refusal([deployment()], {"canary": {}})


def test_a_deadline_that_no_pod_can_meet_is_refused() -> None:
    message = refusal([deployment(minReadySeconds=20)], {"canary": {**CANARY["canary"], "progressDeadline": "20s"}})
    assert "minReadySeconds 20" in message


def test_a_rollout_of_the_folder_is_taken_as_it_is_with_a_mark() -> None:
    found = shaped([rollout(), deployment("worker")], {"canary": {"inFlight": "Supersede"}})
    digest = template_digest(rollout())
    assert found.manifests[0].document["spec"] == rollout()["spec"]
    assert found.manifests[0].annotations == {CANDIDATE: f"{digest}.c0ffee"}
    assert objects(found)["Deployment/worker"]["metadata"] == {"name": "worker"}
    assert (found.carriers, found.rollouts, found.ignore) == ({ROLLOUT: digest}, (ROLLOUT,), ())


def test_the_mark_of_a_rollout_of_the_folder_is_kept_as_well() -> None:
    digest = template_digest(rollout())
    live: Live = {"Rollout": seen_rollout(candidate=f"{digest}.older", workload=None)}
    assert shaped([rollout()], {"canary": {}}, live).manifests[0].annotations[CANDIDATE] == f"{digest}.older"


def test_a_rollout_of_the_folder_that_refers_to_a_deployment_leaves_the_mark_to_it() -> None:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    given = rollout(workloadRef={**ref, "scaleDown": "onsuccess"})
    found = shaped([deployment(), given], {"canary": {}})
    assert objects(found)["Rollout/web"] is given
    assert found.carriers == {WEB: template_digest(deployment())}
    assert objects(found)["Deployment/web"]["spec"]["replicas"] == 3
    assert found.ignore == (KEEP_REPLICAS,)
    assert shaped([deployment(), rollout(workloadRef=ref)], {"canary": {}}).ignore == ()


def test_the_application_does_not_say_what_the_rollout_of_the_folder_says() -> None:
    assert "must not say maxSurge, steps" in refusal(
        [rollout()], {"canary": {"maxSurge": "1", "steps": [{"weight": 5}], "inFlight": "Block"}}
    )
    assert "Rollout web is canary, and spec.strategy says blueGreen" in refusal([rollout()], {"blueGreen": {}})


def test_what_the_api_server_fills_in_for_the_application_nobody_has_said() -> None:
    """The CRD gives `approval` and `scaleDownDelay` their defaults in every Application with blueGreen."""
    own = rollout(strategy={"blueGreen": {"activeService": "web"}})
    found = shaped([own], {"blueGreen": {"approval": False, "scaleDownDelay": "30s"}})
    assert found.rollouts == (ROLLOUT,)


@pytest.mark.parametrize("strategy", [{}, {"rolling": {}}], ids=["none", "rolling"])
def test_a_rollout_of_the_folder_is_driven_whatever_the_application_says_of_deployments(strategy: Document) -> None:
    found = shaped([rollout(), deployment("worker")], strategy)
    assert (found.carriers, found.rollouts) == ({ROLLOUT: template_digest(rollout())}, (ROLLOUT,))
    assert CANDIDATE in found.manifests[0].annotations
    assert objects(found)["Deployment/worker"] == deployment("worker")


def test_a_rollout_of_the_folder_for_the_deployment_beside_it_is_not_taken_for_one_on_its_way_out() -> None:
    given = rollout(workloadRef={"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"})
    live: Live = {"Deployment": seen_deployment(), "Rollout": seen_rollout(workload=WEB)}
    found = shaped([deployment(replicas=0), given], {}, live)
    assert [each.id.kind for each in found.manifests] == ["Deployment", "Rollout"]
    assert objects(found)["Rollout/web"] is given
    assert objects(found)["Deployment/web"]["spec"]["replicas"] == 0
    assert found.carriers == {WEB: template_digest(deployment())}


def test_a_folder_may_hold_rollouts_of_both_ways() -> None:
    other = rollout(strategy={"blueGreen": {"activeService": "web"}}) | {"metadata": {"name": "api"}}
    strategies: list[Document] = [{}, {"canary": {}}, {"blueGreen": {"inFlight": "Supersede"}}]
    for strategy in strategies:
        assert len(shaped([rollout(), other], strategy).rollouts) == 2


def test_on_the_way_out_both_have_pods_until_the_deployment_has_all() -> None:
    live: Live = {"Deployment": seen_deployment(0, candidate="d.c"), "Rollout": seen_rollout()}
    found = shaped([deployment(), service()], {}, live)
    made = objects(found)
    assert made["Deployment/web"]["spec"]["replicas"] == 3
    spec = made["Rollout/web"]["spec"]
    assert (spec["replicas"], spec["workloadRef"]["scaleDown"]) == (3, "never")
    assert spec["strategy"] == {"canary": {"maxSurge": "25%", "maxUnavailable": "25%"}}
    assert (found.ignore, found.rollouts) == ((), ())
    assert CANDIDATE in made["Deployment/web"]["metadata"]["annotations"]


def test_the_rollout_goes_when_the_deployment_has_all_pods_and_no_service_is_its_own() -> None:
    gone = shaped([deployment()], {}, {"Deployment": seen_deployment(3), "Rollout": seen_rollout(steps=0)})
    assert [each.kind for each in gone.manifests] == ["Deployment"]
    lives: list[Live] = [
        {"Deployment": seen_deployment(3, available=2), "Rollout": seen_rollout(steps=0)},
        {"Deployment": seen_deployment(2), "Rollout": seen_rollout(steps=0)},
        {"Deployment": seen_deployment(3), "Rollout": seen_rollout(steps=0, observed=False)},
        {"Deployment": seen_deployment(3), "Rollout": seen_rollout(steps=0, strategy="blueGreen")},
        {"Deployment": seen_deployment(3), "Rollout": seen_rollout(steps=3)},
        {"Rollout": seen_rollout(steps=0)},
    ]
    for live in lives:
        assert "Rollout/web" in objects(shaped([deployment()], {}, live))


def test_a_share_of_the_traffic_at_the_new_version_holds_the_way_out_up() -> None:
    divided = seen_rollout(weight=20, stable_hash="h0")
    with pytest.raises(Blocked) as caught:
        shaped([deployment()], {}, {"Deployment": seen_deployment(0), "Rollout": divided})
    assert caught.value.reason is Reason.ROLLING_OUT
    assert "dispatch rollout abort web" in caught.value.message
    for settled in (seen_rollout(weight=0, stable_hash="h0"), seen_rollout(weight=100)):
        assert shaped([deployment()], {}, {"Deployment": seen_deployment(0), "Rollout": settled}).manifests


def test_another_rollout_of_the_same_name_is_none_of_ours() -> None:
    live: Live = {"Deployment": seen_deployment(3), "Rollout": seen_rollout(workload=None)}
    assert shaped([deployment()], {}, live).manifests[0].document == deployment()


def test_on_the_way_out_pods_that_git_does_not_count_are_neither_lost_nor_reset() -> None:
    given = [deployment(replicas=None), autoscaler()]
    leaving = shaped(
        given, {}, {"Deployment": seen_deployment(0, candidate="d.c"), "Rollout": seen_rollout(replicas=6)}
    )
    assert objects(leaving)["Deployment/web"]["spec"]["replicas"] == 6
    assert objects(leaving)["HorizontalPodAutoscaler/web"]["spec"]["scaleTargetRef"]["kind"] == "Rollout"
    assert leaving.ignore == (KEEP_ROLLOUTS_REPLICAS,)
    back = shaped(given, {}, {"Deployment": seen_deployment(6), "Rollout": seen_rollout(replicas=6, steps=0)})
    assert objects(back)["HorizontalPodAutoscaler/web"] == autoscaler()
    left = shaped(given, {}, {"Deployment": seen_deployment(6, candidate="d.c")})
    assert "replicas" not in objects(left)["Deployment/web"]["spec"]
    assert left.ignore == (KEEP_REPLICAS,)
    assert CANDIDATE in objects(left)["Deployment/web"]["metadata"]["annotations"]


def test_a_service_that_still_sends_everything_to_the_rollout_holds_it() -> None:
    ours = service()
    ours["metadata"]["annotations"] = {"argo-rollouts.argoproj.io/managed-by-rollouts": "web"}
    ours["spec"]["selector"] = {"app": "web", "rollouts-pod-template-hash": "h1"}
    assert held("web", [ours, service("other")]) == ("web",)
    assert held("db", [ours]) == ()
    ours["spec"]["selector"] = {"app": "web"}
    assert held("web", [ours]) == ()
