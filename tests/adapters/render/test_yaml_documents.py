"""Documents: where they start, what is refused before it is built, and that no text brings the reader down."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.render.documents.builder import BadText, Bounds, documents
from reconciler.adapters.render.documents.worker import answers


def read(text: str) -> list[Any]:
    return [document.value for document in documents(text.encode(), Bounds())]


def refused(text: str, bounds: Bounds | None = None) -> BadText:
    with pytest.raises(BadText) as caught:
        list(documents(text.encode(), bounds or Bounds()))
    return caught.value


def answer(text: str, bounds: Bounds | None = None) -> dict[str, Any]:
    (found,) = answers([text.encode()], bounds or Bounds())
    decoded: dict[str, Any] = json.loads(found)
    return decoded


def test_every_document_knows_the_line_of_its_first_word() -> None:
    text = "# a comment\n\na: 1\n---\n\n# another\nb: 2\n---\n--- \nc: 3\n"
    assert [(d.value, d.line) for d in documents(text.encode(), Bounds())] == [
        ({"a": 1}, 3),
        ({"b": 2}, 7),
        ({"c": 3}, 10),
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing\n", "---\n---\n", "---\n...\n", "~", "null\n---\n"])
def test_empty_documents_are_left_out(text: str) -> None:
    assert read(text) == []


@pytest.mark.parametrize(
    ("text", "value"), [("a: |\n  x\n  y", "x\ny\n"), ("a: |-\n  x", "x"), ("a: >+\n  x\n  y", "x y\n"), ("a: x", "x")]
)
def test_a_last_line_without_an_end_is_read_as_kubectl_reads_it(text: str, value: str) -> None:
    assert read(text) == [{"a": value}]


def test_items_of_a_list_know_their_lines() -> None:
    text = "kind: List\nitems:\n- a: 1\n- {b: [{c: 1}]}\n-\n  items: [{x: 1}]\n"
    (document,) = documents(text.encode(), Bounds())
    assert document.item_lines == (3, 4, 6)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", 3),
        ("x:\n  k: 1\n  'k': 2\n", 3),
        ("1: a\n'1': b\n", 2),
        ("yes: a\ntrue: b\n", 2),
        ('{"a": 1,\n "a": 2}', 2),
    ],
)
def test_a_key_that_is_there_twice_is_refused_with_its_line(text: str, line: int) -> None:
    message, found, bound = answer(text)["bad"]
    assert "is here twice" in message
    assert (found, bound) == (line, False)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: [1\nb: 2\n", 2, "did not find expected"),
        ("a: 1\n\tb: 2\n", 2, "tab character"),
        ("b: 1\na: [001:db8::]\n", 2, "write text that ends with a colon in quotes"),
        ("a: b: c\n", 1, "write text with a colon and a space in it in quotes"),
        ("a: @x\n", 1, "write text that starts with @ ` or % in quotes"),
        ("a: 1\nb\n", 3, "a line has no key"),
        ("a: *nowhere\n", 1, "no anchor before it"),
        ("a: &a\n  - *a\n", 2, "contains itself"),
        ("? {a: 1}\n: 2\n", 1, "a key is a mapping or a list"),
        ("a: &a [1]\n*a : 2\n", 2, "a key is an alias"),
        ("a: 1\n<<: 2\n", 2, "is not a mapping"),
        ("a: 1\nb: \x00\n", 2, "not text"),
        ("a: 1\n...\nb: 2\n", 3, "document start"),
    ],
)
def test_text_that_is_no_yaml_is_refused_with_its_line(text: str, line: int, message: str) -> None:
    bad = refused(text)
    assert message in bad.message
    assert (bad.line, bad.bound) == (line, False)


def test_an_alias_is_what_its_anchor_stands_for() -> None:
    assert read("a: &x {k: [1, two]}\nb: *x\nc: [*x]\nd: &s text\n*s : key\n") == [
        {"a": {"k": [1, "two"]}, "b": {"k": [1, "two"]}, "c": [{"k": [1, "two"]}], "d": "text", "text": "key"}
    ]


def test_an_anchor_can_be_given_again_and_is_forgotten_with_its_document() -> None:
    assert read("[&a 1, *a, &a 2, *a]") == [[1, 1, 2, 2]]
    assert "no anchor" in refused("&a 1\n---\n*a\n").message


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("{m: &m {a: 1, b: 2}, r: {<<: *m, a: 9}}", {"a": 9, "b": 2}),
        # go-yaml v2, and so kubectl, lets a merge win over what stands before it.
        ("{m: &m {a: 1, b: 2}, r: {a: 9, <<: *m, c: 3}}", {"a": 1, "b": 2, "c": 3}),
        ("{m: &m {a: 1, b: 2}, r: {<<: [*m, {a: 7, q: 8}], a: 3}}", {"a": 3, "b": 2, "q": 8}),
        ("{m: &m {a: 1}, r: {'<<': *m}}", {"<<": {"a": 1}}),
    ],
)
def test_a_merge_counts_where_it_stands(text: str, merged: dict[str, Any]) -> None:
    assert read(text)[0]["r"] == merged


def test_a_key_written_twice_around_a_merge_is_still_twice() -> None:
    assert "is here twice" in refused("{m: &m {a: 1}, r: {a: 1, <<: *m, a: 2}}").message


def test_nesting_is_bounded() -> None:
    assert read("[" * 200 + "]" * 200)
    assert refused("[" * 201).bound
    assert refused("{a: " * 100_000).bound
    assert answer('{"a":' * 201 + "1" + "}" * 201)["bad"][2]
    assert answer('{"a":' * 100_000)["bad"][2]


def test_nesting_by_aliases_is_bounded() -> None:
    steps = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 250))
    assert refused("a0: &a0 []\n" + steps).bound


def test_a_bomb_of_aliases_is_refused() -> None:
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    bad = refused("\n".join(lines))
    assert bad.bound
    assert "aliases stand for more than" in bad.message


def test_a_long_text_behind_many_aliases_is_refused() -> None:
    assert refused("a: &a " + "x" * 100_000 + "\nb: [" + "*a, " * 200 + "]").bound


def test_the_number_of_aliases_is_bounded() -> None:
    assert refused("a: &a 1\nb: [" + "*a, " * 11 + "]", Bounds(aliases=10)).bound


def test_json_is_read_as_json() -> None:
    text = '{"a": "\\ud83d\\ude00 \\/", "b": 1.0,\t"c": 18446744073709551616}\n\n{"d": [null, true]}'
    assert answer(text)["documents"] == [
        [{"a": "\N{GRINNING FACE} /", "b": 1, "c": 18446744073709551616.0}, 1, []],
        [{"d": [None, True]}, 3, []],
    ]


def test_flow_yaml_is_not_taken_for_broken_json() -> None:
    assert answer("{a: 1, # a comment\n b: yes}")["documents"] == [[{"a": 1, "b": True}, 1, []]]


def test_half_a_surrogate_pair_is_no_text() -> None:
    assert "bad" in answer('{"a": "\\ud83d"}')


def test_the_first_bad_file_ends_the_answer() -> None:
    found = [json.loads(each) for each in answers([b"a: 1", b"a: [", b"b: 2"], Bounds())]
    assert len(found) == 2
    assert "documents" in found[0]
    assert "bad" in found[1]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=30,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(st.characters(codec="utf-8"), min_size=1), VALUES, min_size=1))
def test_what_is_written_as_json_is_read_back(value: dict[str, Any]) -> None:
    assert answer(json.dumps(value))["documents"] == [[value, 1, []]]


@settings(max_examples=40)
@given(st.dictionaries(st.text("abcxyz -:#{}[],&*!|>'\"%@`\n0123456789.", min_size=1), VALUES, min_size=1))
def test_what_is_written_as_yaml_is_read_back(value: dict[str, Any]) -> None:
    text = yaml.dump(value, Dumper=_Quoting, allow_unicode=True)
    assert read(text) == [value]


class _Quoting(yaml.SafeDumper):
    """Quotes all text, since PyYAML's own idea of what needs quotes is not that of go-yaml."""


_Quoting.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))


@given(st.text("ab1.-:#{}[],&*!|>'\"%@`\n\t <~yn\\", max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    found = answer(text)
    if "bad" in found:
        assert found["bad"][0]
        return
    for value, line, _ in found["documents"]:
        assert 1 <= line <= text.count("\n") + 1
        assert _is_json(value)


def _is_json(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(key, str) for key in value) and all(map(_is_json, value.values()))
    if isinstance(value, list):
        return all(map(_is_json, value))
    return not isinstance(value, float) or math.isfinite(value)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    (found,) = answers([data], Bounds())
    assert set(json.loads(found)) in ({"bad"}, {"documents"})
