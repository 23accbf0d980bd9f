"""What a user gets wrong: a clear word about it, and what runs stays as it is."""

from __future__ import annotations

import base64
import shutil

import pytest
from team import Team, config_map, deployment, eventually, git

from reconciler.core.applyset import PART_OF


def running(team: Team) -> None:
    """An application `web` that is well, with one ConfigMap `a`."""
    team.push({"web/a.yaml": config_map("a", key="good")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")


def data(team: Team, name: str = "a") -> dict[str, str] | None:
    live = team.live("v1", "ConfigMap", name)
    return live["data"] if live else None


@pytest.mark.parametrize(
    ("files", "reason", "words"),
    [
        pytest.param({"web/a.yaml": "a: [1"}, "InvalidManifest", ["web/a.yaml"], id="syntax"),
        pytest.param(
            {"web/a.yaml": config_map("a", key="1") + "  key: '2'\n"},
            "InvalidManifest",
            ["web/a.yaml:7", "key"],
            id="duplicate-key",
        ),
        pytest.param(
            {"web/b.yaml": config_map("a", key="other")},
            "DuplicateObject",
            ["web/a.yaml", "web/b.yaml", "ConfigMap"],
            id="two-objects-with-one-identity",
        ),
        pytest.param(
            {"web/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b}\ndatta: {}\n"},
            "ObjectRefused",
            ["web/b.yaml:1", "datta"],
            id="unknown-field",
        ),
        pytest.param(
            {"web/b.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_Valid}\n"},
            "ObjectRefused",
            ["web/b.yaml:1", "Not_Valid"],
            id="invalid-object",
        ),
        pytest.param(
            {"web/b.yaml": "apiVersion: example.com/v1\nkind: Nowhere\nmetadata: {name: b}\n"},
            "UnknownKind",
            ["web/b.yaml:1", "Nowhere"],
            id="unknown-kind",
        ),
        pytest.param({"web/b.yaml": "just: values\n"}, "InvalidManifest", ["web/b.yaml:1"], id="not-an-object"),
        pytest.param(
            {"web/b.yaml": config_map("b", key="1").replace("name: b", "name: b\n  namespace: not-there")},
            "NamespaceMissing",
            ["web/b.yaml:1", "not-there"],
            id="namespace-missing",
        ),
        pytest.param({"web/a.yaml": "# nothing left\n"}, "RenderEmpty", ["web"], id="empty-render"),
        pytest.param(
            {
                "web/b.yaml": "a: &a [1,2]\n"
                + "".join(
                    f"{x}: &{x} [*{y},*{y},*{y},*{y},*{y},*{y},*{y},*{y}]\n"
                    for y, x in zip("abcdefgh", "bcdefghi", strict=True)
                )
            },
            "RenderLimitExceeded",
            ["web/b.yaml"],
            id="yaml-bomb",
        ),
        pytest.param(
            {"web/b.yaml": "#" * (100 * 1024 * 1024)},
            "RenderLimitExceeded",
            ["web/b.yaml", "100 MiB"],
            id="100-mb-file",
        ),
        pytest.param(
            {"web/kustomization.yaml": "resources: [a.yaml, missing.yaml]\n"},
            "RenderFailed",
            ["missing.yaml"],
            id="kustomization-names-a-missing-file",
        ),
        pytest.param(
            {"web/kustomization.yaml": "resources: ['https://example.com/base?ref=main']\n"},
            "RenderFailed",
            ["web/kustomization.yaml", "example.com"],
            id="remote-base",
        ),
    ],
)
def test_a_bad_commit_is_named_and_changes_nothing(
    team: Team, files: dict[str, str], reason: str, words: list[str]
) -> None:
    running(team)
    team.push(files)
    message = team.until_reason("web", reason)
    for word in words:
        assert word in message
    assert data(team) == {"key": "good"}
    fixed = {name: None for name in files if name != "web/a.yaml"}
    commit = team.push({**fixed, "web/a.yaml": config_map("a", key="mended")})
    team.until_ready("web", commit)
    assert data(team) == {"key": "mended"}


def test_all_refused_objects_are_named_at_once(team: Team) -> None:
    running(team)
    bad = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndatta: {}\n"
    team.push({"web/b.yaml": bad.replace("NAME", "b"), "web/c.yaml": bad.replace("NAME", "c")})
    message = team.until_reason("web", "ObjectRefused")
    assert "web/b.yaml:1" in message and "web/c.yaml:1" in message


def test_nothing_of_a_stage_is_written_when_one_of_its_objects_is_refused(team: Team) -> None:
    running(team)
    team.push({"web/b.yaml": config_map("b", key="1"), "web/c.yaml": config_map("C!", key="1")})
    team.until_reason("web", "ObjectRefused")
    assert data(team, "b") is None


def test_an_unknown_field_of_an_application_names_the_nearest(team: Team) -> None:
    team.read_repository()
    from reconciler.model.document import load
    from reconciler.model.manifest import Origin
    from reconciler.model.outcome import Terminal

    document = {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web"},
        "spec": {"source": {"repository": "config", "pathh": "web"}},
    }
    with pytest.raises(Terminal, match=r"spec.source.pathh.*spec.source.path"):
        load(document, Origin("application.yaml", 1))


def test_a_missing_path_and_a_missing_revision_are_told_with_what_there_is(team: Team) -> None:
    running(team)
    team.deploy("lost", "wib")
    assert "wib" in team.until_reason("lost", "PathNotFound")
    team.deploy("lost", "web", source={"revision": "mian"})
    assert "main" in team.until_reason("lost", "RefNotFound")


def test_a_force_pushed_branch_is_followed(team: Team) -> None:
    running(team)
    git("checkout", "--quiet", "--orphan", "other", at=team.work)
    commit = team.push({"web/a.yaml": config_map("a", key="rewritten")}, force=True)
    team.until_ready("web", commit)
    assert data(team) == {"key": "rewritten"}


def test_a_repository_that_is_away_says_so_and_heals(team: Team) -> None:
    running(team)
    away = team.bare.with_name("away.git")
    shutil.move(team.bare, away)
    message = team.until_reason("config", "RepositoryNotFound", kind="Repository")
    assert "config.git" in message
    assert team.condition("web")["status"] == "True"
    assert data(team) == {"key": "good"}
    shutil.move(away, team.bare)
    commit = team.push({"web/a.yaml": config_map("a", key="later")})
    team.until_ready("web", commit)
    assert team.condition("config", kind="Repository")["status"] == "True"


def test_an_unreachable_host_is_told_by_the_repository_and_the_application(team: Team) -> None:
    team.apply(
        {
            "apiVersion": "dispatch.dev/v1alpha1",
            "kind": "Repository",
            "metadata": {"name": "config"},
            "spec": {"url": "https://127.0.0.1:1/config.git", "timeout": "5s"},
        }
    )
    team.deploy("web", "web")
    team.until_reason("config", "SourceUnreachable", kind="Repository")
    assert "127.0.0.1:1" in team.until_reason("web", "SourceUnreachable")


def test_a_missing_secret_is_named(team: Team) -> None:
    team.push({})
    team.read_repository(credentialsRef={"name": "no-such"})
    assert "no-such" in team.until_reason("config", "CredentialsNotFound", kind="Repository")


def test_an_object_of_another_application_is_refused_and_both_are_named(team: Team) -> None:
    team.push({"one/a.yaml": config_map("a", key="one"), "two/a.yaml": config_map("a", key="two")})
    team.read_repository()
    team.deploy("one", "one")
    team.until_ready("one")
    team.deploy("two", "two")
    message = team.until_reason("two", "OwnedByAnotherApplication")
    assert f"{team.namespace}/one" in message and f"{team.namespace}/two" in message
    assert "two/a.yaml:1" in message
    assert data(team) == {"key": "one"}


def test_an_object_that_a_deleted_application_left_is_handed_over_by_the_command_in_the_message(team: Team) -> None:
    """As when an Application is renamed: nothing is taken over on a guess, and the way out is said."""
    running(team)
    team.delete("dispatch.dev/v1alpha1", "Application", "web")
    eventually(lambda: team.live("dispatch.dev/v1alpha1", "Application", "web") is None)
    team.deploy("renamed", "web")
    message = team.until_reason("renamed", "OwnedByAnotherApplication")
    assert f"kubectl label configmap a -n {team.namespace} {PART_OF}-" in message
    assert data(team) == {"key": "good"}
    team.edit("v1", "ConfigMap", "a", {"metadata": {"labels": {PART_OF: None}}})
    commit = team.push({"web/a.yaml": config_map("a", key="taken over")})
    team.until_ready("renamed", commit)
    assert data(team) == {"key": "taken over"}


SELECTOR = (
    deployment("web")
    .replace("matchLabels: {app: web}", "matchLabels: {app: web, tier: b}")
    .replace("labels: {app: web}", "labels: {app: web, tier: b}")
)


def test_an_immutable_field_is_refused_with_the_way_out(team: Team) -> None:
    team.push({"web/deployment.yaml": deployment("web")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    before = team.live("apps/v1", "Deployment", "web")
    team.push({"web/deployment.yaml": SELECTOR})
    message = team.until_reason("web", "ImmutableField")
    assert "dispatch.dev/replace: allowed" in message and "web/deployment.yaml:1" in message
    after = team.live("apps/v1", "Deployment", "web")
    assert before and after and before["spec"] == after["spec"]


def test_an_immutable_field_is_changed_where_the_object_allows_its_replacement(team: Team) -> None:
    allowed = "  annotations: {dispatch.dev/replace: allowed}\n"
    team.push({"web/deployment.yaml": deployment("web", extra=allowed)})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    replaced = SELECTOR.replace("  name: web\nspec", f"  name: web\n{allowed}spec")
    commit = team.push({"web/deployment.yaml": replaced})
    team.until_ready("web", commit)
    after = team.live("apps/v1", "Deployment", "web")
    assert after and after["spec"]["selector"]["matchLabels"]["tier"] == "b"


def test_a_kind_whose_definition_comes_in_the_same_commit_is_applied_after_it(team: Team) -> None:
    group = f"{team.namespace}.example.com"
    definition = f"""apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {{name: widgets.{group}}}
spec:
  group: {group}
  names: {{kind: Widget, plural: widgets}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema: {{type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
    widget = f"apiVersion: {group}/v1\nkind: Widget\nmetadata: {{name: w}}\nspec: {{size: 1}}\n"
    commit = team.push({"web/crd.yaml": definition, "web/a-widget.yaml": widget})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web", commit)
    live = team.live(f"{group}/v1", "Widget", "w")
    assert live is not None and live["spec"] == {"size": 1}


def test_a_namespace_that_comes_in_the_same_commit_is_made_first(team: Team) -> None:
    made = f"{team.namespace}-made"
    team.push(
        {
            "web/namespace.yaml": f"apiVersion: v1\nkind: Namespace\nmetadata: {{name: {made}}}\n",
            "web/a.yaml": config_map("inside", key="1").replace("name: inside", f"name: inside\n  namespace: {made}"),
        }
    )
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    live = team.cluster.read(team.resource("v1", "ConfigMap"), made, "inside")
    assert live is not None


def test_a_commit_that_would_delete_too_much_is_held(team: Team) -> None:
    team.push({f"web/{n}.yaml": config_map(f"c{n}", key="1") for n in range(20)})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.push({f"web/{n}.yaml": None for n in range(15)})
    message = team.until_reason("web", "PruneLimitExceeded")
    assert "15 of 20" in message and "sync.pruneLimit" in message
    assert data(team, "c0") is not None
    team.deploy("web", "web", sync={"pruneLimit": "100%"})
    team.until_ready("web")
    eventually(lambda: data(team, "c0") is None)
    assert data(team, "c19") is not None


def test_an_object_that_says_so_outlives_its_manifest(team: Team) -> None:
    kept = config_map("kept", key="1").replace(
        "name: kept", "name: kept\n  annotations: {dispatch.dev/prune: disabled}"
    )
    team.push({"web/a.yaml": config_map("a", key="1"), "web/kept.yaml": kept})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    commit = team.push({"web/kept.yaml": None, "web/a.yaml": config_map("a", key="2")})
    team.until_ready("web", commit)
    assert data(team, "kept") == {"key": "1"}


def test_the_hooks_of_a_chart_are_named_and_not_run(team: Team) -> None:
    team.push(
        {
            "chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
            "chart/templates/a.yaml": config_map("a", key="{{ .Values.key }}"),
            "chart/templates/hook.yaml": "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: migrate\n  annotations: "
            "{helm.sh/hook: pre-install}\nspec:\n  template:\n    spec:\n      restartPolicy: Never\n"
            "      containers: [{name: c, image: busybox}]\n",
            "chart/values.yaml": "key: chart\n",
        }
    )
    team.read_repository()
    team.deploy("c", "chart", render={"helm": {"values": {"key": "inline"}}})
    status = team.until_ready("c")
    assert data(team) == {"key": "inline"}
    assert any("migrate" in hook and "pre-install" in hook for hook in status["hooksNotRun"])
    assert team.live("batch/v1", "Job", "migrate") is None


def test_the_value_of_a_secret_is_in_no_status(team: Team) -> None:
    value = "s3cr3t-value-of-a-test"
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: VALUE}\n"
    team.push({"web/s.yaml": secret.replace("VALUE", value)})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    hand = base64.b64encode(b"by-hand-s3cr3t").decode()
    team.edit("v1", "Secret", "s", {"data": {"password": hand}})
    eventually(lambda: team.status("web").get("drift"))
    live = eventually(
        lambda: (
            (s := team.live("v1", "Secret", "s"))
            and s["data"]["password"] == base64.b64encode(value.encode()).decode()
            and s
        )
    )
    assert live
    text = str(team.live("dispatch.dev/v1alpha1", "Application", "web"))
    for word in (value, base64.b64encode(value.encode()).decode(), hand, "by-hand-s3cr3t"):
        assert word not in text


def test_the_hooks_of_an_argo_cd_repository_are_named_and_not_run(team: Team) -> None:
    hook = (
        "apiVersion: batch/v1\nkind: Job\nmetadata:\n  generateName: backup-\n"
        "  annotations: {argocd.argoproj.io/hook: PreSync}\nspec: {}\n"
    )
    team.push({"web/a.yaml": config_map("a", key="1"), "web/hook.yaml": hook})
    team.read_repository()
    team.deploy("web", "web")
    status = team.until_ready("web")
    assert status["hooksNotRun"] == ["Job/backup- (PreSync)"]
