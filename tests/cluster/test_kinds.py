"""The kinds on a real API server, installed as a user installs them: same rules as the model, least rights."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import ANY

import pytest
import urllib3
import yaml
from command_line import Ran, application, dispatch, put, ready, repository
from kind_cases import CASES, whole_application
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import Team, config_map, eventually

from reconciler import app
from reconciler.adapters.kube import KubeCluster, connect
from reconciler.core.installation import AGGREGATE
from reconciler.model.change import Refusal
from reconciler.model.document import load
from reconciler.model.manifest import Origin
from reconciler.sandbox import credentials
from reconciler.sandbox.platform import Part, Sandbox

_PLURALS = {
    "Application": "applications",
    "Repository": "repositories",
    "RolloutAction": "rolloutactions",
    "Notifier": "notifiers",
    "Promotion": "promotions",
    "PromotionAction": "promotionactions",
    "Hotfix": "hotfixes",
    "ImageFeed": "imagefeeds",
}
_ACCOUNT = "system:serviceaccount:dispatch-system:dispatch-controller"


class Installed(NamedTuple):
    """A cluster after `dispatch install`, and what that printed."""

    sandbox: Sandbox
    kube: KubeCluster
    ran: Ran


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A cluster of its own, with the controller that fills aggregated roles."""
    with Sandbox.start(tmp_path_factory.mktemp("kinds"), [Part.CONTROLLERS], print) as sandbox:
        fresh = fresh_namespace(sandbox)
        ran = dispatch("install", "--kubeconfig", sandbox.kubeconfig, "--credentials-in", fresh)
        kube = connect(sandbox.kubeconfig)
        yield Installed(sandbox, kube, ran)
        kube.close()


@pytest.fixture
def space(installed: Installed) -> str:
    return fresh_namespace(installed.sandbox)


def request(
    sandbox: Sandbox, method: str, path: str, body: Any = None, accept: str = "application/json", user: object = None
) -> Any:
    """One request as the administrator (under the name of another user), by nothing of ours: the answer, whatever it
    says."""
    token = credentials.token(sandbox.home, credentials.ADMINISTRATOR.name)
    with urllib3.PoolManager(ca_certs=str(sandbox.home.authority), timeout=30, retries=False) as pool:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", "Accept": accept}
        if user and isinstance(user, str):
            headers |= {"Impersonate-User": user, "Impersonate-Group": "system:masters"}
        answer = pool.request(method, sandbox.home.api_url + path, body=json.dumps(body), headers=headers)
    return answer.json()


def test_installing_names_each_object_and_what_became_of_it(installed: Installed) -> None:
    assert (installed.ran.code, installed.ran.err) == (0, "")
    lines = installed.ran.out.splitlines()
    assert lines[:9] == [
        "customresourcedefinition.apiextensions.k8s.io/applications.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/repositories.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/rolloutactions.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/notifiers.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/promotions.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/promotionactions.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/hotfixes.dispatch.dev created",
        "customresourcedefinition.apiextensions.k8s.io/imagefeeds.dispatch.dev created",
        "namespace/dispatch-system created",
    ]
    assert "serviceaccount/dispatch-controller created" in lines
    assert all(line.endswith(" created") for line in lines)


def test_installing_again_changes_nothing_and_mends_what_was_changed(installed: Installed) -> None:
    again = dispatch("install", "--kubeconfig", installed.sandbox.kubeconfig)
    assert again.code == 0
    assert {line.rpartition(" ")[2] for line in again.out.splitlines()} == {"unchanged"}
    resource = installed.kube.resource("rbac.authorization.k8s.io/v1", "ClusterRole")
    assert resource is not None
    Somebody(installed.sandbox).edits(resource, "", "dispatch-credentials", {"rules": []})
    mended = dispatch("install", "--kubeconfig", installed.sandbox.kubeconfig).out.splitlines()
    assert "clusterrole.rbac.authorization.k8s.io/dispatch-credentials configured" in mended
    assert len([line for line in mended if not line.endswith(" unchanged")]) == 1


def test_what_a_dry_run_prints_is_taken_by_the_server(installed: Installed) -> None:
    documents = list(yaml.safe_load_all(dispatch("install", "--dry-run", "--image", "dispatch:1").out))
    served = [(installed.kube.resource(each["apiVersion"], each["kind"]), each) for each in documents]
    answers = installed.kube.apply([(resource, each) for resource, each in served if resource], dry_run=True)
    assert len(answers) == len(documents)
    assert [answer for answer in answers if isinstance(answer, Refusal)] == []


