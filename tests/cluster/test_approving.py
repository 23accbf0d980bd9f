"""Who may approve, by the API server's own judgement: the role and the policy that `dispatch install` brings."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from kind_cases import hotfix, rollout_action
from persons import bind, install, person, user
from sandbox_fixtures import fresh_namespace
from team import eventually

from reconciler.adapters.kube.cluster import KubeCluster, connect
from reconciler.core.installation import APPROVER, FIXER
from reconciler.model.change import Answer, Refusal, Resource
from reconciler.sandbox.platform import Sandbox

_ACTIONS = Resource("dispatch.dev/v1alpha1", "RolloutAction", "rolloutactions", True)
_FIXES = Resource("dispatch.dev/v1alpha1", "Hotfix", "hotfixes", True)

Known = Callable[[str], KubeCluster]


@pytest.fixture(scope="module")
def installed(apiserver: Sandbox) -> Iterator[KubeCluster]:
    """The session's API server with what `dispatch install` applies, as its administrator sees it."""
    with closing(connect(apiserver.kubeconfig)) as kube:
        install(kube)
        yield kube


@pytest.fixture
def space(apiserver: Sandbox) -> str:
    return fresh_namespace(apiserver)


@pytest.fixture
def known(installed: KubeCluster, apiserver: Sandbox, space: str, tmp_path: Path) -> Iterator[Known]:
    """Somebody of a name, without any right."""
    with ExitStack() as open_ones:
        yield lambda name: open_ones.enter_context(
            closing(connect(person(installed, apiserver, space, name, tmp_path / name)))
        )


def action(name: str, by: str, **metadata: Any) -> dict[str, Any]:
    document = copy.deepcopy(rollout_action())
    document["metadata"] = {"name": name, **metadata}
    document["spec"]["by"] = by
    return document


def created(answer: Answer) -> dict[str, Any]:
    assert not isinstance(answer, Refusal), answer
    return answer


def refused(answer: Answer) -> Refusal:
    assert isinstance(answer, Refusal), answer
    return answer


def test_an_approver_asks_in_their_own_name(installed: KubeCluster, known: Known, space: str) -> None:
    ada = known("ada")
    bind(installed, space, "ada", APPROVER)
    eventually(lambda: ada.allowed("create", _ACTIONS, space))
    stored = created(ada.create(_ACTIONS, space, action("mine", user(space, "ada"))))
    assert stored["spec"]["by"] == user(space, "ada")
    assert ada.read(_ACTIONS, space, "mine") is not None


def test_an_approver_cannot_ask_in_somebody_elses_name(installed: KubeCluster, known: Known, space: str) -> None:
    ada = known("ada")
    bind(installed, space, "ada", APPROVER)
    eventually(lambda: ada.allowed("create", _ACTIONS, space))
    for other in (user(space, "bob"), "sandbox-administrator", user(space, "ada").upper(), f" {user(space, 'ada')}"):
        answer = refused(ada.create(_ACTIONS, space, action("theirs", other)))
        assert answer.code == 403
        assert f"spec.by must be {user(space, 'ada')}: nobody approves in the name of somebody else" in answer.message
    assert installed.read(_ACTIONS, space, "theirs") is None


def test_not_even_an_administrator_can(installed: KubeCluster, space: str) -> None:
    assert refused(installed.create(_ACTIONS, space, action("a", user(space, "ada")))).code == 403
    (answer,) = installed.apply([(_ACTIONS, action("b", user(space, "ada"), namespace=space))])
    assert refused(answer).code == 403
    created(installed.create(_ACTIONS, space, action("c", "sandbox-administrator")))


def test_a_hotfix_is_brought_by_who_may_and_in_their_own_name(installed: KubeCluster, known: Known, space: str) -> None:
    ada = known("ada")
    bind(installed, space, "ada", FIXER)
    eventually(lambda: ada.allowed("create", _FIXES, space))
    assert not ada.allowed("create", _ACTIONS, space)
    document = hotfix()
    document["spec"]["by"] = user(space, "bob")
    assert refused(ada.create(_FIXES, space, document)).code == 403
    document["spec"]["by"] = user(space, "ada")
    stored = created(ada.create(_FIXES, space, document))
    longer = {**document, "metadata": {"name": "shop-cve", "namespace": space}}
    longer["spec"] = {**stored["spec"], "expiresAfter": "7d"}
    (answer,) = installed.apply([(_FIXES, longer)])
    assert "cannot be changed" in refused(answer).message


@pytest.mark.parametrize("role", ["none", "view", "edit", "admin"])
def test_without_the_role_nobody_may_ask(installed: KubeCluster, known: Known, space: str, role: str) -> None:
    bob = known("bob")
    if role != "none":
        bind(installed, space, "bob", role)
    answer = refused(bob.create(_ACTIONS, space, action("mine", user(space, "bob"))))
    assert answer.code == 403
    assert f'User "{user(space, "bob")}" cannot create resource "rolloutactions"' in answer.message


def test_an_approval_cannot_be_changed_answered_or_taken_away_by_an_approver(
    installed: KubeCluster, known: Known, space: str
) -> None:
    ada = known("ada")
    bind(installed, space, "ada", APPROVER)
    eventually(lambda: ada.allowed("create", _ACTIONS, space))
    stored = created(ada.create(_ACTIONS, space, action("mine", user(space, "ada")) | {"status": {"state": "Done"}}))
    assert "status" not in stored
    patches: list[tuple[dict[str, Any], str]] = [({"spec": {"step": 2}}, ""), ({"status": {"state": "Done"}}, "status")]
    for patch, subresource in patches:
        assert refused(ada.patch(_ACTIONS, space, "mine", patch, subresource)).code == 403
    (answer,) = ada.delete([(_ACTIONS, space, "mine", stored["metadata"]["uid"])])
    assert refused(answer).code == 403
    assert refused(ada.patch(Resource("argoproj.io/v1alpha1", "Rollout", "rollouts", True), space, "web", {})).code in (
        403,
        404,
    )


def test_what_was_asked_is_changed_by_nobody(installed: KubeCluster, space: str) -> None:
    created(installed.create(_ACTIONS, space, action("mine", "sandbox-administrator")))
    for patch in ({"by": user(space, "ada")}, {"step": 2}, {"step": None}, {"podHash": "other"}, {"reason": "x"}):
        answer = refused(installed.patch(_ACTIONS, space, "mine", {"spec": patch}))
        assert answer.code == 422
        assert "cannot be changed: create another RolloutAction" in answer.message


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"applyset.kubernetes.io/part-of": "applyset-x-v1"}},
        {"finalizers": ["example.com/keep"]},
        {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "u"}]},
    ],
)
def test_an_action_is_nobodys_property(installed: KubeCluster, space: str, metadata: dict[str, Any]) -> None:
    answer = refused(installed.create(_ACTIONS, space, action("owned", "sandbox-administrator", **metadata)))
    assert answer.code == 422
    assert "carries no owner, no finalizer and no label of an ApplySet" in answer.message


def test_labels_of_ones_own_are_fine(installed: KubeCluster, space: str) -> None:
    created(installed.create(_ACTIONS, space, action("mine", "sandbox-administrator", labels={"team": "a"})))
