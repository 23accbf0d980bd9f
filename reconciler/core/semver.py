"""Versions and ranges of versions: SemVer 2.0 precedence, and ranges as node-semver and Masterminds/semver read them.

A tag may have a leading `v`. A tag of fewer than three numbers (`1.2`) is no version: registries move those.
A pre-release fits a range only if a comparator of the same alternative names one, and never as the pre-release of the
first version that is too new: `2.0.0-rc.1` is not in `>=1.0.0-0 <2`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from reconciler.model.image import COMPARATOR_PATTERN, PARTIAL_PATTERN, PRE_PATTERN, RANGE_PATTERN

_VERSION = re.compile(
    rf"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?P<pre>{PRE_PATTERN}))?(?:\+[0-9A-Za-z.-]+)?", re.ASCII
)
_LONGEST = 128
_RELEASE: tuple[Any, ...] = (1,)
# Before every pre-release: a bound that leaves out those of its own version, too.
_LOWEST: tuple[Any, ...] = (0,)

Key = tuple[int, int, int, tuple[Any, ...]]


class Version(NamedTuple):
    """`pre` is empty for a release. Build metadata has no meaning for the order and is left out."""

    major: int
    minor: int
    patch: int
    pre: str = ""

    @property
    def key(self) -> Key:
        """Sorts as SemVer 2.0, section 11."""
        return self.major, self.minor, self.patch, _pre_key(self.pre)

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}" + (f"-{self.pre}" if self.pre else "")


def parse(text: str) -> Version | None:
    """The version that a tag says; None for a tag that is none."""
    found = _VERSION.fullmatch(text) if len(text) <= _LONGEST else None
    return Version(int(found[1]), int(found[2]), int(found[3]), found["pre"] or "") if found else None


@dataclass(frozen=True, slots=True)
class _Alternative:
    """All `tests` hold; pre-releases count only where one is named."""

    tests: tuple[Callable[[Key], bool], ...]
    pre: bool


@dataclass(frozen=True, slots=True)
class Range:
    """One or more alternatives. `text` is how it was written."""

    text: str
    _alternatives: tuple[_Alternative, ...]

    def holds(self, version: Version) -> bool:
        key = version.key
        return any(
            (each.pre or not version.pre) and all(test(key) for test in each.tests) for each in self._alternatives
        )


def parse_range(text: str) -> Range:
    """Raises ValueError for a text that is no range."""
    if len(text) > 2 * _LONGEST or not re.fullmatch(RANGE_PATTERN, text):
        raise ValueError(f"{text!r} is no range of versions: write such as ^1.2, ~1.2.3, >=1.0 <2, 1.x or 1.2 - 1.4")
    return Range(text, tuple(_alternative(part.strip()) for part in text.split("||")))


def _alternative(text: str) -> _Alternative:
    if hyphen := re.fullmatch(rf"(?P<low>{PARTIAL_PATTERN}) +- +(?P<high>{PARTIAL_PATTERN})", text):
        pairs = [(">=", hyphen["low"]), ("<=", hyphen["high"])]
    else:
        found = re.finditer(COMPARATOR_PATTERN, text)
        pairs = [(each[2] or "=", each[0].removeprefix(each[1] or "")) for each in found]
    partials = [(operator, _partial(written)) for operator, written in pairs]
    tests = tuple(test for operator, partial in partials for test in _tests(operator, partial))
    return _Alternative(tests, any(partial.pre for _, partial in partials))


class _Partial(NamedTuple):
    """The numbers that are given, none of them after an `x`."""

    numbers: tuple[int, ...]
    pre: str

    def low(self) -> Key:
        major, minor, patch = (*self.numbers, 0, 0, 0)[:3]
        return major, minor, patch, _pre_key(self.pre) if len(self.numbers) == 3 else _RELEASE

    def after(self, kept: int) -> Key | None:
        """The first version in which one of the first `kept` numbers is greater; None when none is kept."""
        kept = min(kept, len(self.numbers))
        if kept == 0:
            return None
        numbers = (*self.numbers[: kept - 1], self.numbers[kept - 1] + 1, 0, 0)
        return numbers[0], numbers[1], numbers[2], _LOWEST


def _partial(text: str) -> _Partial:
    core, _, pre = text.removeprefix("v").partition("-")
    numbers: list[int] = []
    for part in core.split("."):
        if part in ("x", "X", "*"):
            break
        numbers.append(int(part))
    return _Partial(tuple(numbers), pre if len(numbers) == 3 else "")


def _tests(operator: str, partial: _Partial) -> list[Callable[[Key], bool]]:
    whole, low = len(partial.numbers) == 3, partial.low()
    if operator == ">=":
        return [_from(low)]
    if operator == ">":
        following = partial.after(len(partial.numbers))
        return [lambda key: key > low] if whole else [_from(_release(following))] if following else [_nothing]
    if operator == "<":
        return [_below(low if partial.pre else (*low[:3], _LOWEST))] if partial.numbers else [_nothing]
    if operator == "<=" and whole:
        return [lambda key: key <= low]
    if operator == "=" and whole:
        return [lambda key: key == low]
    kept = {"^": _leading(partial.numbers), "~": 2}.get(operator, len(partial.numbers))
    upper = [_below(following)] if (following := partial.after(kept)) else []
    return upper if operator == "<=" else [_from(low), *upper]


def _leading(numbers: tuple[int, ...]) -> int:
    """How many numbers `^` keeps: up to the first that is not 0, for before 1.0 a minor version may break."""
    return next((place + 1 for place, number in enumerate(numbers) if number), len(numbers))


def _from(bound: Key) -> Callable[[Key], bool]:
    return lambda key: key >= bound


def _below(bound: Key) -> Callable[[Key], bool]:
    return lambda key: key < bound


def _nothing(key: Key) -> bool:
    return False


def _release(key: Key) -> Key:
    return (*key[:3], _RELEASE)


def _pre_key(pre: str) -> tuple[Any, ...]:
    if not pre:
        return _RELEASE
    return (0, *((0, int(part), "") if part.isdecimal() else (1, 0, part) for part in pre.split(".")))
