"""The shop of examples/progressive answers for its pods by their images, and counts what Prometheus is to judge."""

from __future__ import annotations

import importlib.util
import re
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

PROGRAM = Path(__file__).parents[2] / "examples" / "progressive" / "shop.py"


def loaded() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shop", PROGRAM)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


shop = loaded()


@pytest.fixture
def open_shop(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A shop whose answers take no time."""
    monkeypatch.setattr(shop.time, "sleep", lambda _: None)
    return shop.Shop()


def pods(count: int, pod_hash: str, version: str) -> list[Any]:
    return [shop.Pod(f"{pod_hash}-{number}", pod_hash, version) for number in range(count)]


def test_requests_are_shared_among_the_ready_pods(open_shop: Any) -> None:
    open_shop.take_up("shop", [*pods(4, "old", "1.0.0"), *pods(1, "new", "2.0.0")])

    seen = Counter(open_shop.answer("shop").pod.pod_hash for _ in range(100))

    assert seen == {"old": 80, "new": 20}


def test_a_bad_version_fails_every_fifth_time_and_a_good_one_never(open_shop: Any) -> None:
    open_shop.take_up("shop", [*pods(1, "old", "1.0.0"), *pods(1, "new", "2.0.0-bad")])

    codes = Counter((answer.pod.version, answer.code) for answer in (open_shop.answer("shop") for _ in range(100)))

    assert codes == {("1.0.0", 200): 50, ("2.0.0-bad", 200): 40, ("2.0.0-bad", 500): 10}


def test_a_service_without_a_ready_pod_answers_503_and_counts_for_no_version(open_shop: Any) -> None:
    open_shop.take_up("shop", [])

    assert (open_shop.answer("shop").code, open_shop.answer("unknown").code) == (503, 503)
    assert "pod_hash" not in open_shop.metrics()


def test_a_new_version_is_told_once(open_shop: Any) -> None:
    assert open_shop.take_up("shop", pods(2, "old", "1.0.0"))
    assert not open_shop.take_up("shop", pods(2, "other", "1.0.0"))
    assert open_shop.take_up("shop", [*pods(2, "old", "1.0.0"), *pods(1, "new", "2.0.0")])
    assert open_shop.told("shop") == "2 x 1.0.0, 1 x 2.0.0"


def test_both_codes_are_counted_from_zero_before_the_first_request(open_shop: Any) -> None:
    open_shop.take_up("shop", pods(1, "new", "2.0.0"))

    lines = [line for line in open_shop.metrics().splitlines() if not line.startswith("#")]

    assert lines == [
        f'http_requests_total{{service="shop",pod_hash="new",version="2.0.0",code="{code}"}} 0' for code in (200, 500)
    ]


def test_durations_are_a_histogram_whose_buckets_grow_to_the_count(open_shop: Any) -> None:
    open_shop.take_up("shop", pods(1, "new", "2.0.0"))
    for _ in range(7):
        open_shop.answer("shop")

    text = open_shop.metrics()
    buckets = [int(count) for count in re.findall(r"^http_request_duration_seconds_bucket.* (\d+)$", text, re.M)]

    assert buckets == sorted(buckets)
    assert buckets[-1] == 7
    assert len(buckets) == len(shop.BUCKETS) + 1
    assert re.search(r'^http_request_duration_seconds_bucket\{.*,le="\+Inf"\} 7$', text, re.M)
    assert re.search(r"^http_request_duration_seconds_count\{.*\} 7$", text, re.M)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("shop:2.0.0-bad", "2.0.0-bad"),
        ("registry:5000/team/shop:1", "1"),
        ("registry:5000/team/shop", ""),
        ("registry:5000/team/shop:1.0.0@sha256:0bad", "1.0.0"),
    ],
)
def test_the_version_is_the_tag_of_the_image(image: str, version: str) -> None:
    document = {"metadata": {"name": "p", "labels": {}}, "spec": {"containers": [{"image": image}]}}

    assert shop._pod(document).version == version


def test_a_pod_of_a_rollout_goes_by_the_hash_that_argo_rollouts_gave_it() -> None:
    labels = {"pod-template-hash": "deployment", "rollouts-pod-template-hash": "rollout"}
    document = {"metadata": {"name": "p", "labels": labels}, "spec": {"containers": [{"image": "shop:1"}]}}

    assert shop._pod(document).pod_hash == "rollout"
