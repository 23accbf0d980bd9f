"""The Slack of examples/promotion takes what a Notifier posts, and shows it as people would see it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import urllib3

from reconciler.adapters.notify.slack import SlackMessenger
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.outcome import Terminal

PROGRAM = Path(__file__).parents[2] / "examples" / "promotion" / "slack.py"
CHANNEL, TOKEN = "C0123456789", "xoxb-of-a-stand-in"


@pytest.fixture
def url() -> Iterator[str]:
    """Where its API is."""
    program = subprocess.Popen([sys.executable, str(PROGRAM)], stdout=subprocess.PIPE, text=True)
    assert program.stdout
    yield program.stdout.readline().removeprefix("open at ").strip()
    program.terminate()
    assert program.wait(10) == 0
    program.stdout.close()


def notice(title: str, *lines: str, under_way: bool = False) -> Notice:
    about = Subject("team-b", "store")
    return Notice(NoticeEvent.DEPLOYED, about, "a" * 40, title, lines, "http://git.example.com/x", under_way=under_way)


def shown(url: str) -> list[str]:
    answer = urllib3.request("GET", url.removesuffix("api/"), retries=False, timeout=5)
    return answer.data.decode().splitlines()


def test_a_message_is_posted_edited_in_place_and_answered_in_its_thread(url: str) -> None:
    slack = SlackMessenger(CHANNEL, TOKEN, url)
    id = slack.post(notice("team-b/store aaaaaaa is being deployed", "<!channel> & all", under_way=True))
    assert slack.update(id, notice("team-b/store aaaaaaa deployed", "<!channel> & all"))
    slack.reply(id, notice("team-b/store aaaaaaa deployed"))
    slack.post(notice("the next one"))

    assert shown(url) == [
        "✅ team-b/store aaaaaaa deployed",
        "• <!channel> & all",
        "Deployed · info · open: http://git.example.com/x",
        "  ↳ ✅ team-b/store aaaaaaa deployed",
        "",
        "✅ the next one",
        "Deployed · info · open: http://git.example.com/x",
    ]


def test_a_message_is_found_again_by_its_key(url: str) -> None:
    slack, since = SlackMessenger(CHANNEL, TOKEN, url), datetime.now(UTC)
    id = slack.post(notice("one"))
    assert slack.find(notice("one").key, since) == id
    assert slack.find("another", since) is None


@pytest.mark.parametrize(("channel", "token"), [(CHANNEL, "a-wrong-one"), ("C0000000000", TOKEN)])
def test_a_wrong_token_or_channel_is_refused(channel: str, token: str, url: str) -> None:
    with pytest.raises(Terminal):
        SlackMessenger(channel, token, url).post(notice("one"))


def test_a_message_that_is_not_there_is_not_edited(url: str) -> None:
    assert not SlackMessenger(CHANNEL, TOKEN, url).update("1.0", notice("one"))
