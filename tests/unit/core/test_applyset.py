"""Membership is written as KEP-3659 demands it, so that kubectl reads it."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode

from reconciler.core import applyset
from reconciler.model.identity import GroupKind, ObjectId


def formula(name: str, namespace: str, kind: str, group: str) -> str:
    encoded = urlsafe_b64encode(hashlib.sha256(f"{name}.{namespace}.{kind}.{group}".encode()).digest())
    return f"applyset-{encoded.decode().rstrip('=')}-v1"


def test_the_formula_gives_the_id_that_the_kubernetes_documentation_shows() -> None:
    shown = "applyset-0eFHV8ySqp7XoShsGvyWFQD3s96yqwHmzc4e0HR1dsY-v1"
    assert formula("my-set", "test", "Secret", "") == shown


def test_the_id_is_the_formula_of_an_application() -> None:
    assert applyset.applyset_id("web", "team-a") == formula("web", "team-a", "Application", "dispatch.dev")


def test_an_id_is_a_valid_label_value_and_differs_by_namespace() -> None:
    id = applyset.applyset_id("web", "team-a")
    assert len(id) <= 63
    assert id != applyset.applyset_id("web", "team-b")


def test_a_dot_in_a_name_does_not_make_two_applications_one() -> None:
    """A name may hold dots and a namespace may not, so the joined text stays unambiguous."""
    assert applyset.applyset_id("a.b", "c") != applyset.applyset_id("a", "b")


def test_the_parent_names_its_tool_its_kinds_and_its_other_namespaces() -> None:
    kinds = [GroupKind("apps", "Deployment"), GroupKind("", "ConfigMap"), GroupKind("apps", "Deployment")]
    annotations = applyset.parent_annotations(kinds, ["b", "a", "", "own"], own="own")
    assert annotations["applyset.kubernetes.io/contains-group-kinds"] == "ConfigMap,Deployment.apps"
    assert annotations["applyset.kubernetes.io/additional-namespaces"] == "a,b"
    tool, _, version = annotations["applyset.kubernetes.io/tooling"].partition("/")
    assert tool == "dispatch"
    assert version.startswith("v")
    assert applyset.parent_labels("web", "team-a") == {
        "applyset.kubernetes.io/id": applyset.applyset_id("web", "team-a")
    }


def test_the_kinds_are_read_back_from_the_annotations() -> None:
    kinds = {GroupKind("apps", "Deployment"), GroupKind("", "ConfigMap"), GroupKind("argoproj.io", "Rollout")}
    assert applyset.contained_kinds(applyset.parent_annotations(kinds, [])) == kinds
    assert applyset.contained_kinds({}) == frozenset()
    assert applyset.contained_kinds(applyset.parent_annotations([], [])) == frozenset()


def test_an_object_of_a_set_that_nobody_has_is_refused_with_the_command_that_hands_it_over() -> None:
    id = ObjectId("apps", "Deployment", "staging", "web")
    said = applyset.belongs_to(id, "applyset-x-v1", "", "Application team/new")
    assert "applyset-x-v1" in said and "Application team/new wants it too" in said
    assert said.endswith("kubectl label deployment.apps web -n staging applyset.kubernetes.io/part-of-")
    assert "-n " not in applyset.belongs_to(ObjectId("", "Namespace", "", "staging"), "applyset-x-v1", "")


def test_an_object_of_another_application_is_refused_with_its_name() -> None:
    id = ObjectId("", "ConfigMap", "staging", "web")
    said = applyset.belongs_to(id, "applyset-x-v1", "team/old")
    assert said == "ConfigMap/staging/web belongs to Application team/old: remove it from one of the two"
