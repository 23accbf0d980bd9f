"""Ranges say yes and no as node-semver and Masterminds do."""

from __future__ import annotations

import pytest

from reconciler.core.semver import parse, parse_range

FITS = [
    ("^1.2", "1.9.0"),
    ("^0.2.3", "0.2.9"),
    ("^0.0.3", "0.0.3"),
    ("^0", "0.9.0"),
    ("^1.2.3-beta.2", "1.2.3-beta.4"),
    ("~1.2.3", "1.2.9"),
    ("~1", "1.9.9"),
    (">=1.0 <2", "1.5.0"),
    (">=1.0,<2", "1.1.0"),
    (">=1.0.0-0 <2", "1.5.0-rc.1"),
    (">1", "2.0.0"),
    ("<=1.2", "1.2.7"),
    ("<= 1.2.3", "1.2.3"),
    ("1.x", "1.0.0"),
    ("*", "3.0.0"),
    ("1.2 - 1.4", "1.4.9"),
    ("1 || 3", "3.1.1"),
    ("= 1.2.3", "1.2.3"),
    ("1.2.3", "v1.2.3"),
]
DOES_NOT_FIT = [
    ("^1.2", "2.0.0"),
    ("^1.2", "1.3.0-rc.1"),
    ("^0.2.3", "0.3.0"),
    ("^0.0.3", "0.0.4"),
    ("~1.2.3", "1.3.0"),
    (">=1.0 <2", "1.5.0-rc.1"),
    (">=1.0.0-0 <2", "2.0.0-rc.1"),
    (">=1.0.0-0 <2.0.0", "2.0.0-rc.1"),
    (">1", "1.9.9"),
    ("<=1.2", "1.3.0"),
    ("<1.2", "1.2.0"),
    ("*", "1.0.0-a"),
    ("1.2.3", "1.2.3-a"),
    ("1.0.0-0 || 3", "3.0.0-rc.1"),
    ("<*", "1.0.0"),
    (">*", "1.0.0"),
]


@pytest.mark.parametrize(("text", "version"), FITS)
def test_a_version_is_in_the_range(text: str, version: str) -> None:
    found = parse(version)
    assert found is not None
    assert parse_range(text).holds(found)


@pytest.mark.parametrize(("text", "version"), DOES_NOT_FIT)
def test_a_version_is_not_in_the_range(text: str, version: str) -> None:
    found = parse(version)
    assert found is not None
    assert not parse_range(text).holds(found)


@pytest.mark.parametrize("text", ["", "foo", "1..2", ">=", "1.2.3.4", "^^1", "01.2.3", ">=1 |", "1.2 -", "1" * 300])
def test_what_is_no_range_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write such as"):
        parse_range(text)


@pytest.mark.parametrize("tag", ["latest", "1.2", "1", "v1", "1.2.3.4", "1.02.3", "1.2.3-", "1.2.3-01", "main-1.2.3"])
def test_a_tag_that_is_no_version_is_none(tag: str) -> None:
    assert parse(tag) is None


def test_the_order_is_that_of_the_specification() -> None:
    # SemVer 2.0, section 11.
    pres = ("-alpha", "-alpha.1", "-alpha.beta", "-beta", "-beta.2", "-beta.11", "-rc.1", "")
    told = [f"1.0.0{pre}" for pre in pres]
    versions = [found for text in told if (found := parse(text)) is not None]
    assert [str(each) for each in sorted(versions, key=lambda each: each.key)] == told


def test_a_range_of_many_blanks_is_read_at_once() -> None:
    with pytest.raises(ValueError, match="no range"):
        parse_range("1" + "   1" * 60 + " !")
