"""Kubeconfigs: which is taken, and what a person is told about a broken one."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
from adapters.kube.scripted_server import Asked, ScriptedServer, answer, kubeconfig

from reconciler.adapters.kube.cluster import connect
from reconciler.adapters.kube.kubeconfig import locate
from reconciler.model.outcome import Reason, Terminal

TOKEN = "s3cr3t-t0ken-of-somebody"


def version(asked: Asked) -> bytes:
    return answer({"gitVersion": "v1.2.3"})


def write(folder: Path, document: Any) -> Path:
    path = folder / "kubeconfig"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def whole(**changes: Any) -> dict[str, Any]:
    return kubeconfig({"server": "https://127.0.0.1:6443"}, {"token": TOKEN}) | changes


BROKEN: list[tuple[str, Any, str]] = [
    ("empty", "", "holds nothing"),
    ("a list", "[1, 2]", "no map of fields"),
    ("not YAML", f"users:\n- token: {TOKEN}\n  x: [", "line [0-9]+: not YAML"),
    ("no current context", whole(**{"current-context": ""}), "has no current-context.*it has here"),
    ("unknown context", whole(**{"current-context": "there"}), "no context there.*it has here"),
    ("unknown cluster", whole(clusters=[]), "cluster scripted, which is not there"),
    ("unknown user", whole(users=[]), "user somebody, which is not there"),
    ("cluster without URL", whole(clusters=[{"name": "scripted", "cluster": {}}]), "no URL in `server`"),
    (
        "cluster with a path",
        whole(clusters=[{"name": "scripted", "cluster": {"server": "/run/x"}}]),
        "no URL in `server`",
    ),
    ("list of the wrong shape", whole(users={"token": TOKEN}), "`users` is to be a list"),
    ("entry without a name", whole(users=[{"user": {"token": TOKEN}}]), r"users\[0\] has no `name`"),
    ("user without content", whole(users=[{"name": "somebody", "token": TOKEN}]), "user somebody has no `user`"),
    ("context without content", whole(contexts=[{"name": "here"}]), "context here has no `context`"),
    (
        "authority that is no certificate",
        kubeconfig(
            {"server": "https://a:1", "certificate-authority-data": base64.b64encode(b"x").decode()}, {"token": TOKEN}
        ),
        "cannot use its certificate authority",
    ),
    (
        "authority that is not there",
        kubeconfig({"server": "https://a:1", "certificate-authority": "ca.pem"}, {"token": TOKEN}),
        "ca.pem",
    ),
    (
        "key that is no base64",
        kubeconfig({"server": "https://a:1"}, {"client-key-data": "%", "client-certificate-data": "%", "token": TOKEN}),
        "cannot use its client certificate and key",
    ),
    ("plug-in without a command", kubeconfig({"server": "https://a:1"}, {"exec": "aws"}), "`exec` without `command`"),
    ("odd data", kubeconfig({"server": "https://a:1", "certificate-authority-data": [TOKEN]}, {}), "cannot be used"),
    (
        "token with a line end inside",
        kubeconfig({"server": "https://a:1"}, {"token": f"{TOKEN}\r\nX: y"}),
        "Authorization",
    ),
]


@pytest.mark.parametrize(("document", "told"), [pytest.param(d, t, id=i) for i, d, t in BROKEN])
def test_a_broken_kubeconfig_is_told_with_its_file_and_without_its_secrets(
    document: Any, told: str, tmp_path: Path
) -> None:
    with pytest.raises(Terminal, match=f"(?s){told}") as raised:
        connect(write(tmp_path, document))
    assert raised.value.reason is Reason.INVALID_SPEC
    assert str(tmp_path / "kubeconfig") in raised.value.message
    assert TOKEN not in raised.value.message


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match="nowhere/config") as raised:
        connect(tmp_path / "nowhere" / "config")
    assert raised.value.reason is Reason.CREDENTIALS_NOT_FOUND


def test_without_any_configuration_the_ways_to_one_are_told(tmp_path: Path) -> None:
    with pytest.raises(Terminal, match=r"(?s)no ~/\.kube/config.*--kubeconfig.*sandbox up"):
        locate(None, {}, tmp_path)
    with pytest.raises(Terminal, match="KUBECONFIG names /not/there"):
        locate(None, {"KUBECONFIG": "/not/there"}, tmp_path)
    assert locate(None, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, tmp_path) == ()


def test_several_kubeconfigs_are_merged_and_their_files_stay_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ScriptedServer(version) as server:
        other = tmp_path / "other"
        other.mkdir()
        (other / "token").write_text(f"{TOKEN}\n")
        first = {"current-context": "here", "contexts": kubeconfig({}, {})["contexts"]}
        (tmp_path / "first").write_text(json.dumps(first))
        second = kubeconfig({"server": server.url}, {"tokenFile": "token"}) | {"current-context": "not-this"}
        (other / "second").write_text(json.dumps(second))
        monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/first{os.pathsep}{tmp_path}/missing{os.pathsep}{other}/second")
        cluster = connect()
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_context_can_be_chosen(tmp_path: Path) -> None:
    with ScriptedServer(version) as server:
        document = kubeconfig({"server": server.url}, {"username": "me", "password": "pass:word"})
        document |= {"current-context": "broken"}
        cluster = connect(write(tmp_path, document), "here")
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert base64.b64decode(server.asked[0].headers["authorization"].removeprefix("Basic ")) == b"me:pass:word"


def test_a_server_below_a_path_is_reached(tmp_path: Path) -> None:
    with ScriptedServer(version) as server:
        cluster = connect(write(tmp_path, kubeconfig({"server": f"{server.url}/k8s/clusters/c-1/"}, {})))
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert server.asked[0].path == "/k8s/clusters/c-1/version"
        assert "authorization" not in server.asked[0].headers
