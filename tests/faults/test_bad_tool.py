"""A renderer that hangs or writes without end: it is said, what runs stays as it is, and the next commit heals it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import pytest
from adapters.render.rendering import fake_tool
from controller_fixtures import install_kinds
from sandbox_fixtures import fresh_namespace
from somebody import Somebody
from team import Team, config_map

from reconciler import app
from reconciler.adapters.render.engine import RenderEngine
from reconciler.adapters.render.limits import Limits
from reconciler.sandbox.platform import Sandbox


@pytest.fixture(params=["sleep 1000", "exec yes", "exec yes >&2"], ids=["hangs", "writes", "complains"])
def team(apiserver: Sandbox, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Team]:
    """A team whose controller has got a bad kustomize, which it does not need for plain files."""
    settings = app.Settings(kubeconfig=apiserver.kubeconfig, cache=tmp_path / "cache", allow_file_repositories=True)
    tools = fake_tool(tmp_path, "kustomize", request.param)
    with ExitStack() as opened:
        cluster = opened.enter_context(closing(app.connect(settings)))
        install_kinds(cluster)
        team = Team(cluster, Somebody(apiserver), fresh_namespace(apiserver), tmp_path)
        source = opened.enter_context(closing(app.open_source(settings)))
        limits = Limits(time=1.0, output=100_000)
        renderer = opened.enter_context(closing(RenderEngine(settings.cache_folder, tools=tools, limits=limits)))
        mine = replace(settings, namespace=team.namespace)
        controller = app.build_controller(mine, source, renderer, cluster)
        controller.start(lambda error: None)
        opened.callback(controller.stop, within=10)
        yield team


def test_a_bad_tool_is_named_and_what_runs_stays(team: Team) -> None:
    team.push({"web/a.yaml": config_map("a", key="good")})
    team.read_repository()
    team.deploy("web", "web")
    team.until_ready("web")
    team.push({"web/a.yaml": config_map("a", key="better"), "web/kustomization.yaml": "resources: [a.yaml]\n"})
    message = team.until_reason("web", "RenderLimitExceeded")
    assert "kustomize v9.9.9" in message and "web" in message
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "good"}
    commit = team.push({"web/kustomization.yaml": None})
    team.until_ready("web", commit)
    live = team.live("v1", "ConfigMap", "a")
    assert live is not None and live["data"] == {"key": "better"}
