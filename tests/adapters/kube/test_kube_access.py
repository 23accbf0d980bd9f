"""Credentials: every kind, how they are kept fresh, and what a person is told when they are refused."""

from __future__ import annotations

import base64
import ssl
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from adapters.kube.scripted_server import Asked, ScriptedServer, answer, status

from reconciler.adapters.kube import access, credentials
from reconciler.adapters.kube.access import Access
from reconciler.adapters.kube.cluster import connect
from reconciler.model.outcome import Reason, StageError, Transient

TOKEN = "s3cr3t-t0ken-of-somebody"


def version(asked: Asked) -> bytes:
    return answer({"gitVersion": "v1.2.3"})


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_server(authority: trustme.CA, script: Callable[[Asked], bytes], name: str = "127.0.0.1") -> ScriptedServer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name).configure_cert(context)
    authority.configure_trust(context)
    return ScriptedServer(script, context)


def data(pem: trustme.Blob) -> str:
    return base64.b64encode(pem.bytes()).decode()


def test_a_client_certificate_is_shown_and_its_key_stays_in_memory(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "private"))
    (tmp_path / "private").mkdir()
    server = tls_server(authority, version)
    assert server.tls is not None
    server.tls.verify_mode = ssl.CERT_REQUIRED
    mine = authority.issue_cert("me@example.com")
    user = {"client-certificate-data": data(mine.cert_chain_pems[0]), "client-key-data": data(mine.private_key_pem)}
    with server:
        # Twice, because the loader remembers for the whole process which files it has written.
        for _ in range(2):
            cluster = connect(
                server.kubeconfig(tmp_path, user, **{"certificate-authority-data": data(authority.cert_pem)})
            )
            assert cluster.version() == "v1.2.3"
            cluster.close()
    assert list((tmp_path / "private").iterdir()) == []


def test_a_server_with_another_name_is_trusted_when_the_kubeconfig_says_its_name(
    authority: trustme.CA, tmp_path: Path
) -> None:
    with tls_server(authority, version, "kubernetes.example.com") as server:
        trust: dict[str, Any] = {"certificate-authority-data": data(authority.cert_pem)}
        named = connect(server.kubeconfig(tmp_path, **trust | {"tls-server-name": "kubernetes.example.com"}))
        assert named.version() == "v1.2.3"
        named.close()
        unnamed = connect(server.kubeconfig(tmp_path, **trust))
        with pytest.raises(Transient, match=r"(?s)127\.0\.0\.1.*not trusted.*not valid for '127\.0\.0\.1'"):
            unnamed.version()
        unnamed.close()


def test_an_unknown_authority_is_told_at_once(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority, version) as server:
        other: dict[str, Any] = {"certificate-authority-data": data(trustme.CA().cert_pem)}
        cluster = connect(server.kubeconfig(tmp_path, **other))
        with pytest.raises(Transient, match="its certificate is not trusted") as raised:
            cluster.version()
        cluster.close()
        assert raised.value.reason is Reason.CLUSTER_UNREACHABLE
        assert server.connections == 1


def test_an_insecure_cluster_is_reached_when_the_kubeconfig_says_so(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority, version) as server:
        insecure: dict[str, Any] = {"insecure-skip-tls-verify": True}
        cluster = connect(server.kubeconfig(tmp_path, **insecure))
        assert cluster.version() == "v1.2.3"
        cluster.close()


def test_a_proxy_of_the_kubeconfig_is_used(
    authority: trustme.CA, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "")
    with tls_server(authority, version) as server, ScriptedServer(tunnel(server)) as proxy:
        trust: dict[str, Any] = {"certificate-authority-data": data(authority.cert_pem)}
        cluster = connect(server.kubeconfig(tmp_path, **trust | {"proxy-url": proxy.url}))
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert [(asked.method, asked.target) for asked in proxy.asked] == [("CONNECT", f"127.0.0.1:{server.port}")]


def tunnel(server: ScriptedServer) -> Callable[[Asked], Any]:
    import socket

    def copy(source: socket.socket, target: socket.socket) -> None:
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def drive(client: socket.socket) -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as upstream:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=copy, args=(upstream, client))
            back.start()
            copy(client, upstream)
            back.join(10)

    return lambda asked: drive


def plugin(folder: Path, *lines: str) -> dict[str, Any]:
    """A user whose credential plug-in is a Python program that counts its runs in `folder`/runs."""
    program = folder / "plugin.py"
    runs = folder / "runs"
    program.write_text("\n".join(("import json, sys", f"open({str(runs)!r}, 'a').write('x')", *lines)))
    return {
        "exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": sys.executable, "args": [str(program)]}
    }


CREDENTIAL = (
    "print(json.dumps({'apiVersion': 'client.authentication.k8s.io/v1', 'kind': 'ExecCredential', 'status': %s}))"
)


