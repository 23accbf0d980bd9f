"""Of a Secret one sees that a value changed, and nothing of what it is."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from reconciler.core.mask import mask, mask_pair, mask_value
from reconciler.model.identity import ObjectId

SECRET_ID = ObjectId("", "Secret", "n", "s")


def encoded(text: str) -> str:
    return b64encode(text.encode()).decode()


def secret(**data: str) -> dict[str, Any]:
    last_applied = json.dumps({"data": data})
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "s",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": last_applied, "a": "b"},
        },
        "type": "Opaque",
        "data": {key: encoded(value) for key, value in data.items()},
    }


def test_values_are_hidden_and_all_else_is_shown() -> None:
    masked = mask(secret(password="hunter2"))
    assert masked["data"]["password"].startswith("*** (")
    assert masked["metadata"] == {"name": "s", "annotations": {"a": "b"}}
    assert masked["type"] == "Opaque"


def test_the_same_value_looks_the_same_and_another_does_not() -> None:
    one, same, other = (mask(secret(k=value))["data"]["k"] for value in ("hunter2", "hunter2", "hunter3"))
    assert one == same != other


@pytest.mark.parametrize(
    "document",
    [
        {"apiVersion": "v1", "kind": "Secret", "stringData": {"k": "hunter2"}},
        {"apiVersion": "v1", "kind": "Secret", "stringdata": {"k": "hunter2"}},
        {"apiVersion": "v1", "kind": "Secret", "data": "hunter2"},
        {"apiVersion": "v1", "kind": "Secret", "data": {"k": {"nested": ["hunter2"]}}},
        {"apiVersion": "v1", "kind": "Secret", "password": "hunter2"},
        {"kind": "Secret", "data": {"k": "hunter2"}},
    ],
)
def test_a_value_in_the_wrong_place_is_hidden_too(document: dict[str, Any]) -> None:
    assert "hunter2" not in json.dumps(mask(document))
    assert "hunter2" not in json.dumps(mask_pair(document, {}))
    assert "hunter2" not in json.dumps(mask_pair(document, document))
    assert "hunter2" not in json.dumps(mask_pair(None, document))


def test_beside_each_other_a_change_is_marked_before_and_after() -> None:
    live, wanted = mask_pair(secret(same="x", changed="1", left="y"), secret(same="x", changed="2", came="z"))
    assert live is not None and wanted is not None
    assert live["data"] == {"same": "***", "changed": "*** (before)", "left": "***"}
    assert wanted["data"] == {"same": "***", "changed": "*** (after)", "came": "***"}


def test_one_side_alone_is_hidden() -> None:
    live, wanted = mask_pair(None, secret(k="v"))
    assert live is None
    assert wanted is not None and wanted["data"] == {"k": "***"}


def test_what_is_no_secret_is_shown() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"k": "v"}}
    custom = {"apiVersion": "vault.example/v1", "kind": "Secret", "data": {"path": "v"}}
    assert mask(config) == config
    assert mask_pair(config, custom) == (config, custom)


def test_a_single_field_of_a_secret_is_hidden_unless_it_cannot_hold_one() -> None:
    assert mask_value(SECRET_ID, ("data", "k"), "aHVudGVyMg==") == "***"
    assert mask_value(SECRET_ID, ("data",), {"k": "aHVudGVyMg=="}) == "***"
    assert mask_value(SECRET_ID, ("type",), "Opaque") == "Opaque"
    assert mask_value(SECRET_ID, ("metadata", "labels", "a"), "b") == "b"
    assert mask_value(SECRET_ID, ("data", "k"), None) is None
    last_applied = ("metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration")
    assert mask_value(SECRET_ID, last_applied, '{"data":{}}') == "***"
    assert mask_value(ObjectId("", "ConfigMap", "n", "c"), ("data", "k"), "v") == "v"


def test_masking_leaves_the_document_alone() -> None:
    document = secret(k="v")
    before = json.dumps(document)
    mask(document)
    mask_pair(document, document)
    assert json.dumps(document) == before
