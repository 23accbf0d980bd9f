"""The messenger for Slack, against Slack's documented answers over real HTTP."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from slack_double import CHANNEL, HANG_UP, LOST_ANSWER, TOKEN, Slack, Trouble, slack_workspace

from reconciler.adapters.notify import slack as slack_messenger
from reconciler.adapters.notify.slack import SlackMessenger
from reconciler.model.notice import Notice, NoticeEvent, Subject
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

ABOUT = Subject("team-a", "shop")


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_workspace() as workspace:
        yield workspace


@pytest.fixture
def messenger(slack: Slack) -> SlackMessenger:
    return SlackMessenger(CHANNEL, TOKEN, slack.url)


def notice(title: str = "team-a/shop 0123abc deployed", event: NoticeEvent = NoticeEvent.DEPLOYED) -> Notice:
    return Notice(event, ABOUT, "0123abc" + "0" * 33, title, ("Ada: a change",))


def long_ago() -> datetime:
    return datetime.now(UTC) - timedelta(hours=1)


def test_a_message_is_posted_updated_in_place_and_replied_to(slack: Slack, messenger: SlackMessenger) -> None:
    id = messenger.post(notice("first"))
    assert messenger.update(id, notice("second"))
    messenger.reply(id, notice("second"))
    (message,) = slack.messages
    assert message["ts"] == id
    assert "second" in message["text"]
    assert slack.said(id) == [":white_check_mark: second"]


def test_what_wants_somebody_to_act_is_shown_to_the_whole_channel(slack: Slack, messenger: SlackMessenger) -> None:
    id = messenger.post(notice())
    messenger.reply(id, notice("somebody must decide", NoticeEvent.APPROVAL_WANTED))
    messenger.reply(id, notice("a step further", NoticeEvent.CANARY_STEP))
    assert [each.get("subtype") for each in slack.messages] == [None, "thread_broadcast"]


def test_a_message_is_found_again_by_its_key_and_a_reply_is_not_taken_for_it(
    slack: Slack, messenger: SlackMessenger
) -> None:
    for number in range(250):
        messenger.post(Notice(NoticeEvent.DEPLOYED, ABOUT, f"{number:040d}", str(number)))
    id = messenger.post(notice())
    messenger.reply(id, notice("loud", NoticeEvent.ABORTED))
    assert messenger.find(notice().key, long_ago()) == id
    assert messenger.find(f"team-a/shop@{3:040d}", long_ago()) == slack.messages[3]["ts"]
    assert messenger.find("team-a/other@1", long_ago()) is None
    assert messenger.find(notice().key, datetime.now(UTC) + timedelta(minutes=5)) is None


def test_without_the_right_to_read_the_channel_nothing_is_found_and_nothing_fails(
    slack: Slack, messenger: SlackMessenger
) -> None:
    messenger.post(notice())
    slack.scopes = {"chat:write"}
    assert messenger.find(notice().key, long_ago()) is None


def test_a_message_that_is_gone_cannot_be_updated_and_says_so(slack: Slack, messenger: SlackMessenger) -> None:
    id = messenger.post(notice())
    slack.messages.clear()
    assert messenger.update(id, notice("later")) is False


@pytest.mark.parametrize(
    ("trouble", "words", "wish"),
    [
        (Trouble(429, "ratelimited", retry_after=30), "asks for patience", 30.0),
        (Trouble(429, "ratelimited"), "asks for patience", None),
        (Trouble(500), "HTTP 500", None),
        (Trouble(503, "service_unavailable", retry_after=2), "service_unavailable", 2.0),
        (Trouble(200, "internal_error"), "internal_error", None),
        (HANG_UP, "does not answer", None),
    ],
)
def test_what_may_pass_is_told_with_the_wish_of_slack(
    slack: Slack, messenger: SlackMessenger, trouble: Trouble, words: str, wish: float | None
) -> None:
    slack.troubles = [trouble]
    with pytest.raises(Transient) as told:
        messenger.post(notice())
    assert words in told.value.message
    assert (told.value.reason, told.value.retry_after) == (Reason.NOTICE_UNREACHABLE, wish)
    assert len(slack.asked) <= 1, "it is not tried again here: who calls has waits of its own"


def test_a_post_whose_answer_is_lost_is_not_sent_again_by_itself(slack: Slack, messenger: SlackMessenger) -> None:
    slack.troubles = [LOST_ANSWER]
    with pytest.raises(Transient):
        messenger.post(notice())
    assert len(slack.messages) == 1
    assert messenger.find(notice().key, long_ago()) == slack.messages[0]["ts"]


def test_a_slack_that_hangs_is_left_after_the_time_out(
    slack: Slack, messenger: SlackMessenger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_messenger, "TIMEOUT", 1)
    slack.slow = 30.0
    with pytest.raises(Transient):
        messenger.post(notice())
    # It was given up, not waited for: the answer is still being prepared.
    assert not slack.messages


@pytest.mark.parametrize(
    ("channel", "token", "said"),
    [
        (CHANNEL, "xoxb-2-other", "invalid_auth. The token is not valid"),
        ("C0000000000", TOKEN, "channel_not_found. Check spec.slack.channel"),
    ],
)
def test_what_only_a_person_can_mend_says_what_to_do(slack: Slack, channel: str, token: str, said: str) -> None:
    with pytest.raises(Terminal) as told:
        SlackMessenger(channel, token, slack.url).post(notice())
    assert told.value.reason is Reason.NOTICE_REFUSED
    assert said in told.value.message
    assert token not in told.value.message


def test_a_dead_host_is_no_answer_and_the_token_is_never_said() -> None:
    dead = SlackMessenger(CHANNEL, TOKEN, "http://127.0.0.1:9/api/")
    with pytest.raises(Transient) as told:
        dead.post(notice())
    assert TOKEN not in told.value.message


def test_however_long_a_notice_is_slack_takes_it(slack: Slack, messenger: SlackMessenger) -> None:
    lines = tuple("<&>" * 2000 for _ in range(300))
    long = Notice(NoticeEvent.FAILED, ABOUT, "1" * 40, "&" * 5000, lines, "https://h/<x>|y")
    messenger.update(messenger.post(long), long)
    (message,) = slack.messages
    assert "cut to what Slack takes" in message["blocks"][-2]["text"]["text"]


def test_a_notice_that_slack_will_never_take_is_told_apart(slack: Slack, messenger: SlackMessenger) -> None:
    slack.troubles = [Trouble(200, "invalid_blocks")]
    with pytest.raises(StageError) as told:
        messenger.post(notice())
    assert told.value.reason is Reason.NOTICE_UNFIT


def test_slack_is_imported_by_the_first_notice_only() -> None:
    import subprocess

    code = "import sys, reconciler.adapters.notify.opening; sys.exit('slack_sdk' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
