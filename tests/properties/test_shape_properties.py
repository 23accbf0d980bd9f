"""Whatever is live, a hand-over never sends away pods that nobody else has."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.progressive.shape import Shaped, shape
from reconciler.core.progressive.template import DEPLOYMENT, ROLLOUT
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Blocked
from reconciler.model.rollout import DeploymentSeen, Phase, RolloutSeen
from reconciler.model.strategy import Strategy
from reconciler.ports import Making
from strategies.rollout import blue_green_section, canary_section

WAYS: dict[str, Any] = {"canary": canary_section, "blueGreen": blue_green_section}
WEB = ObjectId("apps", "Deployment", "shop", "web")
PODS = st.integers(0, 4)
DEPLOYMENTS = st.none() | st.builds(
    DeploymentSeen, st.just(WEB), st.booleans(), PODS, PODS, PODS, st.sampled_from(["", "d.c"])
)
HASHES = st.sampled_from(["", "h1", "h2"])
ROLLOUTS = st.none() | st.builds(
    RolloutSeen,
    st.just(WEB._replace(group="argoproj.io", kind="Rollout")),
    uid=st.just("u"),
    strategy=st.sampled_from(["canary", "blueGreen", ""]),
    observed=st.booleans(),
    phase=st.sampled_from(Phase),
    message=st.just(""),
    pod_hash=HASHES,
    stable_hash=HASHES,
    steps=st.integers(0, 2),
    replicas=PODS,
    available=PODS,
    weight=st.none() | st.integers(0, 100),
    workload=st.just(WEB),
)
STRATEGIES = st.sampled_from([{}, {"canary": {"steps": [{"weight": 5}, {"pause": {}}]}}, {"blueGreen": {}}])


def folder(replicas: int | None) -> list[Manifest]:
    template = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": []}}
    spec = {"template": template} | ({} if replicas is None else {"replicas": replicas})
    documents: list[dict[str, Any]] = [
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}}},
    ]
    return [Manifest(document, Origin("web.yaml", 1)) for document in documents]


def shaped(
    replicas: int | None, strategy: dict[str, Any], deployment: DeploymentSeen | None, rollout: RolloutSeen | None
) -> Shaped | None:
    def live(kind: str, _namespace: str, _name: str) -> DeploymentSeen | RolloutSeen | None:
        return rollout if kind == "Rollout" else deployment

    try:
        return shape(folder(replicas), Strategy.model_validate(strategy), WAYS, live, Making("shop", "", ""), "c")
    except Blocked:
        return None


@given(st.none() | PODS, STRATEGIES, DEPLOYMENTS, ROLLOUTS)
def test_no_pods_are_sent_away_that_nobody_else_has(
    replicas: int | None, strategy: dict[str, Any], deployment: DeploymentSeen | None, rollout: RolloutSeen | None
) -> None:
    found = shaped(replicas, strategy, deployment, rollout)
    if found is None:
        return
    sent = next(each for each in found.manifests if each.id.group_kind == DEPLOYMENT).document["spec"]
    left = any(rule.kind == str(DEPLOYMENT) for rule in found.ignore)
    fewer = not left and deployment is not None and sent.get("replicas", 1) < deployment.replicas
    if fewer and sent.get("replicas") != replicas:
        assert rollout is not None
        assert max(rollout.available, sent.get("replicas", 0)) >= (rollout.replicas if replicas is None else replicas)


@given(st.none() | PODS, STRATEGIES, DEPLOYMENTS, ROLLOUTS)
def test_a_rollout_goes_only_when_the_deployment_has_all_pods(
    replicas: int | None, strategy: dict[str, Any], deployment: DeploymentSeen | None, rollout: RolloutSeen | None
) -> None:
    found = shaped(replicas, strategy, deployment, rollout)
    if found is None or rollout is None or any(each.id.group_kind == ROLLOUT for each in found.manifests):
        return
    assert deployment is not None and deployment.observed and rollout.observed
    assert deployment.available >= (rollout.replicas if replicas is None else replicas)


@given(st.none() | PODS, STRATEGIES, DEPLOYMENTS, ROLLOUTS, DEPLOYMENTS, ROLLOUTS)
def test_another_outcome_has_another_state(
    replicas: int | None,
    strategy: dict[str, Any],
    deployment: DeploymentSeen | None,
    rollout: RolloutSeen | None,
    other_deployment: DeploymentSeen | None,
    other_rollout: RolloutSeen | None,
) -> None:
    one = shaped(replicas, strategy, deployment, rollout)
    other = shaped(replicas, strategy, other_deployment, other_rollout)
    if one is not None and other is not None and one.state == other.state:
        assert one == other
