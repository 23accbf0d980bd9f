"""What is written is read back by Kubernetes' tools as it was."""

from __future__ import annotations

import json

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.render.documents.builder import Bounds, documents
from reconciler.cli.writing import as_json, as_yaml, as_yaml_stream

_TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff"))
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(min_value=-(2**53), max_value=2**53) | _TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(_TEXTS.filter(lambda key: key != "<<"), inner),
    max_leaves=20,
)


_SUBTLE = """
y n Y N yes on off true null ~ 0o755 0755 1e3 09 1_000 0x1f 12:30:45 190:20:30 2026-01-01 = .5 1. +1 .inf << - ? #
"""
_LAID_OUT = ["", " ", "a: b", "- a", "a #b", "two\nlines", "two\nlines\n", "\ttab", "trailing \nblank", "é", "\x07"]


@pytest.mark.parametrize("text", [*_SUBTLE.split(), *_LAID_OUT])
def test_text_stays_text(text: str) -> None:
    (document,) = documents(as_yaml({"value": text}).encode(), Bounds())

    assert document.value == {"value": text}
    assert yaml.safe_load(as_yaml({"value": text})) == {"value": text}


@given(_VALUES)
def test_every_value_is_read_back_as_it_was(value: object) -> None:
    (document,) = documents(as_yaml({"value": value}).encode(), Bounds())

    assert document.value == {"value": value}


def test_lines_of_a_text_are_lines_in_the_file() -> None:
    assert as_yaml({"script": "a\nb\n"}) == "script: |\n  a\n  b\n"


def test_keys_keep_their_order_and_shared_values_are_written_out() -> None:
    shared = {"app": "web"}

    assert as_yaml({"b": shared, "a": shared}) == "b:\n  app: web\na:\n  app: web\n"


def test_a_stream_has_all_documents() -> None:
    assert [*yaml.safe_load_all(as_yaml_stream([{"a": 1}, {"b": 2}]))] == [{"a": 1}, {"b": 2}]
    assert as_yaml_stream([]) == ""


def test_json_keeps_letters_and_ends_the_line() -> None:
    assert as_json({"b": "é", "a": 1}) == '{\n  "b": "é",\n  "a": 1\n}\n'
    assert json.loads(as_json([])) == []
