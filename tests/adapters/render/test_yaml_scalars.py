"""Scalars as kubectl 1.32 reads them: each answer was taken from `kubectl annotate --local -o json`.

go.yaml.in/yaml/v2 and sigs.k8s.io/yaml are the source of the rules.
"""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.adapters.render.documents.builder import BadText, Bounds, documents

KUBECTL = {
    "0o755": 493,
    "1e3": 1000,
    "12:30:45": "12:30:45",
    "190:20:30": "190:20:30",
    "1:30": "1:30",
    "2026-01-01": "2026-01-01",
    "2026-01-01T00:00:00Z": "2026-01-01T00:00:00Z",
    "=": "=",
    "<<": "<<",
    "y": True,
    "n": False,
    "yes": True,
    "NO": False,
    "on": True,
    "nO": "nO",
    "oFF": "oFF",
    "09": 9,
    "08.5": 8.5,
    "00": 0,
    "017": 15,
    "-017": -15,
    "0_7": 7,
    "07_7": 63,
    "0o17": 15,
    "+0o17": 15,
    "-0o17": -15,
    "0O17": 15,
    "0o8": "0o8",
    "0b11": 3,
    "-0b11": -3,
    "0B11": 3,
    "0b": "0b",
    "0b12": "0b12",
    "0x_1": 1,
    "0X1F": 31,
    "-0x1F": -31,
    "0x": "0x",
    "0x1p4": "0x1p4",
    "0xFFFFFFFFFFFFFFFFFF": "0xFFFFFFFFFFFFFFFFFF",
    "1_000": 1000,
    "1__0": 10,
    "1_0.5": 10.5,
    "_1": "_1",
    "+1": 1,
    "++1": "++1",
    "-0": 0,
    "-0.0": 0,
    "1.0": 1,
    "1.": 1,
    ".5": 0.5,
    "-.5": -0.5,
    "1e+3": 1000,
    "1E3": 1000,
    "1.e3": 1000,
    "1e5_0": 1e50,
    "1.5e": "1.5e",
    "1e400": "1e400",
    "1e-7": 1e-7,
    "1e21": 1e21,
    "1.23456789012345678": 1.2345678901234567,
    "9223372036854775807": 9223372036854775807,
    "-9223372036854775808": -9223372036854775808,
    "-9223372036854775809": -9223372036854775808.0,
    "18446744073709551615": 18446744073709551615.0,
    "18446744073709551616": 18446744073709551616.0,
    "123456789012345678901234567890": 1.2345678901234568e29,
    "1.5.2": "1.5.2",
    "1,000": "1,000",
    "inf": "inf",
    "infinity": "infinity",
    "nan": "nan",
    "~": None,
    "": None,
    "Null": None,
    "nULL": "nULL",
    '"1"': "1",
    "'yes'": "yes",
    "! 12": "12",
    "!foo bar": "bar",
    "!!str 1": "1",
    "!!str null": "null",
    '!!int "1"': 1,
    "!!int 0o7": 7,
    "!!float 1": 1,
    '!!float "1e3"': 1000,
    '!!bool "yes"': True,
    "!!timestamp 2020-01-01": "2020-01-01",
    "!!binary aGVsbG8=": "hello",
    '!!binary "/w=="': "\N{REPLACEMENT CHARACTER}",
    "!!map {b: 1}": {"b": 1},
    "!!set {x: null}": {"x": None},
    r'"\xe9"': "é",
}

KEYS = {
    "y": "true",
    "off": "false",
    "1": "1",
    "0x10": "16",
    "1.0": "1",
    "1.5": "1.5",
    "1e3": "1000",
    "1e6": "1e+06",
    "1e-5": "1e-05",
    ".inf": ".inf",
    "-.inf": "-.inf",
    ".nan": ".nan",
    "1e39": ".inf",
    '"1"': "1",
    "2026-01-01": "2026-01-01",
}


def read(text: str) -> Any:
    (document,) = documents(text.encode(), Bounds())
    return document.value


@pytest.mark.parametrize(("text", "value"), KUBECTL.items())
def test_a_scalar_means_what_it_means_to_kubectl(text: str, value: object) -> None:
    found = read(f"a: {text}\n")["a"]
    assert found == value
    assert isinstance(found, bool) == isinstance(value, bool)
    assert isinstance(found, float) == isinstance(value, float)


@pytest.mark.parametrize(("text", "key"), KEYS.items())
def test_a_key_is_the_text_that_kubectl_makes_of_it(text: str, key: str) -> None:
    assert read(f"{{{text}: v}}") == {key: "v"}


@pytest.mark.parametrize("text", [".inf", ".Inf", "+.inf", "-.INF", ".nan"])
def test_a_number_that_json_does_not_have_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(BadText, match="JSON has no NaN and no infinity") as caught:
        read(f"b: 1\na: {text}\n")
    assert caught.value.line == 2


@pytest.mark.parametrize("text", ["!!int x", "!!bool 1", "!!null x", "!!float yes", '!!binary "%%"'])
def test_a_value_that_is_not_what_its_tag_says_is_refused(text: str) -> None:
    with pytest.raises(BadText, match=r"tag"):
        read(f"a: {text}")


@pytest.mark.parametrize("text", ["~", "null"])
def test_a_null_key_is_refused(text: str) -> None:
    with pytest.raises(BadText, match="a key is null"):
        read(f"{{{text}: 1}}")
