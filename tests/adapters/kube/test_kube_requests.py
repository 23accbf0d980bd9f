"""Requests as values: where they go and what they carry."""

from __future__ import annotations

import json
from types import MappingProxyType
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kube import requests
from reconciler.adapters.kube.requests import Applying, Unsendable
from reconciler.model.change import Resource

CONFIGMAPS = Resource("v1", "ConfigMap", "configmaps", True)
DEPLOYMENTS = Resource("apps/v1", "Deployment", "deployments", True)
ROLES = Resource("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", False)


def applied(resource: Resource, metadata: dict[str, object], **options: bool) -> requests.Request:
    applying = Applying(dry_run=options.get("dry_run", False), force=options.get("force", True), seconds=30)
    return applying.request(resource, {"metadata": metadata})


def test_each_kind_has_its_path() -> None:
    assert requests.path(CONFIGMAPS, "shop", "web") == "/api/v1/namespaces/shop/configmaps/web"
    assert requests.path(DEPLOYMENTS, "shop", "web", "status") == "/apis/apps/v1/namespaces/shop/deployments/web/status"
    assert requests.path(ROLES, "", "admin") == "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin"
    assert requests.collection(CONFIGMAPS) == "/api/v1/configmaps"


def test_a_namespace_on_a_cluster_scoped_object_is_not_in_its_path() -> None:
    target = urlsplit(applied(ROLES, {"name": "admin", "namespace": "shop"}).target.decode())
    assert target.path == "/apis/rbac.authorization.k8s.io/v1/clusterroles/admin"


def test_an_apply_names_its_manager_and_is_strict() -> None:
    request = applied(CONFIGMAPS, {"name": "web", "namespace": "shop"}, dry_run=True, force=False)
    query = parse_qs(urlsplit(request.target.decode()).query)
    assert query["fieldManager"] == ["dispatch"]
    assert query["fieldValidation"] == ["Strict"]
    assert query["dryRun"] == ["All"]
    assert query["force"] == ["false"]
    assert b"Content-Type: application/apply-patch+yaml\r\n" in request.head


@given(name=st.text(min_size=1, max_size=40), namespace=st.text(min_size=1, max_size=40))
def test_no_name_can_leave_its_place_in_a_request(name: str, namespace: str) -> None:
    try:
        target = applied(CONFIGMAPS, {"name": name, "namespace": namespace}).target
    except UnicodeEncodeError:
        return
    path, _, query = target.partition(b"?")
    assert path.count(b"/") == 6
    assert all(33 <= byte < 127 for byte in target)
    assert query == applied(CONFIGMAPS, {"name": "a", "namespace": "b"}).target.partition(b"?")[2]


@pytest.mark.parametrize(
    "metadata", [{}, {"name": ""}, {"namespace": "shop"}, {"name": "web"}, {"name": "web", "namespace": ""}]
)
def test_an_object_without_a_place_is_not_sent(metadata: dict[str, object]) -> None:
    with pytest.raises(Unsendable, match=r"metadata\.name"):
        applied(CONFIGMAPS, metadata)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_is_no_json_is_not_sent(value: object) -> None:
    with pytest.raises(Unsendable, match="JSON"):
        requests.encode({"spec": value})


def test_read_only_mappings_are_sent_as_objects() -> None:
    assert json.loads(requests.encode(MappingProxyType({"a": MappingProxyType({"b": ("c",)})}))) == {"a": {"b": ["c"]}}


def test_a_delete_is_bound_to_one_uid() -> None:
    request = requests.delete(CONFIGMAPS, "shop", "web", "1-2-3")
    options = json.loads(request.body)
    assert options["preconditions"] == {"uid": "1-2-3"}
    assert options["propagationPolicy"] == "Background"
    with pytest.raises(Unsendable, match="uid"):
        requests.delete(CONFIGMAPS, "shop", "web", "")


def test_a_map_is_a_merge_patch_and_a_list_a_json_patch() -> None:
    merge = requests.patch(CONFIGMAPS, "shop", "web", {"data": None}, "")
    steps = requests.patch(CONFIGMAPS, "shop", "web", [{"op": "remove", "path": "/data/a"}], "")
    assert b"application/merge-patch+json" in merge.head
    assert b"application/json-patch+json" in steps.head
    assert merge.repeatable
    assert not steps.repeatable


def test_a_create_is_sent_once() -> None:
    assert not requests.create(CONFIGMAPS, "shop", {}).repeatable
    with pytest.raises(Unsendable, match="namespace"):
        requests.create(CONFIGMAPS, "", {})
