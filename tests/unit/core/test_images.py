"""Which tag is wanted: never an older one, never a vetoed one, whatever the registry's order is."""

from __future__ import annotations

import pytest

from reconciler.core.images import choose, vetoed
from reconciler.model.image_feed import ImagePolicy, NewestPolicy

SEMVER = ImagePolicy(semver=">=1.0 <2")
BUILD = ImagePolicy(newest=NewestPolicy(pattern=r"main-[0-9a-f]+-(?P<build>[0-9]+)"))
DATE = ImagePolicy(newest=NewestPolicy(pattern=r"(?P<order>[0-9-]+T[0-9-]+)"))
MAIN = ImagePolicy(digest="main")
OF_TWO, OF_THREE = f"sha256:{'2' * 64}", f"sha256:{'3' * 64}"


@pytest.mark.parametrize(
    ("policy", "tags", "best"),
    [
        (SEMVER, ["1.9.0", "1.10.0", "2.0.0", "latest", "1.11.0-rc.1"], "1.10.0"),
        (SEMVER, ["v1.2.0", "1.1.0"], "v1.2.0"),
        (SEMVER, ["1.1.0", "2026-11-26", "2026.11.26", "2026.01.02", "20261126"], "1.1.0"),
        (SEMVER, ["1.1.0", "1.2.0-rc.9", "1.2.0-2026.11.26"], "1.1.0"),
        (BUILD, ["main-abc-9", "main-abc-10", "pr-abc-99", "main-x"], "main-abc-10"),
        (DATE, ["2026-11-26T05-08", "2026-11-26T05-10", "2025-12-31T23-59"], "2026-11-26T05-10"),
        (MAIN, ["main", "1.0.0"], "main"),
    ],
)
def test_the_best_tag_does_not_depend_on_the_order_of_the_list(policy: ImagePolicy, tags: list[str], best: str) -> None:
    assert choose(policy, tags).tag == best
    assert choose(policy, reversed(tags)).tag == best


def test_a_build_that_ended_late_does_not_take_the_folder_back() -> None:
    late = choose(BUILD, ["main-abc-9"], current=["main-abc-10"])
    assert not late.tag
    assert "main-abc-9 is the newest" in late.why
    assert "main-abc-10, which is written now" in late.why


def test_what_is_written_stays_when_nothing_is_better() -> None:
    assert choose(SEMVER, ["1.1.0", "1.2.0"], current=["1.2.0"]).tag == "1.2.0"


def test_the_newest_of_two_that_are_written_counts() -> None:
    assert choose(SEMVER, ["1.1.0", "1.2.0"], current=["1.1.0", "1.3.0"]).tag == ""


def test_a_tag_that_the_policy_cannot_order_gives_way() -> None:
    assert choose(SEMVER, ["1.1.0"], current=["latest"]).tag == "1.1.0"


def test_a_written_version_above_the_range_is_not_taken_back() -> None:
    assert choose(SEMVER, ["1.1.0", "2.1.0"], current=["2.1.0"]).tag == ""


def test_a_vetoed_tag_gives_way_to_the_next_best() -> None:
    assert choose(SEMVER, ["1.1.0", "1.2.0"], refused=["1.2.0"]).tag == "1.1.0"
    assert "every tag that fits" in choose(SEMVER, ["1.2.0"], refused=["1.2.0"]).why
    assert "was vetoed" in choose(MAIN, ["main"], refused=["main"]).why


def test_why_there_is_none_names_the_policy() -> None:
    assert choose(SEMVER, ["3.0.0"]).why == "none of 1 tags fits semver >=1.0 <2"
    assert choose(MAIN, ["3.0.0"]).why == "the registry has no tag main"


def test_what_is_no_tag_is_not_taken() -> None:
    assert choose(ImagePolicy(newest=NewestPolicy(pattern=r".*(?P<build>[0-9]+)")), ["a 1", "../2"]).tag == ""


def test_a_veto_is_on_the_digest_whatever_the_tag_is_called() -> None:
    images = [f"r.example/shop:2@{OF_TWO}", "r.example/shop:3", "r.example/other:1", "not an image"]
    assert vetoed(images, "r.example/shop", {"3": OF_THREE}.__getitem__) == {OF_TWO, OF_THREE}


def test_a_vetoed_tag_that_is_gone_from_the_registry_vetoes_nothing() -> None:
    assert vetoed(["r.example/shop:3"], "r.example/shop", lambda tag: "") == frozenset()
