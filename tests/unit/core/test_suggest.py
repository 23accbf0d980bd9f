"""A wrong word is told the nearest right one, or nothing."""

from __future__ import annotations

import pytest

from reconciler.model.suggest import nearest


@pytest.mark.parametrize(
    ("word", "found"),
    [
        ("pruneLimt", "pruneLimit"),
        ("PRUNELIMIT", "pruneLimit"),
        ("prunelimit", "pruneLimit"),
        ("mod", "mode"),
        ("zzz", None),
        ("", None),
    ],
)
def test_the_nearest_known_word(word: str, found: str | None) -> None:
    assert nearest(word, ["mode", "prune", "pruneLimit", "timeout"]) == found


def test_no_known_words_give_no_suggestion() -> None:
    assert nearest("mode", []) is None
