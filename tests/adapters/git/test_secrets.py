"""Where a secret may be: in the memory of those who need it, for the host that it is for, and nowhere else."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from adapters.git.http_host import HttpHost, processes_with
from adapters.git.ssh_host import SshHost
from adapters.git.upstream import Upstream
from traces import trace_of

from reconciler.adapters.git import GitSource
from reconciler.model.outcome import Reason, Terminal, Transient
from reconciler.ports import GitCredentials, Remote


@pytest.fixture
def commit(root: Path) -> str:
    return Upstream(root / "app.git").commit({"a": b"1"})


@pytest.fixture
def password() -> str:
    return f"p@ss/{secrets.token_hex(16)} ü"


@pytest.fixture
def http(root: Path, password: str) -> Iterator[HttpHost]:
    host = HttpHost(root, login=("ada", password))
    yield host
    host.stop()


def files_with(folder: Path, needle: str) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and needle.encode() in file.read_bytes()]


def test_a_password_is_in_no_argument_no_environment_and_no_file(
    source: GitSource, http: HttpHost, commit: str, password: str, tmp_path: Path
) -> None:
    seen: list[dict[str, list[str]]] = []
    middle = password[8:30]
    http.watch = lambda _: seen.append(processes_with(middle, "remote-http"))
    remote = Remote(f"{http.origin}/app.git", GitCredentials("ada", password), 30)
    refs = source.refs(remote)
    source.fetch(remote, commit, refs)
    assert len(seen) >= 3
    assert all(snapshot["remote-http"] for snapshot in seen), "the snapshots were taken while git ran"
    assert [snapshot[middle] for snapshot in seen] == [[] for _ in seen]
    assert files_with(tmp_path, middle) == []


def test_a_key_is_in_no_argument_no_environment_and_no_file(
    source: GitSource, ssh: SshHost, commit: str, tmp_path: Path
) -> None:
    seen: list[dict[str, list[str]]] = []
    line = ssh.private_key.splitlines()[2]
    ssh.watch = lambda: seen.append(processes_with(line, "StrictHostKeyChecking=yes"))
    credentials = GitCredentials(ssh_key=ssh.private_key, known_hosts=ssh.known_hosts)
    remote = Remote(f"{ssh.origin}/app.git", credentials, 30)
    source.fetch(remote, commit, source.refs(remote))
    assert len(seen) == 2
    assert all(snapshot["StrictHostKeyChecking=yes"] for snapshot in seen), "the snapshots were taken while ssh ran"
    assert [snapshot[line] for snapshot in seen] == [[], []]
    assert files_with(tmp_path, line) == []


def test_a_wrong_password_is_refused_and_shown_nowhere(
    source: GitSource, http: HttpHost, commit: str, tmp_path: Path
) -> None:
    wrong = f"wrong-{secrets.token_hex(16)}"
    remote = Remote(f"{http.origin}/app.git", GitCredentials("ada", wrong), 30)
    for call in (lambda: source.refs(remote), lambda: source.fetch(remote, commit, {})):
        with pytest.raises(Terminal, match="Check the Secret that credentialsRef names") as caught:
            call()
        assert caught.value.reason == Reason.SOURCE_DENIED
        assert f"{http.origin}/app.git" in caught.value.message
        assert wrong not in repr(caught.value) and wrong not in trace_of(caught.value)
    assert files_with(tmp_path, wrong) == []


def test_no_password_where_one_is_needed_is_refused(source: GitSource, http: HttpHost, commit: str) -> None:
    with pytest.raises(Terminal, match="could not read Username") as caught:
        source.refs(Remote(f"{http.origin}/app.git", None, 30))
    assert caught.value.reason == Reason.SOURCE_DENIED


def test_a_password_with_a_line_break_inside_is_refused(source: GitSource, http: HttpHost) -> None:
    with pytest.raises(Terminal, match="has a line break in it"):
        source.refs(Remote(f"{http.origin}/app.git", GitCredentials("ada", "a\nhost=evil"), 30))
    assert http.requests == []


def test_a_password_that_the_host_repeats_is_masked(source: GitSource, root: Path) -> None:
    host = HttpHost(root, login=("ada", "other"))
    try:
        repeated = "hunter2-hunter2"
        host.answer = lambda _: (500, {})
        remote = Remote(f"{host.origin}/{repeated}.git", GitCredentials("ada", repeated), 30)
        with pytest.raises(Transient) as caught:
            source.refs(remote)
        # The path is the user's own words, git's line is masked.
        assert "'http" not in caught.value.message or f"{repeated}.git/'" not in caught.value.message
        assert "***.git" in caught.value.message
    finally:
        host.stop()


def test_a_redirect_does_not_take_the_password_to_another_host(
    source: GitSource, http: HttpHost, root: Path, commit: str, password: str
) -> None:
    thief = HttpHost(root, login=("nobody", "nothing"))
    try:
        http.answer = lambda path: (302, {"Location": thief.origin + path})
        remote = Remote(f"{http.origin}/app.git", GitCredentials("ada", password), 30)
        with pytest.raises(Terminal, match="could not read Username") as caught:
            source.refs(remote)
        assert caught.value.reason == Reason.SOURCE_DENIED
        assert thief.requests
        assert thief.authorizations == []
    finally:
        thief.stop()


def test_a_renamed_repository_of_the_same_host_is_followed(
    source: GitSource, http: HttpHost, commit: str, password: str
) -> None:
    http.answer = lambda path: (
        (301, {"Location": path.replace("/old.git", "/app.git")}) if path.startswith("/old.git") else None
    )
    remote = Remote(f"{http.origin}/old.git", GitCredentials("ada", password), 30)
    refs = source.refs(remote)
    assert refs["refs/heads/main"] == commit
    source.fetch(remote, commit, refs)
    assert source.tree(remote, commit).read("a", 10) == b"1"


def test_a_commit_that_one_team_fetched_is_not_given_to_another_without_the_password(
    source: GitSource, http: HttpHost, commit: str, password: str
) -> None:
    url = f"{http.origin}/app.git"
    source.fetch(Remote(url, GitCredentials("ada", password), 30), commit, {})
    for credentials in (None, GitCredentials("eve", "guess")):
        with pytest.raises(Terminal) as caught:
            source.fetch(Remote(url, credentials, 30), commit, {})
        assert caught.value.reason == Reason.SOURCE_DENIED


def test_a_private_authority_must_be_given(source: GitSource, root: Path, commit: str) -> None:
    authority, other = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    host = HttpHost(root, tls=context)
    try:
        url = f"{host.origin}/app.git"
        for ca in ("", other.cert_pem.bytes().decode()):
            with pytest.raises(Terminal, match=r"ca\.crt of the Secret") as caught:
                source.refs(Remote(url, GitCredentials(ca=ca), 30))
            assert caught.value.reason == Reason.SOURCE_DENIED
        trusted = GitCredentials(ca=authority.cert_pem.bytes().decode())
        assert source.refs(Remote(url, trusted, 30))["HEAD"] == commit
    finally:
        host.stop()


def test_ssh_without_known_hosts_is_refused_before_anything_is_sent(source: GitSource, ssh: SshHost) -> None:
    remote = Remote(f"{ssh.origin}/app.git", GitCredentials(ssh_key=ssh.private_key), 30)
    with pytest.raises(Terminal, match=f"no known_hosts.*ssh-keyscan -p {ssh.port} localhost") as caught:
        source.refs(remote)
    assert caught.value.reason == Reason.SOURCE_DENIED
    assert ssh.commands == []


@pytest.mark.parametrize("credentials", [None, GitCredentials(password="token")])
def test_ssh_without_a_key_is_refused(source: GitSource, ssh: SshHost, credentials: GitCredentials | None) -> None:
    with pytest.raises(Terminal, match="needs credentials with ssh-privatekey and known_hosts"):
        source.refs(Remote(f"{ssh.origin}/app.git", credentials, 30))


def test_a_host_with_another_key_is_refused(source: GitSource, ssh: SshHost, root: Path, commit: str) -> None:
    impostor = SshHost(root)
    try:
        other_key = impostor.known_hosts.split(" ", 1)[1]
        credentials = GitCredentials(ssh_key=ssh.private_key, known_hosts=f"[localhost]:{ssh.port} {other_key}")
        with pytest.raises(Terminal, match=r"known_hosts\. Compare it with the host's published fingerprint") as caught:
            source.refs(Remote(f"{ssh.origin}/app.git", credentials, 30))
        assert caught.value.reason == Reason.SOURCE_DENIED
        assert ssh.commands == []
    finally:
        impostor.stop()


def test_a_key_that_the_host_does_not_know_is_refused(source: GitSource, ssh: SshHost, root: Path) -> None:
    other = SshHost(root)
    try:
        credentials = GitCredentials(ssh_key=other.private_key, known_hosts=ssh.known_hosts)
        with pytest.raises(Terminal, match=r"Permission denied \(publickey\)") as caught:
            source.refs(Remote(f"{ssh.origin}/app.git", credentials, 30))
        assert caught.value.reason == Reason.SOURCE_DENIED
    finally:
        other.stop()


def test_a_broken_key_is_told_apart_from_a_refused_one(source: GitSource, ssh: SshHost) -> None:
    broken = ssh.private_key[:100] + "\n-----END OPENSSH PRIVATE KEY-----\n"
    credentials = GitCredentials(ssh_key=broken, known_hosts=ssh.known_hosts)
    with pytest.raises(Terminal, match="The private key cannot be used") as caught:
        source.refs(Remote(f"{ssh.origin}/app.git", credentials, 30))
    assert broken.splitlines()[1] not in caught.value.message


def test_a_key_for_an_http_url_is_refused(source: GitSource, http: HttpHost, ssh: SshHost) -> None:
    credentials = GitCredentials(ssh_key=ssh.private_key, known_hosts=ssh.known_hosts)
    with pytest.raises(Terminal, match=r"are an SSH key, but the URL is http\(s\)"):
        source.refs(Remote(f"{http.origin}/app.git", credentials, 30))


def test_what_the_machine_has_set_for_git_does_not_reach_it(
    source: GitSource,
    http: HttpHost,
    commit: str,
    password: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trace = tmp_path / "trace"
    (tmp_path / ".netrc").write_text(f'machine localhost login ada password "{password}"\n')
    for name, value in {
        "GIT_TRACE_CURL": str(trace),
        "GIT_TRACE": str(trace),
        "GIT_DIR": str(tmp_path / "elsewhere"),
        "GIT_OBJECT_DIRECTORY": str(tmp_path / "objects"),
        "GIT_CONFIG_PARAMETERS": "'http.proxy'='http://127.0.0.1:1'",
        "HOME": str(tmp_path),
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Terminal, match="could not read Username"):
        source.refs(Remote(f"{http.origin}/app.git", None, 30))
    remote = Remote(f"{http.origin}/app.git", GitCredentials("ada", password), 30)
    source.fetch(remote, commit, source.refs(remote))
    assert source.tree(remote, commit).read("a", 10) == b"1"
    assert not trace.exists()
    assert not (tmp_path / "objects").exists()