def test_the_definitions_are_established_and_structural(installed: Installed) -> None:
    short_names = {
        "applications": "dapp",
        "repositories": "drepo",
        "rolloutactions": "draction",
        "notifiers": "dnotify",
        "promotions": "dpromo",
        "promotionactions": "dpraction",
        "hotfixes": "dhotfix",
        "imagefeeds": "dfeed",
    }
    for name, short in short_names.items():
        definition = request(
            installed.sandbox, "GET", f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}.dispatch.dev"
        )
        conditions = {each["type"]: each["status"] for each in definition["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}
        assert definition["status"]["acceptedNames"]["shortNames"] == [short]


def test_the_model_and_the_server_draw_the_same_line(installed: Installed, space: str) -> None:
    """Each case of the table: what the one refuses the other refuses, what the one takes the other takes."""
    wrong = []
    for case in CASES:
        plural = _PLURALS[case.document["kind"]]
        path = f"/apis/dispatch.dev/v1alpha1/namespaces/{space}/{plural}?dryRun=All&fieldValidation=Strict"
        spec = case.document.get("spec")
        user = spec.get("by") if isinstance(spec, dict) else None
        answer = request(installed.sandbox, "POST", path, case.document, user=user)
        refused = answer["kind"] == "Status"
        if refused != (case.field is not None):
            wrong.append(f"{case.name}: the server says {answer.get('message', 'yes')}")
        elif refused and answer["code"] not in (400, 422):
            wrong.append(f"{case.name}: {answer['code']} {answer.get('message')}")
    assert wrong == []


def test_the_server_says_a_rule_between_fields_in_our_words(installed: Installed, space: str) -> None:
    document = application("web", space, render={"helm": {}, "plain": {}}, dependsOn=["web"])
    path = f"/apis/dispatch.dev/v1alpha1/namespaces/{space}/applications"
    message = request(installed.sandbox, "POST", path, document)["message"]
    assert "names more than one renderer: keep one" in message
    assert "an Application cannot wait for itself" in message


def test_a_document_is_stored_with_its_defaults_and_reads_back_the_same(installed: Installed, space: str) -> None:
    given = whole_application()
    given["metadata"]["namespace"] = space
    (stored,) = put(installed.kube, [given])
    assert stored["spec"]["sync"]["prune"] is True
    assert stored["spec"]["sync"]["pruneLimit"] == 5
    assert stored["spec"]["render"]["helm"]["values"] == {"replicas": 2, "nothing": None}
    again, wanted = load(stored, Origin("stored")), load(given, Origin("given"))
    assert again.spec == wanted.spec
    (bare,) = put(installed.kube, [application("bare", space)])
    assert bare["spec"]["sync"] == {"mode": "Automatic", "prune": True, "pruneLimit": "25%", "timeout": "5m"}
    assert bare["spec"]["drift"] == {"correct": True}
    assert load(bare, Origin("stored")).spec == load(application("bare", space), Origin("given")).spec


def test_the_columns_that_kubectl_shows_say_how_it_is(installed: Installed, space: str) -> None:
    """By the request that `kubectl get` makes: the server fills the table."""
    condition = ready("True", "ReconciliationSucceeded", "applied main@sha1:01")
    applied = {"revision": "main@sha1:01", "at": "2026-11-23T15:00:00Z"}
    status = {"sync": "Synced", "health": "Healthy", "applied": applied, "conditions": [condition]}
    put(installed.kube, [application("web", space, status=status)])
    put(installed.kube, [repository("config", space, status={"revision": "main@sha1:01", "conditions": [condition]})])

    def shown(plural: str) -> dict[str, Any]:
        path = f"/apis/dispatch.dev/v1alpha1/namespaces/{space}/{plural}"
        table = request(installed.sandbox, "GET", path, accept="application/json;as=Table;v=v1;g=meta.k8s.io")
        (row,) = table["rows"]
        names = [f"{each['name']}{'*' * each['priority']}" for each in table["columnDefinitions"]]
        return dict(zip(names, row["cells"], strict=True))

    assert shown("applications") == {
        "Name": "web",
        "Sync": "Synced",
        "Health": "Healthy",
        "Revision": "main@sha1:01",
        "Age": ANY,
        "Message*": "applied main@sha1:01",
    }
    assert shown("repositories") == {
        "Name": "config",
        "URL": "https://git.example.com/config.git",
        "Revision": "main@sha1:01",
        "Ready": "True",
        "Age": ANY,
        "Webhook*": None,
        "Missed*": None,
        "Message*": "applied main@sha1:01",
    }


@pytest.fixture(scope="module")
def may(installed: Installed) -> Callable[..., bool]:
    """Whether the controller's account may do something, by the server's own answer."""

    def ask(verb: str, group: str, resource: str, namespace: str = "", name: str = "", subresource: str = "") -> bool:
        asked = {"verb": verb, "group": group, "resource": resource, "namespace": namespace, "name": name}
        spec = {"user": _ACCOUNT, "resourceAttributes": asked | {"subresource": subresource}}
        review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": spec}
        path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
        return bool(request(installed.sandbox, "POST", path, review)["status"]["allowed"])

    eventually(lambda: ask("patch", "apps", "deployments"))
    return ask


def test_the_controller_may_do_what_it_does(may: Callable[..., bool]) -> None:
    for kind in ("applications", "repositories", "notifiers"):
        assert all(may(verb, "dispatch.dev", kind) for verb in ("get", "list", "watch"))
        assert may("patch", "dispatch.dev", kind, subresource="status")
    for kind in ("rolloutactions", "applications"):
        assert may("list", "dispatch.dev", kind, "team-a")
    assert may("patch", "dispatch.dev", "rolloutactions", "team-a", subresource="status")
    assert may("delete", "dispatch.dev", "rolloutactions", "team-a")
    for kind in ("rollouts", "analysisruns"):
        assert all(may(verb, "argoproj.io", kind, "team-a") for verb in ("get", "list", "watch")), kind
    assert may("patch", "argoproj.io", "rollouts", "team-a", subresource="status")
    assert may("delete", "apps", "replicasets", "team-a")
    assert may("patch", "dispatch.dev", "applications", "team-a", "web")
    assert may("create", "", "events", "team-a")
    for group, kind in (("", "configmaps"), ("apps", "deployments"), ("batch", "jobs"), ("argoproj.io", "rollouts")):
        for verb in ("get", "list", "watch", "create", "patch", "delete"):
            assert may(verb, group, kind, "team-a"), (verb, kind)
    assert may("create", "", "namespaces")
    assert may("get", "", "secrets", "dispatch-system", "git-credentials")


def test_the_controller_may_not_do_what_it_does_not_need(may: Callable[..., bool]) -> None:
    for verb in ("list", "watch", "create", "patch", "delete"):
        assert not may(verb, "", "secrets"), verb
        assert not may(verb, "", "secrets", "dispatch-system"), verb
    assert not may("get", "", "secrets", "team-a", "any")
    for kind in ("clusterroles", "clusterrolebindings", "roles", "rolebindings"):
        for verb in ("create", "patch", "bind", "escalate"):
            assert not may(verb, "rbac.authorization.k8s.io", kind), (verb, kind)
    assert not may("delete", "", "namespaces", name="team-a")
    assert not may("create", "", "pods", "team-a", subresource="exec")
    assert not may("create", "", "serviceaccounts", "team-a", subresource="token")
    assert not may("impersonate", "", "users")
    assert not may("create", "apiextensions.k8s.io", "customresourcedefinitions")
    assert not may("create", "admissionregistration.k8s.io", "mutatingwebhookconfigurations")
    assert not may("create", "dispatch.dev", "applications", "team-a")
    assert not may("patch", "dispatch.dev", "notifiers", "team-a")
    assert not may("delete", "dispatch.dev", "applications", "team-a")
    for verb in ("create", "patch", "update"):
        assert not may(verb, "dispatch.dev", "rolloutactions", "team-a"), verb
        assert not may(verb, "argoproj.io", "analysisruns", "team-a"), verb
    assert not may("*", "*", "*")


def test_credentials_may_be_read_where_that_was_asked_for(installed: Installed, may: Callable[..., bool]) -> None:
    path = "/apis/rbac.authorization.k8s.io/v1/rolebindings"
    bindings = request(installed.sandbox, "GET", path)["items"]
    spaces = {each["metadata"]["namespace"] for each in bindings if each["metadata"]["name"] == "dispatch-credentials"}
    (other,) = spaces - {"dispatch-system"}
    assert may("get", "", "secrets", other, "git")
    assert not may("list", "", "secrets", other)


def test_a_labelled_role_widens_what_applications_may_contain(installed: Installed, may: Callable[..., bool]) -> None:
    assert not may("patch", "example.com", "widgets", "team-a")
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "dispatch-applier-widgets", "labels": {AGGREGATE: "true"}},
        "rules": [{"apiGroups": ["example.com"], "resources": ["widgets"], "verbs": ["patch"]}],
    }
    put(installed.kube, [role])
    eventually(lambda: may("patch", "example.com", "widgets", "team-a"))


