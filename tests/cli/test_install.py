"""`dispatch install` without a cluster; with one: tests/cluster/test_kinds.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import dispatch


def printed(*words: str) -> list[dict[str, Any]]:
    ran = dispatch("install", "--dry-run", *words)
    assert (ran.code, ran.err) == (0, "")
    return list(yaml.safe_load_all(ran.out))


def titles(documents: list[dict[str, Any]]) -> list[str]:
    return [f"{each['kind']}/{each['metadata']['name']}" for each in documents]


def rules(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [rule for each in documents if each["kind"] == "ClusterRole" for rule in each.get("rules", ())]


def test_a_dry_run_needs_no_cluster(tmp_path: Path) -> None:
    assert printed("--kubeconfig", str(tmp_path / "none"))


def test_what_is_applied_first_comes_first() -> None:
    assert titles(printed())[:9] == [
        "CustomResourceDefinition/applications.dispatch.dev",
        "CustomResourceDefinition/repositories.dispatch.dev",
        "CustomResourceDefinition/rolloutactions.dispatch.dev",
        "CustomResourceDefinition/notifiers.dispatch.dev",
        "CustomResourceDefinition/promotions.dispatch.dev",
        "CustomResourceDefinition/promotionactions.dispatch.dev",
        "CustomResourceDefinition/hotfixes.dispatch.dev",
        "CustomResourceDefinition/imagefeeds.dispatch.dev",
        "Namespace/dispatch-system",
    ]


def test_json_is_one_list_of_the_same_objects() -> None:
    ran = dispatch("install", "--dry-run", "-o", "json")
    printed_json = json.loads(ran.out)
    assert (printed_json["apiVersion"], printed_json["kind"]) == ("v1", "List")
    assert printed_json["items"] == printed()


def test_there_is_a_deployment_only_with_an_image() -> None:
    assert not [each for each in printed() if each["kind"] == "Deployment"]
    (deployment,) = [each for each in printed("--image", "dispatch:1") if each["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "dispatch:1"
    assert container["args"][0] == "run"


def test_the_gates_of_the_deployment_are_reached_by_its_service() -> None:
    documents = printed("--image", "dispatch:1", "--namespace", "gitops")
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    (service,) = [each for each in documents if each["kind"] == "Service"]
    template = deployment["spec"]["template"]
    (container,) = template["spec"]["containers"]
    (port,) = service["spec"]["ports"]
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert container["ports"] == [{"name": port["targetPort"], "containerPort": 8080}]
    assert f"--listen=0.0.0.0:{container['ports'][0]['containerPort']}" in container["args"]
    assert f"--gates-url=http://{service['metadata']['name']}.gitops.svc:{port['port']}" in container["args"]
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "gates"}


def test_the_deployment_takes_part_in_an_election_that_never_holds_up_its_rollout() -> None:
    """One that stands by is not ready, so its successor must not wait for it to be."""
    documents = printed("--image", "dispatch:1", "--namespace", "gitops")
    (deployment,) = [each for each in documents if each["kind"] == "Deployment"]
    assert "--leader-elect" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]
    assert (deployment["spec"]["replicas"], deployment["spec"]["strategy"]) == (1, {"type": "Recreate"})


def test_the_lease_is_all_that_the_election_may_touch_and_only_at_home() -> None:
    documents = printed("--namespace", "gitops")
    touching = [each for each in documents if any("leases" in rule["resources"] for rule in each.get("rules", ()))]
    assert titles(touching) == ["Role/dispatch-election"]
    assert touching[0]["metadata"]["namespace"] == "gitops"
    assert [(rule["verbs"], rule.get("resourceNames")) for rule in touching[0]["rules"]] == [
        (["create"], None),
        (["get", "patch"], ["dispatch-controller"]),
    ]
    (binding,) = [each for each in documents if each.get("roleRef", {}).get("kind") == "Role"]
    assert binding["roleRef"]["name"] == "dispatch-election"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "dispatch-controller", "namespace": "gitops"}]


@pytest.mark.parametrize(
    ("kind", "role_name"),
    [
        ("rolloutactions", "dispatch-approver"),
        ("promotionactions", "dispatch-releaser"),
        ("hotfixes", "dispatch-hotfixer"),
    ],
)
def test_only_one_role_lets_a_person_approve_and_it_is_aggregated_to_nothing(kind: str, role_name: str) -> None:
    roles = [each for each in printed() if each["kind"] == "ClusterRole"]
    approving = [
        role["metadata"]
        for role in roles
        for rule in role.get("rules", ())
        if kind in rule["resources"] and "create" in rule["verbs"]
    ]
    assert [each["name"] for each in approving] == [role_name]
    assert not [label for label in approving[0]["labels"] if "aggregate" in label]
    bound = [each["roleRef"]["name"] for each in printed() if "roleRef" in each]
    assert role_name not in bound


def test_the_policy_is_there_before_anything_that_gives_a_right() -> None:
    kinds = [each["kind"] for each in printed()]
    assert kinds.index("ValidatingAdmissionPolicyBinding") < kinds.index("ClusterRole")


def test_the_deployment_fits_the_policy_of_its_namespace() -> None:
    """Pod Security Standards, "restricted": https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    documents = printed("--image", "dispatch:1")
    (namespace,) = [each for each in documents if each["kind"] == "Namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    pod = documents[-1]["spec"]["template"]["spec"]
    context = pod["containers"][0]["securityContext"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert context["allowPrivilegeEscalation"] is False
    assert context["capabilities"] == {"drop": ["ALL"]}
    assert context["readOnlyRootFilesystem"] is True


def test_no_role_has_a_wildcard() -> None:
    for rule in rules(printed()):
        assert "*" not in [*rule["apiGroups"], *rule["resources"], *rule["verbs"]], rule


def test_secrets_are_only_ever_read_by_name_and_never_in_the_whole_cluster() -> None:
    documents = printed("--credentials-in", "team-a", "--credentials-in", "team-b")
    assert [rule["verbs"] for rule in rules(documents) if "secrets" in rule["resources"]] == [["get"]]
    bound = [each for each in documents if each.get("roleRef", {}).get("name") == "dispatch-credentials"]
    assert [(each["kind"], each["metadata"]["namespace"]) for each in bound] == [
        ("RoleBinding", "dispatch-system"),
        ("RoleBinding", "team-a"),
        ("RoleBinding", "team-b"),
    ]


def test_the_aggregate_leaves_its_rules_to_kubernetes() -> None:
    (applier,) = [each for each in printed() if "aggregationRule" in each]
    assert applier["metadata"]["name"] == "dispatch-applier"
    assert "rules" not in applier
    (selector,) = applier["aggregationRule"]["clusterRoleSelectors"]
    chosen = [
        each["metadata"]["name"]
        for each in printed()
        if selector["matchLabels"].items() <= each["metadata"].get("labels", {}).items()
    ]
    assert chosen == ["dispatch-applier-workloads"]


def test_another_namespace_is_used_everywhere() -> None:
    documents = printed("--namespace", "gitops", "--image", "dispatch:1")
    assert "dispatch-system" not in yaml.safe_dump_all(documents)
    assert {each["metadata"].get("namespace", "gitops") for each in documents} == {"gitops"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "yaml"], "-o says how --dry-run prints"),
        (["--dry-run", "-n", "Not_Good"], "'Not_Good' is no name of a namespace"),
        (["--dry-run", "--credentials-in", "a.b"], "'a.b' is no name of a namespace"),
    ],
)
def test_wrong_use_is_told(words: list[str], message: str) -> None:
    ran = dispatch("install", *words)
    assert ran.code == 2
    assert message in ran.err
    assert ran.out == ""


def test_a_missing_kubeconfig_is_named_and_nothing_is_printed(tmp_path: Path) -> None:
    ran = dispatch("install", "--kubeconfig", tmp_path / "none")
    assert (ran.code, ran.out) == (2, "")
    assert str(tmp_path / "none") in ran.err
