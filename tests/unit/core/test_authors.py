"""Whose hand a manager is."""

from __future__ import annotations

import pytest

from reconciler.core.authors import is_autoscaler, is_person


@pytest.mark.parametrize(
    "manager", ["kubectl", "kubectl-edit", "kubectl-client-side-apply", "k9s", "Lens", "node-fetch", "Mozilla", "oc"]
)
def test_tools_of_people(manager: str) -> None:
    assert is_person(manager)


@pytest.mark.parametrize(
    "manager",
    ["kube-controller-manager", "rollouts-controller", "dispatch", "helm", "argocd-controller", "k9", "kubectlx", ""],
)
def test_controllers_and_names_not_known(manager: str) -> None:
    assert not is_person(manager)


def test_who_scales_by_duty_and_who_by_hand() -> None:
    assert is_autoscaler({"manager": "kube-controller-manager", "subresource": "scale"})
    assert is_autoscaler({"manager": "keda", "subresource": "scale"})
    assert not is_autoscaler({"manager": "kubectl", "subresource": "scale"})
    assert not is_autoscaler({"manager": "kube-controller-manager"})