@contextmanager
def _controlled(kubeconfig: Path, cache: Path) -> Iterator[None]:
    """A controller with the rights of this kubeconfig."""
    settings = app.Settings(kubeconfig=kubeconfig, cache=cache, allow_file_repositories=True)
    source, renderer, cluster = app.open_source(settings), app.open_renderer(settings), app.connect(settings)
    controller = app.build_controller(settings, source, renderer, cluster)
    failures: list[Exception] = []
    controller.start(failures.append)
    try:
        yield
    finally:
        controller.stop(within=10)
        for part in (renderer, source, cluster):
            part.close()
    assert failures == []


def test_the_controller_works_with_the_rights_that_install_gives(
    installed: Installed, may: Callable[..., bool], space: str, tmp_path: Path
) -> None:
    """Not as an administrator: with a token of its ServiceAccount it deploys, mends and prunes."""
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_as_the_controller(installed.sandbox)))
    with _controlled(kubeconfig, tmp_path / "cache"):
        team = Team(installed.kube, Somebody(installed.sandbox), space, tmp_path)
        team.push({"web/a.yaml": config_map("a", key="1"), "web/b.yaml": config_map("b", key="1")})
        team.read_repository()
        team.deploy("web", "web")
        team.until_ready("web")
        team.until_ready("web", team.push({"web/b.yaml": None}))
        assert team.gone("v1", "ConfigMap", "b")
        events = f"/api/v1/namespaces/{space}/events"
        eventually(lambda: request(installed.sandbox, "GET", events)["items"])
        team.push({"web/secret.yaml": "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\n"})
        assert "secrets" in team.until_reason("web", "Forbidden")


