"""A version that is walked out is one message: through its steps, a person's approval, its promotion or its end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from notified import notify, until_told
from slack_double import Slack, slack_workspace
from team import eventually
from walking import Metric, Walkers


@pytest.fixture
def slack() -> Iterator[Slack]:
    with slack_workspace() as workspace:
        yield workspace


def test_a_canary_is_one_message_and_an_approval_that_is_wanted_rings(walkers: Walkers, slack: Slack) -> None:
    gate = {"gate": {"approval": True, "interval": "1s"}}
    walkers.start({"canary": {"steps": [{"weight": 50}, {"pause": {}}, {"weight": 80}, gate]}})
    notify(walkers, slack)
    commit = walkers.release("2")
    waiting = until_told(walkers, slack, f"shop {commit[:7]} somebody must decide at step 2 of 4", within=60)
    walkers.until_paused(1)
    walkers.ask("Promote", by="ada")
    gated = until_told(walkers, slack, "somebody must decide at step 4 of 4", within=60)
    walkers.ask("Promote", by="bob")
    promoted = until_told(walkers, slack, f"shop {commit[:7]} promoted", within=60)
    assert waiting["ts"] == gated["ts"] == promoted["ts"]
    assert len(slack.texts()) == 1
    said = eventually(lambda: found if (found := slack.said(promoted["ts"]))[-1:] and "promoted" in found[-1] else None)
    assert said is not None
    loud = [each["text"] for each in slack.messages if each.get("subtype") == "thread_broadcast"]
    assert loud == [each for each in said if "somebody must decide" in each]
    assert loud, "an edit rings nobody: it is said below, and in the channel"
    assert not [each for each in said if "is walked out" in each], "steps are not chosen, so they are not said"


def test_a_bad_version_ends_as_reverted_in_its_own_message(walkers: Walkers, slack: Slack, page: Metric) -> None:
    walkers.start({"canary": {"steps": [{"weight": 50}, page.analysis()], "onFailure": "Revert"}})
    notify(walkers, slack)
    page.value = 0.9
    bad = walkers.release("2-bad")
    message = until_told(walkers, slack, f"shop {bad[:7]} reverted", within=90)
    walkers.until_stable("shop:1")
    said = eventually(lambda: found if len(found := slack.said(message["ts"])) >= 2 else None)
    assert said is not None
    assert [text.partition(bad[:7])[2].split(":")[0].strip() for text in said] == ["aborted", "reverted"]
    assert "measured 0.9" in str(message["blocks"])
    eventually(lambda: len([each for each in slack.texts() if bad[:7] in each]) == 1, what=slack.texts)
