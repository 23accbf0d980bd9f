"""What is made of a forge's answers when something is wrong: said in its own words, and without the token."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest
from adapters.answers import Reply, Server
from traces import trace_of

from reconciler.adapters import http
from reconciler.adapters.forge import open_forge
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.repository import RepositorySpec
from reconciler.ports import Forge, GitCredentials

TOKEN = "hunter2-hunter2"


@pytest.fixture
def server() -> Iterator[Server]:
    made = Server()
    yield made
    made.stop()


def forge_of(server: Server, kind: str) -> Forge:
    spec = {"url": f"{server.url}/team/config.git", "credentialsRef": {"name": "x"}, "forge": {"kind": kind}}
    made = open_forge(RepositorySpec.model_validate(spec), GitCredentials(password=TOKEN))
    assert made is not None
    return made


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_wait", lambda times: 0.0)


@pytest.fixture(params=["gitea", "github", "gitlab"])
def forge(request: pytest.FixtureRequest, server: Server) -> Forge:
    return forge_of(server, request.param)


@pytest.fixture
def gitea(server: Server) -> Forge:
    return forge_of(server, "gitea")


def calls(forge: Forge) -> list[Callable[[], object]]:
    return [
        lambda: forge.find("a", "main"),
        lambda: forge.open("a", "main", "t", "b"),
        lambda: forge.read(1),
        lambda: forge.update(1, "t", "b"),
        lambda: forge.comment(1, "m", "t"),
        lambda: forge.merge(1, "1" * 40, "m"),
        lambda: forge.close(1),
        lambda: forge.reviews(1),
    ]


def outcome(call: Callable[[], object]) -> StageError:
    with pytest.raises(StageError) as caught:
        call()
    assert TOKEN not in trace_of(caught.value)
    return caught.value


@pytest.mark.parametrize("status", [401, 403, 400, 422, 423])
def test_a_refusal_is_said_in_the_forges_words_and_not_tried_again(server: Server, forge: Forge, status: int) -> None:
    server.replies = [Reply(status, json.dumps({"message": f"no \x1b[31m{TOKEN} here"}).encode())]
    for number, call in enumerate(calls(forge), start=1):
        found = outcome(call)
        assert isinstance(found, Terminal) and found.reason == Reason.FORGE_DENIED
        assert f"team/config at {server.url}/api/v" in found.message and "no [31m*** here" in found.message
        assert len(server.seen) == number


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_forge_is_tried_again_when_it_likes(server: Server, forge: Forge, status: int) -> None:
    server.replies = [Reply(status, headers={"Retry-After": "120"})]
    for call in calls(forge):
        found = outcome(call)
        assert isinstance(found, Transient) and found.reason == Reason.FORGE_UNREACHABLE
        assert found.retry_after == 120


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"null", b"[1]", b"{}", b'{"number": "x"}', b'"text"'])
def test_something_else_than_a_forge_is_told_and_never_believed(server: Server, forge: Forge, body: bytes) -> None:
    server.replies = [Reply(200, body)]
    for call in calls(forge):
        found = outcome(call)
        assert isinstance(found, Transient) and found.reason == Reason.FORGE_UNREACHABLE
        assert "spec.forge.apiUrl" in found.message


def test_a_redirect_is_not_followed_with_the_token(server: Server, forge: Forge) -> None:
    server.replies = [Reply(301, headers={"Location": "http://elsewhere.example.com/"})]
    for call in calls(forge):
        found = outcome(call)
        assert isinstance(found, Terminal) and found.reason == Reason.FORGE_DENIED
        assert "Write the URL that it leads to" in found.message


def test_a_lost_answer_to_opening_is_no_second_pull_request(server: Server, forge: Forge) -> None:
    server.replies = [Reply(cut=True)]
    found = outcome(lambda: forge.open("a", "main", "t", "b"))
    assert isinstance(found, Transient) and found.reason == Reason.FORGE_UNREACHABLE
    assert [method for method, _, _ in server.seen] == ["POST"]


def test_names_of_branches_are_one_segment_of_the_path(server: Server, gitea: Forge) -> None:
    server.replies = [Reply(404)]
    assert gitea.find("dispatch/revert/a b?c#d", "release/1") is None
    assert server.seen[0][1] == "/api/v1/repos/team/config/pulls/release%2F1/dispatch%2Frevert%2Fa%20b%3Fc%23d"


def test_a_token_is_in_no_repr(forge: Forge) -> None:
    assert TOKEN not in repr(forge.__dict__)