def test_the_token_of_a_plugin_is_used(tmp_path: Path) -> None:
    with ScriptedServer(version) as server:
        cluster = connect(server.kubeconfig(tmp_path, plugin(tmp_path, CREDENTIAL % f"{{'token': '{TOKEN}'}}")))
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_an_expiring_token_of_a_plugin_is_renewed_before_a_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "FRESH", 0.0)
    runs = "len(open(sys.argv[0].replace('plugin.py', 'runs')).read())"
    told = f"{{'token': 'token-' + str({runs}), 'expirationTimestamp': '2020-01-01T00:00:00Z'}}"
    with ScriptedServer(version) as server:
        cluster = connect(server.kubeconfig(tmp_path, plugin(tmp_path, CREDENTIAL % told)))
        cluster.version()
        cluster.version()
        cluster.close()
        first, second = (asked.headers["authorization"] for asked in server.asked)
        assert first != second
        assert second.startswith("Bearer token-")


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (("sys.exit('you are not logged in')",), "you are not logged in"),
        (("print('no json')",), "decode"),
        ((CREDENTIAL % "{}",), "token"),
    ],
)
def test_a_plugin_that_fails_is_named_with_its_own_words(
    lines: tuple[str, ...], told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with (
        ScriptedServer(version) as server,
        pytest.raises(Transient, match=f"(?s)kubeconfig.*python.*{told}.*log in again") as raised,
    ):
        connect(server.kubeconfig(tmp_path, plugin(tmp_path, *lines)))
    assert raised.value.reason is Reason.CREDENTIALS_NOT_FOUND
    assert capfd.readouterr() == ("", "")


def test_a_plugin_that_fails_later_is_logged_and_the_old_token_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(access, "FRESH", 0.0)
    once = "len(open(sys.argv[0].replace('plugin.py', 'runs')).read()) == 1 or sys.exit('session over')"
    told = CREDENTIAL % f"{{'token': '{TOKEN}', 'expirationTimestamp': '2020-01-01T00:00:00Z'}}"
    with ScriptedServer(version) as server:
        cluster = connect(server.kubeconfig(tmp_path, plugin(tmp_path, once, told)))
        assert cluster.version() == "v1.2.3"
        cluster.close()
        assert server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"
    assert "session over" in " ".join(str(getattr(record, "why", "")) for record in caplog.records)


def test_a_plugin_that_is_not_installed_is_named(tmp_path: Path) -> None:
    user = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-login-program"}}
    with ScriptedServer(version) as server, pytest.raises(Transient, match="no-such-login-program"):
        connect(server.kubeconfig(tmp_path, user))


def only(token: str) -> Callable[[Asked], bytes]:
    """A server that knows one token."""

    def script(asked: Asked) -> bytes:
        if asked.headers.get("authorization") == f"Bearer {token}":
            return version(asked)
        return status(401, "Unauthorized", "Unauthorized")

    return script


def test_after_401_the_configuration_is_read_again(tmp_path: Path) -> None:
    with ScriptedServer(only("new")) as server:
        cluster = connect(server.kubeconfig(tmp_path, {"token": "old"}))
        server.kubeconfig(tmp_path, {"token": "new"})
        assert cluster.version() == "v1.2.3"
        assert [asked.headers["authorization"] for asked in server.asked] == ["Bearer old", "Bearer new"]
        cluster.close()


def test_credentials_that_stay_refused_are_told_with_the_way_out(tmp_path: Path) -> None:
    with ScriptedServer(only("new")) as server:
        cluster = connect(server.kubeconfig(tmp_path, {"token": TOKEN}))
        for _ in range(3):
            with pytest.raises(Transient, match=r"(?s)http://127.*kubeconfig.*401.*Log in again") as raised:
                cluster.version()
            assert raised.value.reason is Reason.FORBIDDEN
            assert TOKEN not in raised.value.message
        cluster.close()
        # Read again once, and not for each of the three.
        assert len(server.asked) == 4


def test_a_configuration_that_has_broken_meanwhile_is_told_with_the_401(tmp_path: Path) -> None:
    with ScriptedServer(only("new")) as server:
        path = server.kubeconfig(tmp_path, {"token": "old"})
        cluster = connect(path)
        path.write_text("")
        with pytest.raises(Transient, match=r"(?s)401.*holds nothing"):
            cluster.version()
        cluster.close()


def test_the_token_of_a_pod_is_read_again_when_it_rotates(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority, only("second")) as server:
        authority.cert_pem.write_to_path(tmp_path / "ca.crt")
        (tmp_path / "token").write_text("first")
        environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(server.port)}
        load, title = credentials.from_service_account(tmp_path, environ)
        found = Access(load, title, "dispatch/test")
        (tmp_path / "token").write_text("second")
        assert b"first" in found.state().head
        assert found.renew(0)
        assert b"second" in found.state().head
        channel = found.open()
        channel.close()


def test_a_pod_without_a_service_account_is_told_so(tmp_path: Path) -> None:
    environ = {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": "1"}
    load, title = credentials.from_service_account(tmp_path, environ)
    with pytest.raises(StageError, match=r"no service account.*--kubeconfig") as raised:
        Access(load, title, "dispatch/test")
    assert raised.value.reason is Reason.CREDENTIALS_NOT_FOUND
