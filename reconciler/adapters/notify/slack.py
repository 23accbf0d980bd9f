"""The port `Messenger` on Slack's Web API: chat.postMessage, chat.update, conversations.history (docs.slack.dev).

Nothing is tried again here. slack-sdk's retry handlers sleep where they are, and the one for broken connections posts
a message twice whose answer was lost; who calls this has waits of its own, and looks for the message first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError

from reconciler.adapters import process
from reconciler.core.slack_message import EVENT_TYPE, message
from reconciler.model.notice import Notice, Severity
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

if TYPE_CHECKING:
    from slack_sdk import WebClient

TIMEOUT = 5
"""Seconds for each request."""
_SKEW = 60.0
"""Seconds by which our clock may be ahead of Slack's."""
_PAGES, _PAGE = 5, 200
_NAME = re.compile(r"[a-z][a-z_]{2,60}")
_BUSY = frozenset({"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable"})
_GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "thread_not_found"})
_UNFIT = frozenset(
    {"msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format", "no_text", "metadata_too_large"}
)
_BLIND = frozenset({"missing_scope", "no_permission", "method_not_supported_for_channel_type", "not_in_channel"})
_ADVICE = {
    "invalid_auth": "The token is not valid: put the app's bot token (xoxb-...) into the Secret.",
    "not_authed": "The token is empty: put the app's bot token (xoxb-...) into the Secret.",
    "account_inactive": "The app was removed from the workspace: install it again.",
    "token_revoked": "The token was revoked: install the app again and renew the Secret.",
    "token_expired": "The token has expired: renew the Secret.",
    "missing_scope": "Give the app the scope chat:write, and install it again.",
    "channel_not_found": "Check spec.slack.channel; for a private channel invite the app: /invite @APP.",
    "not_in_channel": "Invite the app into the channel: /invite @APP.",
    "is_archived": "The channel is archived: name another one in spec.slack.channel.",
}


class SlackMessenger:
    """One channel. `token` is never said, logged or shown."""

    def __init__(self, channel: str, token: str, api_url: str) -> None:
        self._channel = channel
        self._token = token
        self._url = api_url if api_url.endswith("/") else f"{api_url}/"
        self._opened: WebClient | None = None

    def post(self, notice: Notice) -> str:
        answer = self._ask(lambda slack: slack.chat_postMessage(channel=self._channel, **_quiet(message(notice))))
        return str(answer.get("ts") or "")

    def find(self, key: str, since: datetime) -> str | None:
        cursor: str | None = None
        oldest = f"{since.timestamp() - _SKEW:.6f}"
        for _ in range(_PAGES):
            try:
                page = self._ask(
                    lambda slack: slack.conversations_history(
                        channel=self._channel,
                        oldest=oldest,
                        limit=_PAGE,
                        cursor=cursor,  # noqa: B023 (called before the next turn)
                        include_all_metadata=True,
                    ),
                    blind=_BLIND,
                )
            except _Refused:
                return None
            for each in page.get("messages") or []:
                metadata = each.get("metadata") or {}
                if metadata.get("event_type") == EVENT_TYPE and (metadata.get("event_payload") or {}).get("key") == key:
                    return str(each["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return None
        return None

    def update(self, id: str, notice: Notice) -> bool:
        try:
            self._ask(lambda slack: slack.chat_update(channel=self._channel, ts=id, **message(notice)), blind=_GONE)
        except _Refused:
            return False
        return True

    def reply(self, id: str, notice: Notice) -> None:
        said = _quiet(message(notice))
        # Its own key would make it look like the message itself.
        del said["metadata"]
        aloud = notice.severity.at_least(Severity.WARNING)
        try:
            self._ask(
                lambda slack: slack.chat_postMessage(
                    channel=self._channel, thread_ts=id, reply_broadcast=aloud, **said
                ),
                blind=_GONE,
            )
        except _Refused:
            return

    def _ask(self, call: Callable[[WebClient], Any], blind: frozenset[str] = frozenset()) -> Mapping[str, Any]:
        """One request. Raises _Refused for an error in `blind`, and the port's outcomes."""
        from slack_sdk.errors import SlackApiError, SlackClientError

        try:
            answer: Mapping[str, Any] = call(self._client()).data
        except SlackApiError as error:
            raise self._refused(error, blind) from None
        except (SlackClientError, URLError, HTTPException, OSError, ValueError) as error:
            why = process.redact(str(getattr(error, "reason", error)) or type(error).__name__, (self._token,))
            raise Transient(Reason.NOTICE_UNREACHABLE, f"Slack does not answer: {why}. It is tried again.") from None
        return answer

    def _refused(self, error: Any, blind: frozenset[str]) -> Exception:
        response = error.response
        data = response.data if isinstance(response.data, dict) else {}
        code, said = int(response.status_code), str(data.get("error") or "")
        # For what is no JSON slack-sdk puts the page there: words of a proxy, perhaps a whole page.
        said = said if _NAME.fullmatch(said) else ""
        if said in blind:
            return _Refused(said)
        if code == 429 or code >= 500 or said in _BUSY or not said:
            words = "asks for patience" if code == 429 else f"is broken ({said or f'HTTP {code}'})"
            wish = _seconds(response.headers)
            return Transient(Reason.NOTICE_UNREACHABLE, f"Slack {words}. It is tried again.", retry_after=wish)
        return self._outcome(said)

    def _outcome(self, said: str) -> StageError:
        if said in _UNFIT:
            return Terminal(Reason.NOTICE_UNFIT, f"Slack does not take this notice: {said}")
        advice = _ADVICE.get(said, "Slack's documentation of chat.postMessage says what it means.")
        return Terminal(Reason.NOTICE_REFUSED, f"Slack refuses to post in {self._channel}: {said}. {advice}")

    def _client(self) -> WebClient:
        """Imported when the first notice is sent: half of those who run Dispatch have no Slack."""
        if self._opened is None:
            from slack_sdk import WebClient

            # What goes wrong is said once, by who calls this, and not by the library too.
            silent = logging.getLogger(f"{__name__}.sdk")
            silent.setLevel(logging.CRITICAL)
            self._opened = WebClient(self._token, base_url=self._url, timeout=TIMEOUT, retry_handlers=[], logger=silent)
        return self._opened


class _Refused(Exception):
    """An error of Slack that the caller knows what to do about."""


def _quiet(said: dict[str, Any]) -> dict[str, Any]:
    """No preview of what is linked: a notice is as long as it is."""
    return {**said, "unfurl_links": False, "unfurl_media": False}


def _seconds(headers: Mapping[str, Any]) -> float | None:
    """Retry-After, which Slack gives in seconds."""
    for name, value in headers.items():
        if name.lower() == "retry-after":
            text = value[0] if isinstance(value, list) else value
            return float(text) if str(text).strip().isdecimal() else None
    return None
