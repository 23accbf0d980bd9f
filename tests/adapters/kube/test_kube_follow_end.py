"""A follower ends soon after the wish for it, whatever the server does at that moment."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from adapters.kube.scripted_server import (
    ScriptedServer,
    kubeconfig,
)
from adapters.kube.watched import PROMPT, Follow, Watched, held, page, wait_for

from reconciler.adapters.kube import connect
from reconciler.model.change import EventType

LISTING, LISTED = (EventType.LISTING, ""), (EventType.LISTED, "")


def test_the_end_is_prompt_while_a_watch_is_silent(follower: Follow) -> None:
    _, watched = follower(lambda n, _: page(), lambda n, _: held())
    watched.until(LISTING, LISTED)
    assert watched.stop() < PROMPT


def test_the_end_is_prompt_while_the_server_does_not_answer(follower: Follow) -> None:
    def mute(connection: Any) -> None:
        while connection.recv(1000):
            pass

    server, watched = follower(lambda n, _: mute, lambda n, _: mute)
    wait_for(lambda: bool(server.asked))
    assert watched.stop() < PROMPT
    assert watched.seen == [LISTING]


def test_the_end_is_prompt_in_the_middle_of_a_handshake(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        path = tmp_path / "kubeconfig"
        server = f"https://127.0.0.1:{listener.getsockname()[1]}"
        path.write_text(json.dumps(kubeconfig({"server": server, "insecure-skip-tls-verify": True}, {})))
        cluster = connect(path)
        watched = Watched(cluster)
        connection, _ = listener.accept()
        with connection:
            # The client waits for the server's part of the TLS handshake from here on.
            assert watched.stop() < PROMPT
        cluster.close()


def test_closing_the_cluster_ends_its_followers(follower: Follow, tmp_path: Path) -> None:
    with ScriptedServer(lambda asked: held() if "watch=1" in asked.target else page()) as server:
        cluster = connect(server.kubeconfig(tmp_path))
        watched = Watched(cluster)
        watched.until(LISTING, LISTED)
        cluster.close()
        assert watched.ended() is None
