"""What goes from one environment to the next, and how it is called."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.promotion import Candidate, copies, images_of, is_ours, message, older_than, title_of, to_carry
from reconciler.core.promotion_text import LONGEST, Story, body
from reconciler.model.image import ImageRef
from reconciler.model.manifest import Manifest, Origin
from reconciler.model.promotion import GateState

DIGEST = "sha256:" + "a" * 64


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
    text = message(title, "team-a/shop", "0123456789", "c" * 40)
    assert is_ours(text, "team-a/shop", "0123456789")
    assert not is_ours(text, "team-a/till", "0123456789")
    assert not is_ours(other, "team-a/shop", "0123456789")


def manifest(kind: str, name: str, **content: Any) -> Manifest:
    document = {"apiVersion": "v1", "kind": kind, "metadata": {"name": name, "namespace": "shop"}, **content}
    return Manifest(document, Origin("x.yaml"))


def story(**more: Any) -> Story:
    told: dict[str, Any] = {
        "source": "staging",
        "target": "production",
        "commit": "c" * 40,
        "subject": "Ada: shop 2 | <b>@all</b>",
        "running": ["shop:1"],
        "coming": [ImageRef("shop", "2", DIGEST)],
        "files": [],
        "gates": [GateState(gate="healthyFor", verdict="wait", evidence="3m are left")],
    }
    return Story(**{**told, **more})


def test_the_text_says_what_comes_and_what_is_closed_and_hides_what_is_secret() -> None:
    before = [manifest("ConfigMap", "a", data={"x": "1"}), manifest("Secret", "s", data={"p": "b2xk"})]
    after = [manifest("ConfigMap", "a", data={"x": "2"}), manifest("Secret", "s", data={"p": "bmV3"})]
    text = body(story(), before, after)
    assert "| `shop` | `1` | `2@sha256:aaaaaaaaaaaa` |" in text
    assert "3m are left" in text
    assert "+  x: '2'" in text
    assert "b2xk" not in text and "bmV3" not in text
    assert "<b>" not in text and "@all" not in text


def test_a_text_that_is_too_long_is_cut_between_objects_and_says_so() -> None:
    after = [manifest("ConfigMap", f"c{number}", data={"x": "y" * 5000}) for number in range(40)]
    text = body(story(), [], after)
    assert len(text) < LONGEST + 200
    assert "more objects" in text
    assert text.count("<details>") == text.count("</details>")


def test_the_title_names_what_comes() -> None:
    assert title_of(["shop:2", "till:7"], "production") == "shop:2, till:7 to production"
