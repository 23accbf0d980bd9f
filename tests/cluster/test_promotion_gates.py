"""What a gate lets through to production and what not, on a real Gitea, a real Prometheus and a real cluster."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from notified import notify, until_told
from promoting import Environments
from slack_double import slack_workspace
from team import deployment, eventually

from reconciler.sandbox.platform import Sandbox


class Errors:
    """A target of Prometheus: the errors of a shop, as the test says."""

    def __init__(self) -> None:
        self.rate = 0.5


@contextmanager
def errors_of(numbers: Sandbox, shop: str) -> Iterator[Errors]:
    told = Errors()

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.end_headers()
            self.wfile.write(f"# TYPE shop_errors gauge\nshop_errors {told.rate}\n".encode())

        def log_message(self, format: str, *arguments: object) -> None:
            """Nothing to tell."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    file = numbers.home.prometheus_targets / f"{shop}.json"
    file.write_text(json.dumps([{"targets": [f"127.0.0.1:{server.server_port}"], "labels": {"shop": shop}}]))
    try:
        yield told
    finally:
        file.unlink()
        server.shutdown()
        server.server_close()


def test_a_metric_holds_a_version_back_until_it_keeps_its_bound(environments: Environments, numbers: Sandbox) -> None:
    shop = environments.namespace
    metric = {"query": f'shop_errors{{shop="{shop}"}}', "max": "0.1", "address": numbers.home.prometheus_url}
    environments.start(gates=[{"analysis": {"prometheus": metric}}])
    environments.stage("shop:2")
    state = environments.until("Open")
    assert state["gates"][0]["verdict"] == "wait" and "is there any traffic?" in state["message"]

    with errors_of(numbers, shop) as told:
        state = eventually(lambda: _failed(environments), 60, environments.state)
        assert "must be at most 0.1, and is 0.5" in state["message"]
        statuses = environments.host.ask("GET", f"/commits/{state['head']}/status")["statuses"]
        assert {each["context"]: each["status"] for each in statuses}["dispatch/analysis"] == "failure"
        assert environments.runs("production") == "shop:1"

        told.rate = 0.02
        eventually(lambda: environments.runs("production") == "shop:2", 60, environments.state)


def _failed(environments: Environments) -> dict[str, object] | None:
    environments.look()
    state = environments.state()
    return state if [gate["verdict"] for gate in state["gates"]] == ["fail"] else None


def test_a_freeze_holds_a_promotion_and_never_a_way_back(environments: Environments) -> None:
    freeze = {"start": "* * * * *", "duration": "1h", "reason": "a sale"}
    environments.start(gates=[{"freeze": freeze}])
    with slack_workspace() as slack:
        notify(environments, slack, events=["FreezeBlocks"])
        environments.stage("shop:2")
        assert "frozen until" in environments.until("Open")["message"]
        told = until_told(environments, slack, "shop:2 has all it needs for production, and waits for the time")
        assert "(a sale)" in str(told)
    # The way back is a commit: no gate of a promotion stands in it.
    environments.push({"production/web.yaml": deployment("web-production", "shop:0")}, "back to shop:0")
    eventually(lambda: environments.runs("production") == "shop:0", 60)
    environments.look()
    assert "(a sale)" in environments.until("Open")["message"]
    assert [each["state"] for each in environments.requests()] == ["open"]
    assert environments.runs("production") == "shop:0"


def test_a_gate_that_names_dispatchs_own_account_merges_nothing(environments: Environments) -> None:
    host = environments.host
    environments.start(gates=[{"approvals": {"count": 1, "from": [host.bot.name, host.reviewer.name]}}])
    environments.stage("shop:2")
    state = environments.until("Open")
    host.approve(state["number"])
    environments.look()
    state = environments.until("Open")
    assert state["gates"][0]["verdict"] == "fail"
    assert f"`from` names {host.bot.name}, who opens the pull requests" in state["message"]
    assert environments.runs("production") == "shop:1"