def test_a_controller_that_may_deploy_into_some_namespaces_only_works_in_those(
    installed: Installed, space: str, tmp_path: Path
) -> None:
    """As docs/install.md says: the role of what Applications may contain, bound in single namespaces."""
    other = fresh_namespace(installed.sandbox)
    account = {"kind": "ServiceAccount", "name": "narrow", "namespace": space}
    rbac = "rbac.authorization.k8s.io"
    bound: dict[str, Any] = {"apiVersion": f"{rbac}/v1", "subjects": [account], "metadata": {"name": f"narrow-{space}"}}
    role = {"apiGroup": rbac, "kind": "ClusterRole"}
    documents: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "narrow", "namespace": space}},
        {**bound, "kind": "ClusterRoleBinding", "roleRef": {**role, "name": "dispatch-controller"}},
    ]
    inside = {**bound, "kind": "RoleBinding", "roleRef": {**role, "name": "dispatch-applier"}}
    put(installed.kube, [*documents, {**inside, "metadata": {"name": "narrow", "namespace": space}}])
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(_as_the_controller(installed.sandbox, "narrow", space)))
    with _controlled(kubeconfig, tmp_path / "cache"):
        team = Team(installed.kube, Somebody(installed.sandbox), space, tmp_path)
        team.push({"web/a.yaml": config_map("a", key="1"), "web/b.yaml": config_map("b", key="1")})
        team.read_repository()
        team.deploy("web", "web")
        team.until_ready("web")
        team.edit("v1", "ConfigMap", "a", {"data": {"key": "by hand"}})
        eventually(lambda: (team.live("v1", "ConfigMap", "a") or {})["data"] == {"key": "1"})
        team.until_ready("web", team.push({"web/b.yaml": None}))
        assert team.gone("v1", "ConfigMap", "b")
        team.deploy("out", "web", destination={"namespace": other})
        assert f'in the namespace "{other}"' in team.until_reason("out", "Forbidden")
        put(installed.kube, [{**inside, "metadata": {"name": "narrow", "namespace": other}}])
        wish = {"metadata": {"annotations": {"dispatch.dev/sync": "now"}}}
        team.edit("dispatch.dev/v1alpha1", "Application", "out", wish)
        team.until_ready("out")


def _as_the_controller(
    sandbox: Sandbox, name: str = "dispatch-controller", namespace: str = "dispatch-system"
) -> dict[str, Any]:
    path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token"
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    token = request(sandbox, "POST", path, asked)["status"]["token"]
    given = {"server": sandbox.home.api_url, "certificate-authority": str(sandbox.home.authority)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "controller",
        "clusters": [{"name": "sandbox", "cluster": given}],
        "users": [{"name": "controller", "user": {"token": token}}],
        "contexts": [{"name": "controller", "context": {"cluster": "sandbox", "user": "controller"}}],
    }
