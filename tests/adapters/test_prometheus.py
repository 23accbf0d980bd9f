"""Numbers of a Prometheus: of a real one, and of what else may listen at its address."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf, isnan

import pytest
from adapters.answers import Reply, Server

from reconciler.adapters.prometheus import Prometheus
from reconciler.ports import Measured
from reconciler.sandbox.platform import Sandbox


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("vector(0.25)", (0.25,)),
        ("3", (3.0,)),
        ("vector(1) / 0", (inf,)),
        ("absent_over_time(nothing[1m]) == 2", ()),
        ('label_replace(vector(1), "a", "b", "", "") or vector(2)', (1.0, 2.0)),
    ],
    ids=["one", "a-scalar", "without-end", "nothing", "two-series"],
)
def test_a_query_gives_the_number_of_each_series(numbers: Sandbox, query: str, values: tuple[float, ...]) -> None:
    assert Prometheus().measure(numbers.home.prometheus_url, query) == Measured(values)


def test_no_number_is_told_as_none(numbers: Sandbox) -> None:
    (value,) = Prometheus().measure(f"{numbers.home.prometheus_url}/", "vector(0) / 0").values
    assert isnan(value)


@pytest.mark.parametrize("query", ["sum(", "up[5m]", '"text"'], ids=["bad-syntax", "a-matrix", "a-text"])
def test_what_gives_no_numbers_is_a_problem_that_names_the_address(numbers: Sandbox, query: str) -> None:
    found = Prometheus().measure(numbers.home.prometheus_url, query)
    assert found.values == ()
    assert found.problem.startswith(numbers.home.prometheus_url)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, b"<html>welcome, token=hunter2</html>"),
        Reply(200, b"{}"),
        Reply(200, b'{"status": "success", "data": {"resultType": "vector", "result": [{"value": [1, "hunter2"]}]}}'),
        Reply(200, b'{"status": "success", "data": {"resultType": "vector", "result": [7]}}'),
        Reply(401, b"hunter2"),
        Reply(302, b"", {"Location": "http://localhost:1/"}),
        Reply(503, b'{"status": "error", "error": "query timed out"}'),
        Reply(cut=True),
    ],
    ids=["a-page", "no-data", "no-number", "no-series", "401", "elsewhere", "busy", "cut"],
)
def test_what_is_no_prometheus_is_a_problem_and_is_not_repeated(server: Server, reply: Reply) -> None:
    server.replies = [reply]
    found = Prometheus().measure(server.url, "up")
    assert found.values == () and found.problem.startswith(server.url)
    assert "hunter2" not in found.problem


def test_nobody_there_is_a_problem(server: Server) -> None:
    server.stop()
    assert "refused" in Prometheus().measure(server.url, "up").problem
