"""docs/notices.md: every event with its severity, and the JSON that is really sent."""

from __future__ import annotations

import json
import re
from pathlib import Path

from reconciler.core.notice_document import document
from reconciler.core.slack_message import message
from reconciler.model.notice import SEVERITIES, Notice, NoticeEvent, Subject

_PAGE = (Path(__file__).parents[2] / "docs" / "notices.md").read_text()
_COMMIT = "3f2a91c" + "0" * 33
_LINK = f"https://git.example.com/team/config/commit/{_COMMIT}"


def test_every_event_is_there_with_its_severity() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (\w+) \|", _PAGE, re.MULTILINE))
    assert rows == {event.value: severity.value for event, severity in SEVERITIES.items()}


def promoted() -> Notice:
    title, lines = "team-a/shop 3f2a91c promoted", ("Ada: a faster search", "1 changed")
    return Notice(NoticeEvent.DEPLOYED, Subject("team-a", "shop", "store"), _COMMIT, title, lines, _LINK)


def test_the_json_is_what_a_webhook_gets() -> None:
    (text,) = re.findall(r"```json\n(.*?)```", _PAGE, re.DOTALL)
    shown, sent = json.loads(text), document(promoted())
    shown["id"], sent["id"] = shown["id"].partition("#")[0], sent["id"].partition("#")[0]
    assert shown == sent


def test_the_message_is_what_slack_gets() -> None:
    said = message(promoted())
    assert said["text"] in _PAGE
    assert said["blocks"][1]["text"]["text"] in _PAGE
