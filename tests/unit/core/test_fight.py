"""Correcting rests when somebody puts the same field back each time."""

from __future__ import annotations

from reconciler.core.fight import Fight, fighting


def test_five_corrections_in_ten_minutes_are_patience_and_six_are_a_fight() -> None:
    assert not fighting([0, 100, 200, 300, 400], now=400)
    assert fighting([0, 100, 200, 300, 400, 500], now=500)


def test_corrections_outside_the_window_do_not_count() -> None:
    assert not fighting([0, 100, 200, 300, 400, 500], now=600)
    assert not fighting([0, 1000, 2000, 3000, 4000, 5000, 6000], now=6000)


def test_a_fight_is_remembered_and_ends_when_it_said() -> None:
    fight = Fight()
    for now in range(0, 60, 10):
        assert not fight.on(now)
        fight = fight.corrected(now)
    assert fight.on(50)
    assert fight.over_at() == 600
    assert fight.on(599.9)
    assert not fight.on(fight.over_at())


def test_a_long_fight_keeps_only_what_counts() -> None:
    fight = Fight()
    for now in range(0, 100_000, 200):
        fight = fight.corrected(now)
    assert len(fight.times) == 3
    assert fight.over_at() == 0
