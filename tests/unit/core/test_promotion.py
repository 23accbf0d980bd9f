"""What goes from one environment to the next, and how it is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.errand import of_promotion
from reconciler.core.promotion import (
    Candidate,
    copies,
    images_of,
    last_source,
    older_than,
    to_carry,
)
from reconciler.model.image import ImageRef

DIGEST = "sha256:" + "a" * 64
SHOP = of_promotion("team-a", "shop", "production")


def workload(kind: str, *images: str) -> dict[str, Any]:
    pod = {"spec": {"containers": [{"name": f"c{n}", "image": image} for n, image in enumerate(images)]}}
    spec = {"CronJob": {"jobTemplate": {"spec": {"template": pod}}}, "Pod": pod["spec"]}.get(kind, {"template": pod})
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


@pytest.mark.parametrize("kind", ["Deployment", "CronJob", "Pod", "Rollout"])
def test_the_images_of_every_workload_are_found(kind: str) -> None:
    assert images_of([workload(kind, "b:1", "a:1"), workload(kind, "a:1")]) == ("a:1", "b:1")


def test_what_is_no_workload_has_no_images() -> None:
    assert images_of([{"kind": "ConfigMap", "data": {"image": "x"}}, {"spec": "x"}, {"spec": {"template": 3}}]) == ()


@pytest.mark.parametrize(
    ("source", "target", "carried"),
    [
        (["shop:2"], ["shop:1"], ["shop:2"]),
        (["shop:1"], ["shop:1"], []),
        ([f"shop:1@{DIGEST}"], ["shop:1"], [f"shop:1@{DIGEST}"]),
        (["shop:2", "other:9"], ["shop:1"], ["shop:2"]),
        (["docker.io/library/shop:2"], ["shop:1"], ["docker.io/library/shop:2"]),
        (["shop:2", "shop:3"], ["shop:1"], []),
        (["$(IMAGE)"], ["shop:1"], []),
    ],
    ids=["newer", "same", "digest-pinned", "only-common-ones", "two-names-of-one", "two-versions-at-once", "no-image"],
)
def test_only_images_that_both_run_are_carried(source: list[str], target: list[str], carried: list[str]) -> None:
    assert [str(ref) for ref in to_carry(source, target)] == carried


@pytest.mark.parametrize(
    ("image", "running", "older"),
    [
        ("shop:1.9.0", "shop:2.0.0", True),
        ("shop:2.0.0-rc.1", "shop:2.0.0", True),
        ("shop:v1.9.0", "docker.io/library/shop:1.10.0", True),
        ("shop:2.0.0", "shop:2.0.0-rc.1", False),
        (f"shop:2.0.0@{DIGEST}", "shop:2.0.0", False),
        ("shop:1.9.0", "till:2.0.0", False),
        ("shop:main-41", "shop:main-42", False),
        ("shop:1.9.0", "shop:main-42", False),
        ("shop:1.9.0", "shop:2026-11-26", False),
    ],
)
def test_what_is_older_by_its_version_is_left(image: str, running: str, older: bool) -> None:
    wanted = to_carry([image], [running]) or to_carry([image], ["shop:0"])
    assert bool(older_than(wanted, [running])) is older


def test_files_are_copied_and_those_that_are_gone_are_taken_away() -> None:
    theirs = {"staging/d/a.txt": (0o100644, "1"), "staging/d/b.txt": (0o100644, "2")}
    ours = {"production/d/a.txt": (0o100644, "1"), "production/d/old.txt": (0o100644, "3")}
    assert copies(theirs, ours, "staging", "production") == {
        "production/d/b.txt": (0o100644, "2"),
        "production/d/old.txt": None,
    }


def test_the_same_content_has_the_same_name_and_other_content_another() -> None:
    one = Candidate((ImageRef("a", "1"), ImageRef("b", "2")))
    assert one.id == Candidate((ImageRef("b", "2"), ImageRef("a", "1"))).id
    assert one.id != Candidate((ImageRef("a", "1"), ImageRef("b", "3"))).id
    assert Candidate(files={"x": b"1"}).id != Candidate(files={"x": b"2"}).id
    assert not Candidate()


@given(title=st.text(), other=st.text(min_size=1))
def test_a_commit_of_ours_is_known_by_its_trailers_whatever_its_title(title: str, other: str) -> None:
    text = SHOP.message(title, "0123456789", "c" * 40)
    assert SHOP.made(text, "0123456789")
    assert not of_promotion("team-a", "till", "production").made(text, "0123456789")
    assert not SHOP.made(other, "0123456789")


def test_the_title_names_what_comes() -> None:
    assert SHOP.title(["shop:2", "till:7"]) == "shop:2, till:7 to production"


def test_what_was_promoted_last_is_told_by_the_newest_commit_of_the_promotion() -> None:
    mine = [SHOP.message("x", "c", source * 40) for source in ("2", "1")]
    assert last_source(["a person's\n\nwords", *mine], "team-a/shop") == "2" * 40
    assert last_source(mine, "team-a/till") == ""
    assert last_source([], "team-a/shop") == ""
