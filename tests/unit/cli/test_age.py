"""Ages read as kubectl's."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.cli.age import age, moment, stamp

NOW = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("past", "words"),
    [
        (timedelta(), "0s"),
        (timedelta(seconds=119), "119s"),
        (timedelta(minutes=2), "2m"),
        (timedelta(minutes=179), "179m"),
        (timedelta(hours=3, minutes=20), "3h20m"),
        (timedelta(hours=47), "47h"),
        (timedelta(days=2, hours=3), "2d3h"),
        (timedelta(days=3), "3d"),
        (timedelta(days=90, hours=5), "90d"),
        (timedelta(seconds=-30), "0s"),
    ],
)
def test_an_age_has_the_units_that_tell_something(past: timedelta, words: str) -> None:
    assert age(NOW - past, NOW) == words


def test_a_time_of_the_server_is_read() -> None:
    assert age("2026-11-23T15:55:00Z", NOW) == "5m"
    assert stamp("2026-11-23T16:55:00+01:00") == "2026-11-23 15:55:00Z"


@pytest.mark.parametrize("nothing", [None, "", "yesterday"])
def test_what_is_no_time_has_no_age(nothing: str | None) -> None:
    assert (age(nothing, NOW), stamp(nothing), moment(nothing)) == ("", "", None)
