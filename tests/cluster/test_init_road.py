"""What `dispatch init` writes, pushed and applied as its README says, runs."""

from __future__ import annotations

from pathlib import Path

import yaml
from command_line import dispatch, put
from team import Team


def test_what_init_writes_becomes_healthy_in_both_environments(team: Team, tmp_path: Path) -> None:
    ran = dispatch("init", tmp_path / "config", "--url", team.url, "-n", team.namespace)
    assert ran.code == 0, ran.err
    files = {
        path.relative_to(tmp_path / "config").as_posix(): path.read_text()
        for path in (tmp_path / "config").rglob("*")
        if path.is_file()
    }
    commit = team.push(dict(files))
    for name in ("namespaces", "repository", "staging", "production"):
        put(team.cluster, list(yaml.safe_load_all(files[f"dispatch/{name}.yaml"])))
    for name, objects in (("cache", 2), ("web", 3)):
        for environment in ("staging", "production"):
            status = team.until_ready(f"{name}-{environment}", commit, within=60)
            assert (status["sync"], status["health"], status["objects"]) == ("Synced", "Healthy", objects)
    resource = team.resource("apps/v1", "Deployment")
    live = team.cluster.read(resource, "production", "web")
    assert live is not None
    assert live["status"]["readyReplicas"] == 3
