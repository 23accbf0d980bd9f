"""The Applications and Repositories as the watches last said: what wakes a key, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.applyset import applyset_id
from reconciler.engine.catalog import Catalog
from reconciler.engine.keys import Key
from reconciler.model.outcome import Reason, Terminal

WEB = Key("Application", "a", "web")
CONFIG = Key("Repository", "a", "config")


def application(
    version: int = 1, *, name: str = "web", generation: int = 1, spec: Any = None, **metadata: Any
) -> dict[str, Any]:
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Application",
        "metadata": {
            "name": name,
            "namespace": "a",
            "uid": f"uid-{name}",
            "generation": generation,
            "resourceVersion": str(version),
            **metadata,
        },
        "spec": spec or {"source": {"repository": "config", "path": name}},
    }


def repository(version: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "dispatch.dev/v1alpha1",
        "kind": "Repository",
        "metadata": {"name": "config", "namespace": "a", "uid": "uid-config", "resourceVersion": str(version)},
        "spec": {"url": "https://example.com/config.git"},
    }


@pytest.fixture
def moved() -> list[Key]:
    return []


@pytest.fixture
def catalog(moved: list[Key]) -> Catalog:
    return Catalog(moved.append)


def test_a_new_spec_wakes_the_key_and_a_status_of_our_own_does_not(catalog: Catalog, moved: list[Key]) -> None:
    catalog.observe(application(1))
    catalog.observe({**application(2), "status": {"sync": "Synced"}})
    catalog.observe(application(3, generation=2))
    assert moved == [WEB, WEB]


def test_a_wish_in_an_annotation_wakes_the_key_and_the_marks_of_membership_do_not(
    catalog: Catalog, moved: list[Key]
) -> None:
    catalog.observe(application(1))
    catalog.observe(application(2, annotations={"applyset.kubernetes.io/tooling": "dispatch/v0.1.0"}))
    assert moved == [WEB]
    catalog.observe(application(3, annotations={"dispatch.dev/sync": "now"}))
    assert moved == [WEB, WEB]


def test_an_older_event_does_not_undo_a_newer_answer(catalog: Catalog) -> None:
    catalog.observe({**application(5), "status": {"sync": "Synced"}})
    catalog.observe(application(4))
    document = catalog.document(WEB)
    assert document is not None and document["status"] == {"sync": "Synced"}


def test_an_unreadable_document_is_an_error_of_its_own_key_only(catalog: Catalog) -> None:
    catalog.observe(application(1, spec={"source": {"repository": "config", "pathh": "x"}}))
    catalog.observe(application(1, name="other"))
    with pytest.raises(Terminal, match="pathh") as caught:
        catalog.application(WEB)
    assert caught.value.reason is Reason.INVALID_SPEC
    assert catalog.application(Key("Application", "a", "other")) is not None


def test_what_a_relist_does_not_name_is_gone(catalog: Catalog, moved: list[Key]) -> None:
    catalog.observe(application(1))
    catalog.observe(repository())
    catalog.listing("Application")
    catalog.listed("Application")
    assert catalog.application(WEB) is None
    assert catalog.repository(CONFIG) is not None
    assert moved[-1] == WEB


def test_a_repository_knows_its_readers_and_an_application_its_dependents(catalog: Catalog) -> None:
    catalog.observe(application(1, name="db"))
    catalog.observe(application(1, spec={"source": {"repository": "config", "path": "web"}, "dependsOn": ["db"]}))
    catalog.observe(application(1, name="else", spec={"source": {"repository": "another"}}))
    assert {key.name for key, _ in catalog.applications_of(CONFIG)} == {"db", "web"}
    assert catalog.dependents_of(Key("Application", "a", "db")) == [WEB]


def test_an_applyset_belongs_to_its_application_and_to_no_repository_of_the_same_name(catalog: Catalog) -> None:
    catalog.observe(application(1, name="config"))
    catalog.observe(repository())
    assert catalog.owner(applyset_id("config", "a")) == Key("Application", "a", "config")
    catalog.remove(repository())
    assert catalog.owner(applyset_id("config", "a")) == Key("Application", "a", "config")


def test_a_promotion_is_found_from_each_of_its_applications_and_they_from_it(catalog: Catalog) -> None:
    environments = [
        {"name": "staging", "applications": ["web-staging", "worker-staging"]},
        {"name": "production", "applications": ["web", "worker"], "gates": [{"hold": True}]},
    ]
    metadata = {"name": "shop", "namespace": "a", "uid": "uid-shop", "resourceVersion": "1"}
    document = {"apiVersion": "dispatch.dev/v1alpha1", "kind": "Promotion", "metadata": metadata}
    catalog.observe(document | {"spec": {"environments": environments}})
    shop = Key("Promotion", "a", "shop")
    ((promotion, environment),) = catalog.environments_of(Key("Application", "a", "worker"))
    assert (promotion, environment.name) == (shop, "production")
    assert catalog.environments_of(Key("Application", "b", "worker")) == []
    assert [key.name for key in catalog.members_of(shop)] == ["web-staging", "worker-staging", "web", "worker"]
    catalog.remove(document)
    assert catalog.members_of(shop) == [] == catalog.environments_of(WEB)
