"""The server's no, read: what it says, and what it must never say."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kube.mask import FRAGMENT, hide, secrets_of
from reconciler.adapters.kube.refusal import MAX_MESSAGE, refusal
from reconciler.adapters.kube.wire import Head, Response


def said(code: int, message: str, reason: str = "", **details: Any) -> Response:
    status = {"kind": "Status", "status": "Failure", "code": code, "message": message, "details": details}
    return Response(Head(code, media="application/json"), json.dumps(status | {"reason": reason}).encode())


def secret(**fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, **fields}


def test_the_causes_name_fields_and_what_is_wrong_with_them() -> None:
    causes = [{"reason": "FieldValueRequired", "message": "Required value", "field": "spec.selector"}]
    found = refusal(said(422, 'Deployment.apps "a" is invalid', "Invalid", causes=causes))
    assert (found.code, found.reason) == (422, "Invalid")
    assert found.causes == (("spec.selector", "Required value"),)


def test_an_object_against_its_schema_is_invalid_and_not_an_error_of_the_server() -> None:
    found = refusal(
        said(
            500,
            "failed to create typed patch object (ns/a; apps/v1, Kind=Deployment): errors:\n"
            '  .spec.template.spec.containers[name="a"].imag: field not declared in schema\n'
            "  .spec.replica: field not declared in schema",
        )
    )
    assert (found.code, found.reason) == (422, "Invalid")
    assert found.causes == (
        ('spec.template.spec.containers[name="a"].imag', "field not declared in schema"),
        ("spec.replica", "field not declared in schema"),
    )


def test_the_strict_decoder_names_its_fields_too() -> None:
    found = refusal(
        said(400, 'strict decoding error: unknown field "spec.foo", duplicate field "spec.bar"', "BadRequest")
    )
    assert found.causes == (("spec.foo", "unknown field"), ("spec.bar", "duplicate field"))


def test_an_error_of_the_server_stays_one() -> None:
    assert refusal(said(500, "etcdserver: leader changed")).code == 500
    assert refusal(said(500, "failed calling webhook", "InternalError")).reason == "InternalError"


def test_the_wait_that_the_server_asks_for_is_told() -> None:
    assert refusal(said(429, "slow down", "TooManyRequests", retryAfterSeconds=4)).retry_after == 4.0


@pytest.mark.parametrize(
    "body", [b"", b"<html>bad gateway</html>", b"[1]", b'{"kind": "ConfigMap"}', b"\xff\xfe", b'{"kind":"Status"}']
)
def test_any_body_gives_a_refusal_with_words(body: bytes) -> None:
    found = refusal(Response(Head(502, media="text/html"), body))
    assert found.code == 502
    assert "502" in found.message
    assert "<html>" not in found.message


def test_plain_text_is_repeated() -> None:
    found = refusal(
        Response(Head(429, media="text/plain; charset=utf-8", retry_after=1.0), b"Too many requests,\nplease wait")
    )
    assert found.message.endswith("Too many requests, please wait")
    assert found.retry_after == 1.0


def test_a_long_message_is_cut() -> None:
    assert len(refusal(said(422, "x" * 100_000, "Invalid")).message) <= MAX_MESSAGE + 3


@given(
    value=st.text(alphabet=st.characters(codec="utf-8"), min_size=FRAGMENT, max_size=200),
    field=st.sampled_from(["stringData", "data"]),
)
def test_no_piece_of_a_secret_is_left_in_what_the_server_says(value: str, field: str) -> None:
    encoded = base64.b64encode(value.encode()).decode()
    document = secret(**{field: {"key": encoded if field == "data" else value}})
    half = value[: len(value) // 2 + 4]
    shown = f"Invalid value: {json.dumps(value)}: got {value} or {encoded} and {half}, {encoded[3:]}"
    found = refusal(
        said(422, shown, "Invalid", causes=[{"field": "data[key]", "message": shown}]), secrets_of(document)
    )
    for text in (found.message, found.causes[0][1]):
        for whole in (value, encoded):
            assert all(whole[at : at + FRAGMENT] not in text for at in range(len(whole) - FRAGMENT + 1))
    assert found.causes[0][0] == "data[key]"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (secret(stringData={"pin": 12345678}), "expected string, got &value.valueUnstructured{Value:12345678}"),
        (secret(stringData={"pin": 1234}), "expected string, got &value.valueUnstructured{Value:1234}"),
        (secret(stringData={"list": ["hunter2"]}), 'got &value{Value:[]interface {}{"hunter2"}}'),
        (secret(stringData={"key": "-----BEGIN KEY-----\nMIIEvQIBADANBg\n"}), "bad PEM: MIIEvQIBADANBg"),
        (secret(data={"key": base64.b64encode(b"hunter2").decode()}), 'Invalid value: "hunter2"'),
        (secret(stringData={"key": 'say "hunter2" twice'}), r'Invalid value: "say \"hunter2\" twice"'),
    ],
)
def test_a_secret_is_masked_in_the_form_in_which_it_is_quoted(document: dict[str, Any], message: str) -> None:
    hidden = hide(message, secrets_of(document))
    assert "***" in hidden
    assert not any(word in hidden for word in ("hunter2", "1234", "MIIEvQ"))


def test_a_short_secret_is_masked_where_it_stands_alone_and_the_words_stay() -> None:
    hidden = hide(
        'Secret "s" is invalid: data[a]: Invalid value: "a": a name', secrets_of(secret(stringData={"a": "a"}))
    )
    assert hidden == 'Secret "s" is invalid: data[***]: Invalid value: "***": *** name'


def test_only_secrets_are_masked() -> None:
    assert secrets_of({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "plain text here"}}) == frozenset()
    assert (
        secrets_of({"apiVersion": "example.com/v1", "kind": "Secret", "data": {"a": "plain text here"}}) == frozenset()
    )
