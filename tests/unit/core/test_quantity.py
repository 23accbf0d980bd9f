"""Two spellings of one quantity."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.core.quantity import same_quantity


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, "1"), ("1000m", 1), (0.5, "500m"), ("0.001", "1m"), ("1024Mi", "1Gi"), ("2e3", "2k"), ("1.5Gi", "1536Mi")],
)
def test_the_same_number_in_other_words(one: Any, other: Any) -> None:
    assert same_quantity(one, other)
    assert same_quantity(other, one)


@pytest.mark.parametrize(
    ("one", "other"), [(1, "2"), ("1G", "1Gi"), ("a", "a"), ("1x", "1x"), (True, 1), (None, None), ("", "")]
)
def test_another_number_or_none_at_all(one: Any, other: Any) -> None:
    assert not same_quantity(one, other)
