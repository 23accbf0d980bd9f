"""The port `Messenger` on a plain webhook: each notice is one POST of JSON. A receiver keeps no message to be updated,
so what only brings one up to date is not sent."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import datetime
from urllib.parse import urlsplit

from reconciler.adapters.http import Http, NoAnswer, Request
from reconciler.core.notice_document import document
from reconciler.model.notice import Notice
from reconciler.model.outcome import Reason, Terminal, Transient

SIGNATURE = "X-Dispatch-Signature-256"
TIMEOUT = 5.0
_BUSY = frozenset({408, 425, 429})
_UNFIT = frozenset({400, 413, 422})


class WebhookMessenger:
    """`url` may hold a token in its path or query, so neither is ever said."""

    def __init__(self, url: str, key: str = "") -> None:
        self._url = url
        self._key = key.encode()
        self._http = Http()
        split = urlsplit(url)
        hidden = (url, f"{split.path}?{split.query}", split.path, split.query, key)
        self._secrets = tuple(each for each in hidden if len(each) > 1)

    def post(self, notice: Notice) -> str:
        self._send(notice)
        return notice.key

    def find(self, key: str, since: datetime) -> str | None:
        """Nobody can be asked: it is sent again, with the same `id`."""
        return None

    def update(self, id: str, notice: Notice) -> bool:
        return True

    def reply(self, id: str, notice: Notice) -> None:
        self._send(notice)

    def _send(self, notice: Notice) -> None:
        body = document(notice)
        headers = {"X-Dispatch-Event": notice.event.value}
        if self._key:
            # `Http` sends the same text: one dictionary is always written alike.
            headers[SIGNATURE] = f"sha256={hmac.new(self._key, json.dumps(body).encode(), hashlib.sha256).hexdigest()}"
        request = Request("POST", self._url, headers, body, TIMEOUT, self._secrets)
        try:
            answer = self._http.send(request)
        except NoAnswer as error:
            raise Transient(Reason.NOTICE_UNREACHABLE, f"the webhook does not answer: {error}") from None
        if 200 <= answer.status < 300:
            return
        said = f"the webhook answers HTTP {answer.status}"
        if answer.status in _BUSY or answer.status >= 500:
            raise Transient(Reason.NOTICE_UNREACHABLE, f"{said}. It is tried again.", retry_after=answer.wish)
        if answer.status in _UNFIT:
            raise Terminal(Reason.NOTICE_UNFIT, f"{said} to this notice")
        raise Terminal(
            Reason.NOTICE_REFUSED, f"{said}: check `url` and `key` in its Secret. Redirects are not followed"
        )
