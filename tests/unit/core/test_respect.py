"""What is somebody else's stays as it is: neither set back nor deleted by what is sent."""

from __future__ import annotations

import copy
from typing import Any

from reconciler.core.compare import covers, in_sync
from reconciler.core.respect import respect
from reconciler.model.application import DriftIgnore

Document = dict[str, Any]
IMAGE = "/spec/template/spec/containers/[name=web]/image"


def container(document: Document) -> Document:
    found: Document = document["spec"]["template"]["spec"]["containers"][0]
    return found


def entry(live: Document, manager: str) -> Document:
    return next(entry for entry in live["metadata"]["managedFields"] if entry["manager"] == manager)


def test_an_object_that_is_not_there_gets_all_that_git_names(recorded: Any) -> None:
    document = recorded("applied").document
    assert respect(document, None, [DriftIgnore(fields=("/spec/replicas",))]) is document


def test_an_object_that_is_ours_alone_is_sent_as_it_is(recorded: Any) -> None:
    found = recorded("applied")
    assert respect(found.document, found.live) is found.document


def test_replicas_that_an_autoscaler_set_are_left_out_and_then_all_is_in_sync(recorded: Any) -> None:
    found = recorded("scaled-by-autoscaler")
    document = respect(found.document, found.live)
    assert "replicas" not in document["spec"]
    assert in_sync(found.live, document)
    assert found.document["spec"]["replicas"] == 2


def test_replicas_that_a_person_set_are_sent(recorded: Any) -> None:
    found = recorded("scaled-by-kubectl")
    assert respect(found.document, found.live)["spec"]["replicas"] == 2


def test_an_ignored_field_of_another_manager_is_left_out(recorded: Any) -> None:
    found = recorded("image-set")
    document = respect(found.document, found.live, [DriftIgnore(fields=(IMAGE,))])
    assert "image" not in container(document)
    assert in_sync(found.live, document)


def test_an_ignored_field_that_only_we_own_is_sent_as_it_is_live(recorded: Any) -> None:
    """Git may have moved on: what is ignored is not touched, and not deleted either."""
    found = recorded("applied")
    moved = copy.deepcopy(found.document)
    container(moved)["image"] = "nginx:9"
    assert container(respect(moved, found.live, [DriftIgnore(fields=(IMAGE,))]))["image"] == "nginx:1"


def test_an_ignored_field_that_only_we_own_survives_its_removal_from_git(recorded: Any) -> None:
    found = recorded("applied")
    moved = copy.deepcopy(found.document)
    del moved["spec"]["replicas"]
    document = respect(moved, found.live, [DriftIgnore(fields=("/spec/replicas",))])
    assert document["spec"]["replicas"] == 2
    assert in_sync(found.live, document)


def test_an_ignored_field_that_is_gone_is_not_brought_back(recorded: Any) -> None:
    found = recorded("env-removed")
    rule = DriftIgnore(fields=("/spec/template/spec/containers/[name=web]/env/[name=MODE]",))
    names = [item["name"] for item in container(respect(found.document, found.live, [rule]))["env"]]
    assert names == ["EMPTY", "POD"]


def test_an_ignored_whole_keeps_of_it_what_only_we_own(recorded: Any) -> None:
    found = recorded("image-set")
    rule = DriftIgnore(fields=("/spec/template",))
    document = respect(found.document, found.live, [rule])
    assert "image" not in container(document)
    assert container(document)["args"] == ["--quiet"]
    assert container(document)["name"] == "web"
    assert covers(found.live, document)


def test_a_part_of_what_is_replaced_as_a_whole_is_taken_from_the_live_object(recorded: Any) -> None:
    found = recorded("selector-changed")
    document = respect(found.document, found.live, [DriftIgnore(fields=("/spec/selector/app",))])
    assert document["spec"]["selector"] == {"app": "other"}


def test_a_manager_that_is_ignored_keeps_all_its_fields(recorded: Any) -> None:
    found = recorded("image-set")
    document = respect(found.document, found.live, [DriftIgnore(manager="kubectl-set")])
    assert "image" not in container(document)
    assert container(document)["args"] == ["--quiet"]


def test_which_object_it_is_and_whose_set_it_is_in_is_always_sent(recorded: Any) -> None:
    found = recorded("labelled")
    live = copy.deepcopy(found.live)
    entry(live, "kubectl-label")["fieldsV1"]["f:metadata"]["f:labels"]["f:applyset.kubernetes.io/part-of"] = {}
    live["metadata"]["labels"]["applyset.kubernetes.io/part-of"] = "applyset-theirs-v1"
    document = respect(found.document, live, [DriftIgnore(fields=("/",))])
    assert document["metadata"]["labels"]["applyset.kubernetes.io/part-of"] == "applyset-x-v1"
    assert (document["apiVersion"], document["kind"]) == ("apps/v1", "Deployment")
    assert (document["metadata"]["name"], document["metadata"]["namespace"]) == ("web", "default")


def test_what_is_left_out_leaves_no_empty_map_behind(recorded: Any) -> None:
    found = recorded("applied")
    live = copy.deepcopy(found.live)
    entry(live, "dispatch")["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]['k:{"name":"web"}'].pop(
        "f:resources"
    )
    limits: Document = {"f:resources": {"f:limits": {".": {}, "f:cpu": {}}}}
    theirs = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': limits}}}}}
    live["metadata"]["managedFields"].append(
        {"manager": "vpa", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": theirs}
    )
    document = respect(found.document, live, [DriftIgnore(manager="vpa")])
    assert "resources" not in container(document)
    assert in_sync(live, document)
