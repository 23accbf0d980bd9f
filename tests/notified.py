"""A team that is told what happens, in a channel of a Slack on loopback."""

from __future__ import annotations

import base64
from typing import Any

from slack_double import CHANNEL, TOKEN, Slack
from team import Team, eventually

from reconciler.model.resource import API_VERSION


def notify(team: Team, slack: Slack, name: str = "people", token: str = TOKEN, wait: bool = True, **spec: Any) -> None:
    """A Notifier of the team's namespace, with its Secret; waits until it says that it is ready."""
    secret(team, f"{name}-slack", token=token)
    place = {"channel": CHANNEL, "secretRef": {"name": f"{name}-slack"}, "apiUrl": slack.url}
    spec = {"slack": place, **spec}
    team.apply({"apiVersion": API_VERSION, "kind": "Notifier", "metadata": {"name": name}, "spec": spec})
    if wait:
        eventually(
            lambda: team.condition(name, kind="Notifier").get("status") == "True",
            what=lambda: team.live(API_VERSION, "Notifier", name),
        )


def secret(team: Team, name: str, **fields: str) -> None:
    data = {field: base64.b64encode(value.encode()).decode() for field, value in fields.items()}
    team.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": data})


def status(team: Team, name: str = "people") -> dict[str, Any]:
    return team.status(name, kind="Notifier")


def until_told(team: Team, slack: Slack, words: str, within: float = 30.0) -> dict[str, Any]:
    """Wait until a message of the channel holds these words and the Notifier has written it down; the message."""

    def seen() -> dict[str, Any] | None:
        kept = {each["id"] for each in status(team).get("messages") or []}
        return next(
            (
                each
                for each in slack.messages
                if words in each["text"] and each["ts"] in kept and "thread_ts" not in each
            ),
            None,
        )

    return eventually(seen, within, lambda: ([each["text"] for each in slack.messages], status(team)))
