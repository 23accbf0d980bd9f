"""A GitHub App is let in for an hour at a time: against a server that checks what it signs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from forges.github_server import GitHubServer
from forges.server import Bare, Reply
from traces import trace_of

from reconciler.adapters.forge import Forges, Installations
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.repository import RepositorySpec
from reconciler.ports import Forge, GitCredentials, GitHubApp

KEY = rsa.generate_private_key(65537, 2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitHubServer]:
    made = GitHubServer(Bare(tmp_path / "config.git"))
    made.bare.upstream.commit({"a": b"1"}, "main")
    made.bare.upstream.commit({"a": b"2"}, "dispatch/a")
    made.app = ("12", "345", KEY.public_key())
    yield made
    made.stop()


def app(server: GitHubServer, **changes: str) -> GitHubApp:
    return GitHubApp("12", "345", PEM, server.api, "config")._replace(**changes)


def forge_of(server: GitHubServer, installations: Installations) -> Forge:
    spec = {"url": f"{server.origin}/team/config", "credentialsRef": {"name": "x"}, "forge": {"kind": "github"}}
    made = Forges(installations).forge(RepositorySpec.model_validate(spec), GitCredentials(app=app(server)))
    assert made is not None
    return made


def refusal(server: GitHubServer, **changes: str) -> StageError:
    with pytest.raises(StageError) as caught:
        Installations().token(app(server, **changes), "", 5)
    assert "PRIVATE KEY" not in trace_of(caught.value) and "eyJ" not in caught.value.message
    return caught.value


def test_git_and_the_api_share_one_token_until_shortly_before_it_ends(server: GitHubServer) -> None:
    now = [0.0]

    def clock() -> float:
        import time

        return time.time() + now[0]

    installations = Installations(clock)
    credentials = GitCredentials(app=app(server))
    let_in = installations.login(credentials, 5)
    assert let_in == GitCredentials(username="x-access-token", password=server.issued[0])
    assert forge_of(server, installations).find("dispatch/a", "main") is None
    assert installations.login(credentials, 5) == let_in and len(server.issued) == 1
    server.lifetime = timedelta(hours=2)
    now[0] = 56 * 60
    # The statement is of a clock that is an hour ahead now, which the server would refuse: its own is moved, too.
    server.bad = lambda asked: Reply(201, {"token": "ghs_second", "expires_at": "2099-01-01T00:00:00Z"})
    assert installations.token(app(server), "", 5) == "ghs_second"


def test_other_credentials_stay_as_they_are() -> None:
    assert Installations().login(None, 5) is None
    given = GitCredentials(password="t")
    assert Installations().login(given, 5) is given


def test_a_token_that_is_refused_is_not_used_again(server: GitHubServer) -> None:
    installations = Installations()
    forge = forge_of(server, installations)
    forge.find("dispatch/a", "main")
    del server.accounts[server.issued[0]]
    with pytest.raises(Terminal, match="installation 345 of the GitHub App 12"):
        forge.find("dispatch/a", "main")
    assert forge.find("dispatch/a", "main") is None and len(server.issued) == 2


def test_a_comment_of_the_app_is_found_again_also_below_what_a_person_opened(server: GitHubServer) -> None:
    forge = forge_of(server, Installations())
    somebody = server.account("ada", "write", "t")
    pull = server.add("dispatch/a", "main", "t", "b", somebody)
    for text in ("One", "Two"):
        forge.comment(pull.number, "m", text)
    assert [each["body"].partition("\n")[2] for each in pull.comments] == ["Two"]


def test_each_refusal_says_what_to_mend(server: GitHubServer) -> None:
    assert "githubAppID" in refusal(server, id="13").message
    assert "githubAppInstallationID" in refusal(server, installation="9").message
    assert "Install the App for the repository other" in refusal(server, repository="other").message
    for other in ("13", "9"):
        assert isinstance(refusal(server, installation=other), Terminal)


@pytest.mark.parametrize("kind", ["text", "curve", "locked"])
def test_a_key_that_cannot_sign_is_named_and_not_shown(server: GitHubServer, kind: str) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    keys = {
        "text": "hunter2",
        "curve": curve.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
        "locked": "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nhunter2\n-----END RSA PRIVATE KEY-----",
    }
    found = refusal(server, private_key=keys[kind])
    assert found.reason == Reason.CREDENTIALS_NOT_FOUND and "githubAppPrivateKey" in found.message
    assert "hunter2" not in found.message and not server.seen


@pytest.mark.parametrize(
    ("reply", "wish"),
    [
        (Reply(500, {"message": "oops"}), None),
        (Reply(403, {"message": "API rate limit exceeded"}, {"Retry-After": "77"}), 77),
        (Reply(201, {"token": "t"}), None),
        (Reply(201, {"token": "t", "expires_at": "soon"}), None),
    ],
)
def test_what_may_pass_is_tried_again(server: GitHubServer, reply: Reply, wish: float | None) -> None:
    server.bad = lambda asked: reply
    found = refusal(server)
    assert isinstance(found, Transient) and found.reason == Reason.FORGE_UNREACHABLE and found.retry_after == wish


def test_nobody_there_is_tried_again(server: GitHubServer) -> None:
    found = refusal(server, api="http://localhost:1/api/v3")
    assert isinstance(found, Transient) and found.reason == Reason.FORGE_UNREACHABLE
