"""Addresses that only the controller is told are read from what it has written."""

from __future__ import annotations

from typing import Any

from reconciler.core.progressive.addresses import Addresses, found_in
from reconciler.model.strategy import Canary
from reconciler.ports import Making
from strategies.rollout.canary_section import write


def templates(gates: str, prometheus: str) -> list[dict[str, Any]]:
    steps = [
        {"gate": {"approval": True}},
        {"analysis": {"prometheus": {"query": "x", "max": "1"}}},
        {"analysis": {"web": {"url": "http://a/{{args.hash}}", "max": "1"}}},
    ]
    return list(write(Canary.model_validate({"steps": steps}), Making("shop", "web", gates, prometheus)).objects)


def test_what_was_written_tells_where_it_leads() -> None:
    found = found_in(templates("http://dispatch:8080/gates", "http://prometheus:9090"))
    assert found == Addresses("http://dispatch:8080/gates", "http://prometheus:9090")


def test_the_most_of_them_count() -> None:
    """One analysis may name a Prometheus of its own, and one template may be from before a move."""
    new, old = templates("http://new/gates", "http://new"), templates("http://old/gates", "http://old")
    assert found_in([*old, *new, *new]) == Addresses("http://new/gates", "http://new")


def test_nothing_written_tells_nothing() -> None:
    assert found_in([{}, {"spec": {"metrics": [{"name": "theirs", "provider": {}}]}}]) == Addresses()
