"""Which messenger a Notifier asks for, with what its Secret gives."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import urlsplit

from reconciler.adapters.notify.slack import SlackMessenger
from reconciler.adapters.notify.webhook import WebhookMessenger
from reconciler.model.notifier import NotifierSpec
from reconciler.model.outcome import Reason, Terminal
from reconciler.ports import Messenger


def open_messenger(spec: NotifierSpec, data: Mapping[str, str]) -> Messenger:
    """`data` is the Secret's, in base64; nothing is sent yet. Raises Terminal(CREDENTIALS_NOT_FOUND)."""
    if spec.slack is not None:
        token = _text(data, "token", spec.slack.secret_ref.name).strip()
        if not token.isascii() or any(character.isspace() for character in token):
            raise _wrong("token", spec.slack.secret_ref.name, "is no token of Slack: it begins with xoxb-")
        return SlackMessenger(spec.slack.channel, token, spec.slack.api_url)
    assert spec.webhook is not None
    name = spec.webhook.secret_ref.name
    url = _text(data, "url", name).strip()
    if urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname:
        raise _wrong("url", name, "must be https://HOST/PATH")
    return WebhookMessenger(url, _text(data, "key", name) if "key" in data else "")


def _text(data: Mapping[str, str], field: str, name: str) -> str:
    try:
        text = base64.b64decode(data.get(field) or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise _wrong(field, name, "is not UTF-8 text") from None
    if not text:
        raise _wrong(field, name, "is missing: add it")
    return text


def _wrong(field: str, name: str, words: str) -> Terminal:
    return Terminal(Reason.CREDENTIALS_NOT_FOUND, f"field {field!r} of Secret {name!r} {words}")
