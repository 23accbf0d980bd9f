"""The port `Webhooks`, one suite for all: the real Gitea, and servers that answer as GitHub and GitLab do. A hook is
made once, put right when somebody changed it, and signs with the secret that was given; others are not touched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator

import pytest
from forges.hooks import HookPage, Taken, hooks_of, listener
from forges.hosts import ForgeHost
from team import eventually
from traces import trace_of

from reconciler.adapters.forge import Forges
from reconciler.core.delivery import begin
from reconciler.core.webhook import hook_url
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import GitCredentials, Webhooks

REFS = {"gitea": {"push", "create", "delete"}, "github": {"push", "create", "delete"}}
REFS["gitlab"] = {"push_events", "tag_push_events"}
OTHERS = {
    "gitea": {"pull_request", "pull_request_review", "pull_request_sync", "status"},
    "github": {"pull_request", "pull_request_review", "status", "check_run"},
    "gitlab": {"merge_requests_events", "pipeline_events"},
}


@pytest.fixture
def host(forge_host: ForgeHost) -> ForgeHost:
    return forge_host


@pytest.fixture
def page(host: ForgeHost) -> HookPage:
    return hooks_of(host)


@pytest.fixture
def webhooks(host: ForgeHost, page: HookPage) -> Webhooks:
    return webhooks_of(host, page.token)


@pytest.fixture
def heard() -> Iterator[tuple[str, list[Taken]]]:
    with listener() as (url, taken):
        yield url, taken


def webhooks_of(host: ForgeHost, token: str) -> Webhooks:
    made = Forges().webhooks(host.spec(), GitCredentials(password=token))
    assert made is not None
    return made


def url_of(base: str, secret: str) -> str:
    return hook_url(base, "team-a", "config", secret)


def genuine(host: ForgeHost, taken: Taken, secret: str) -> bool:
    delivery = begin(host.kind, taken.headers, (secret,), time.time())
    if delivery is None:
        return False
    delivery.update(taken.body)
    return delivery.finish() is not None


def test_a_hook_is_made_once_and_tells_of_what_matters(host: ForgeHost, page: HookPage, webhooks: Webhooks) -> None:
    url = url_of("https://dispatch.example", "s")
    assert webhooks.ensure(url, "s")
    (hook,) = page.all()
    assert (hook.url, hook.active, hook.json) == (url, True, True)
    assert REFS[host.kind] | OTHERS[host.kind] <= hook.events
    assert not webhooks.ensure(url, "s"), "nothing is written where it is right"
    assert page.all() == [hook]


def test_what_happens_is_told_and_signed_with_the_secret(
    host: ForgeHost, page: HookPage, webhooks: Webhooks, heard: tuple[str, list[Taken]]
) -> None:
    base, taken = heard
    secret = secrets.token_hex(16)
    webhooks.ensure(url_of(base, secret), secret)
    page.happen()
    eventually(lambda: any(genuine(host, each, secret) for each in taken), 10, lambda: taken)
    assert not any(genuine(host, each, "another") for each in taken)
    assert {each.path.partition("?")[0] for each in taken} == {"/hooks/git/team-a/config"}


def test_a_new_secret_is_what_signs_from_then_on(
    host: ForgeHost, page: HookPage, webhooks: Webhooks, heard: tuple[str, list[Taken]]
) -> None:
    base, taken = heard
    webhooks.ensure(url_of(base, "old"), "old")
    assert webhooks.ensure(url_of(base, "new"), "new")
    (hook,) = page.all()
    assert hook.url == url_of(base, "new")
    page.happen()
    eventually(lambda: any(genuine(host, each, "new") for each in taken), 10, lambda: taken)
    assert not any(genuine(host, each, "old") for each in taken)


@pytest.mark.parametrize("how", ["off", "events", "gone"])
def test_what_somebody_changed_is_put_right(
    host: ForgeHost, page: HookPage, webhooks: Webhooks, heard: tuple[str, list[Taken]], how: str
) -> None:
    base, taken = heard
    url = url_of(base, "s")
    webhooks.ensure(url, "s")
    (before,) = page.all()
    page.spoil(before.id, how)
    assert webhooks.ensure(url, "s")
    (after,) = page.all()
    assert after._replace(id=0) == before._replace(id=0)
    page.happen()
    eventually(lambda: any(genuine(host, each, "s") for each in taken), 10, lambda: taken)


def test_a_hook_whose_secret_is_doubted_is_written_anew(page: HookPage, webhooks: Webhooks) -> None:
    url = url_of("https://dispatch.example", "s")
    webhooks.ensure(url, "s")
    assert webhooks.ensure(url, "s", renew=True)
    assert [each.url for each in page.all()] == [url]


def test_hooks_of_others_are_not_touched(page: HookPage, webhooks: Webhooks) -> None:
    theirs = [
        page.foreign("https://ci.example/hook"),
        page.foreign("https://dispatch.example/hooks/git/team-a/config-2"),
        page.foreign("https://other.example/hooks/git/team-a/config"),
    ]
    before = {each.id: each for each in page.all()}
    webhooks.ensure(url_of("https://dispatch.example", "s"), "s")
    webhooks.ensure(url_of("https://dispatch.example", "t"), "t", renew=True)
    assert len(page.all()) == 4
    webhooks.remove(url_of("https://dispatch.example", "anything"))
    assert {each.id: each for each in page.all()} == before
    assert sorted(before) == sorted(theirs)


def test_what_is_there_twice_is_one_again(page: HookPage, webhooks: Webhooks) -> None:
    """As a process leaves it that was killed between making the new hook and taking the old one away."""
    page.foreign(url_of("https://dispatch.example", "old"))
    page.foreign(url_of("https://dispatch.example", "older"))
    url = url_of("https://dispatch.example", "s")
    assert webhooks.ensure(url, "s")
    assert [each.url for each in page.all()] == [url]


def test_many_hooks_are_all_looked_through(page: HookPage, webhooks: Webhooks) -> None:
    for number in range(60):
        page.foreign(f"https://ci.example/{number}")
    url = url_of("https://dispatch.example", "s")
    webhooks.ensure(url, "s")
    assert not webhooks.ensure(url, "s")
    webhooks.remove(url)
    assert len(page.all()) == 60


def test_what_is_not_there_is_removed_already(page: HookPage, webhooks: Webhooks) -> None:
    webhooks.remove(url_of("https://dispatch.example", "s"))
    webhooks.ensure(url_of("https://dispatch.example", "s"), "s")
    webhooks.remove("https://dispatch.example/hooks/git/team-a/config")
    webhooks.remove("https://dispatch.example/hooks/git/team-a/config")
    assert page.all() == []


def test_a_token_without_the_right_is_told_which_it_lacks(host: ForgeHost, page: HookPage) -> None:
    url = url_of("https://dispatch.example", "s")
    calls: list[Callable[[Webhooks], object]] = [
        lambda hooks: hooks.ensure(url, "s"),
        lambda hooks: hooks.remove(url),
    ]
    for call in calls:
        with pytest.raises(Terminal, match=r"(?s)It must be allowed to .*(admin|Maintainer).*secretRef") as caught:
            call(webhooks_of(host, host.token("bot")))
        assert caught.value.reason == Reason.FORGE_DENIED
        assert host.token("bot") not in caught.value.message
    assert page.all() == []


def test_a_secret_is_in_no_error(host: ForgeHost, page: HookPage) -> None:
    secret = secrets.token_hex(16)
    for token in (host.token("reader"), secrets.token_hex(20)):
        with pytest.raises(Terminal) as caught:
            webhooks_of(host, token).ensure(url_of("https://dispatch.example", secret), secret)
        assert secret not in trace_of(caught.value)
