"""The server's no becomes what, where, why and a way out. The messages are those of Kubernetes 1.35."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.refusals import explain, may_pass, may_replace
from reconciler.model.change import Refusal
from reconciler.model.identity import ObjectId
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

ID = ObjectId("apps", "Deployment", "team-a", "web")


def manifest(**annotations: str) -> Manifest:
    document: dict[str, Any] = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}}
    if annotations:
        document["metadata"]["annotations"] = {f"dispatch.dev/{name}": text for name, text in annotations.items()}
    return Manifest(document, Origin("deploy/web.yaml", 12))


def explained(code: int, message: str, reason: str = "", *causes: str, retry_after: float | None = None) -> StageError:
    refusal = Refusal(code, reason, message, tuple(("spec", cause) for cause in causes), retry_after)
    return explain(refusal, manifest(), ID)


IMMUTABLE = [
    ("a Deployment's selector", 'Invalid value: {"matchLabels":{"app":"x"}}: field is immutable'),
    ("a Job's template", "Invalid value: {}: field is immutable"),
    ("an immutable ConfigMap", "Forbidden: field is immutable when `immutable` is set"),
    ("a Service's address", 'Invalid value: ["None"]: may not change once set'),
    ("a binding's role", 'Invalid value: {"Kind":"Role","Name":"b"}: cannot change roleRef'),
    ("a StatefulSet", "Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"),
    ("a Pod", "Forbidden: pod updates may not change fields other than `spec.containers[*].image`"),
    ("a PriorityClass", "Forbidden: may not be changed in an update."),
    ("a StorageClass", "Forbidden: updates to parameters are forbidden."),
    ("a claim", "Forbidden: spec is immutable after creation except resources.requests for bound claims\n@@ -1 +1 @@"),
    ("a CEL rule", "Invalid value: Value is immutable"),
]


@pytest.mark.parametrize("cause", [cause for _, cause in IMMUTABLE], ids=[name for name, _ in IMMUTABLE])
def test_an_unchangeable_field_is_told_how_to_replace(cause: str) -> None:
    error = explained(422, f'Deployment.apps "web" is invalid: spec: {cause}', "Invalid", cause)
    assert isinstance(error, Terminal)
    assert error.reason is Reason.IMMUTABLE_FIELD
    assert "deploy/web.yaml:12: Deployment.apps/team-a/web" in error.message
    assert "dispatch.dev/replace: allowed" in error.message


def test_a_field_that_is_wrong_besides_is_no_reason_to_replace() -> None:
    error = explained(422, "is invalid", "Invalid", "field is immutable", "Required value")
    assert error.reason is Reason.OBJECT_REFUSED
    assert "dispatch.dev/replace" not in error.message


def test_a_conflict_or_an_invalid_value_is_not_immutable() -> None:
    """Flux takes each 409 and 422 for it, and would delete what was only misspelt."""
    assert explained(409, "the object has been modified", "Conflict").reason is Reason.CONFLICT
    assert explained(422, "is invalid", "Invalid", "Unsupported value").reason is Reason.OBJECT_REFUSED


def test_a_very_long_message_keeps_its_beginning_and_its_end() -> None:
    cause = f"Invalid value: {{{'x' * 20_000}}}: field is immutable"
    message = explained(422, f'Job.batch "j" is invalid: spec.template: {cause}', "Invalid", cause).message
    assert len(message) < 1500
    assert "spec.template" in message
    assert "field is immutable" in message


TERMINAL = [
    (
        500,
        "failed to create typed patch object (/w; apps/v1, Kind=Deployment): .spec.foo: field not declared in schema",
    ),
    (500, "failed to convert new object (/s; /v1, Kind=Secret) to proper version: illegal base64 data at input byte 0"),
    (400, "strict decoding error: unknown field"),
    (413, "Request entity too large"),
    (422, "ConfigMap is invalid: []: Too long: may not be more than 1048576 bytes"),
    (403, 'pods "x" is forbidden: violates PodSecurity "restricted:latest"'),
    (403, 'admission webhook "policy.example" denied the request: no'),
]


@pytest.mark.parametrize(("code", "said"), TERMINAL)
def test_a_wrong_object_stalls_until_it_is_changed(code: int, said: str) -> None:
    error = explained(code, said)
    assert isinstance(error, Terminal)
    assert error.reason is Reason.OBJECT_REFUSED
    assert said in error.message
    assert "deploy/web.yaml:12" in error.message


PASSING = [
    (0, "connection refused", Reason.CLUSTER_UNREACHABLE),
    (401, "Unauthorized", Reason.FORBIDDEN),
    (403, 'pods "x" is forbidden: exceeded quota: q, requested: cpu=1', Reason.OBJECT_REFUSED),
    (403, "unable to create new content in namespace n because it is being terminated", Reason.NAMESPACE_MISSING),
    (404, 'namespaces "nope" not found', Reason.NAMESPACE_MISSING),
    (404, "the server could not find the requested resource", Reason.UNKNOWN_KIND),
    (409, "the object has been modified", Reason.CONFLICT),
    (422, "the server rejected our request due to an error in our request", Reason.CONFLICT),
    (429, "too many requests", Reason.CLUSTER_BUSY),
    (500, 'Internal error occurred: failed calling webhook "x": connection refused', Reason.CLUSTER_BUSY),
    (503, "apiserver is shutting down", Reason.CLUSTER_BUSY),
    (504, "request timed out", Reason.CLUSTER_BUSY),
]


@pytest.mark.parametrize(("code", "said", "reason"), PASSING)
def test_what_may_pass_by_itself_is_tried_again(code: int, said: str, reason: Reason) -> None:
    error = explained(code, said)
    assert isinstance(error, Transient)
    assert error.reason is reason
    assert said in error.message


def test_a_missing_right_is_named() -> None:
    said = (
        'configmaps is forbidden: User "system:serviceaccount:a:b" cannot patch resource "configmaps" in API group ""'
    )
    error = explained(403, said)
    assert isinstance(error, Terminal)
    assert error.reason is Reason.FORBIDDEN
    assert said in error.message


def test_a_missing_namespace_is_named() -> None:
    assert "Create the namespace nope" in explained(404, 'namespaces "nope" not found').message


def test_the_wish_of_the_server_to_wait_is_kept() -> None:
    error = explained(429, "too many requests", retry_after=7.0)
    assert isinstance(error, Transient)
    assert error.retry_after == 7.0


def test_only_the_annotation_allows_a_replacement() -> None:
    assert may_replace(manifest(replace="allowed"))
    assert not may_replace(manifest(replace="true"))
    assert not may_replace(manifest())


@pytest.mark.parametrize(
    ("code", "message", "passing"),
    [
        (429, "too many requests", True),
        (500, 'failed calling webhook "x": connection refused', True),
        (500, "etcdserver: request timed out", True),
        (500, "failed to create typed patch object (/w; apps/v1, Kind=Deployment): .spec.foo: not declared", False),
        (500, "failed to convert new object (/s; /v1, Kind=Secret) to proper version: illegal base64 data", False),
        (501, "not implemented", False),
        (422, "is invalid", False),
    ],
)
def test_a_verdict_on_the_object_is_not_asked_for_again(code: int, message: str, passing: bool) -> None:
    assert may_pass(code, message) is passing
