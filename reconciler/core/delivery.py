"""Whether a request is an event of a forge: by its headers and its body as it comes, of which nothing is kept.

The forge's kind decides which header counts, never the request: Gitea sends GitHub's headers, too. GitHub, "Validating
webhook deliveries"; Gitea, services/webhook/deliver.go; GitLab, "Webhooks": secret token, and signing token as in
Standard Webhooks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

SIGNING = "whsec_"
"""How a signing token of GitLab begins: base64 of the key comes behind it."""
_FORM = "application/x-www-form-urlencoded"
_FIELD = b"payload="
_HEX = re.compile(r"[0-9a-f]{64}")
_SKEW = 300.0
"""Seconds between the clocks, as Standard Webhooks has them."""


class About(StrEnum):
    """What an event may be about: which work it hints at. Its header is not signed, and need not be."""

    REFS = "refs"
    REQUESTS = "requests"
    NOTHING = "nothing"
    ANYTHING = "anything"


class Sent(NamedTuple):
    """A delivery that is genuine. `ids` tell it from all others: what has one of them in common is the same again."""

    about: About
    ids: tuple[bytes, ...]


_EVENT = {"gitea": "x-gitea-event", "github": "x-github-event", "gitlab": "x-gitlab-event"}
_DELIVERY = {"gitea": "x-gitea-delivery", "github": "x-github-delivery", "gitlab": "idempotency-key"}
"""GitLab's `X-Gitlab-Event-UUID` is not among them: events that follow from one another share it."""
_SIGNED = {"gitea": ("x-gitea-signature", ""), "github": ("x-hub-signature-256", "sha256=")}
_REFS = frozenset({"push", "create", "delete", "Push Hook", "Tag Push Hook"})
_REQUESTS = frozenset(
    {"pull_request", "pull_request_approved", "pull_request_rejected", "pull_request_comment", "pull_request_review"}
    | {"status", "check_run", "check_suite", "issue_comment"}
    | {"Merge Request Hook", "Pipeline Hook", "Job Hook", "Note Hook"}
)


class _Check(NamedTuple):
    """A secret at work, and the signatures one of which it must make."""

    mac: hmac.HMAC
    told: tuple[bytes, ...]


class Delivery:
    """One request: `update` with each piece of the body, then `finish`. `believed`: whatever its body is."""

    def __init__(self, about: About, id: str, checks: Sequence[_Check], *, believed: bool, form: bool) -> None:
        self._about = about
        self._id = id
        self._checks = checks
        self._believed = believed
        self._form = _Form() if form else None
        self._seen = hashlib.sha256()

    def update(self, piece: bytes) -> None:
        self._seen.update(piece)
        self._sign(self._form.decoded(piece) if self._form else piece)

    def finish(self) -> Sent | None:
        """None when no secret fits. Every secret is tried, so that the time does not tell which."""
        if self._form:
            self._sign(self._form.rest())
        good = [hmac.compare_digest(check.mac.digest(), told) for check in self._checks for told in check.told]
        if not (self._believed or any(good)):
            return None
        known = (self._id.encode(), self._seen.digest())
        return Sent(self._about, tuple(hashlib.sha256(each).digest()[:16] for each in known if each))

    def _sign(self, signed: bytes) -> None:
        for check in self._checks:
            check.mac.update(signed)


def begin(kind: str, headers: Mapping[str, str], secrets: Sequence[str], now: float) -> Delivery | None:
    """None for a request that carries nothing to believe it by: its body need not be read.

    `kind` is that of the Repository's forge; `headers` are found by lower case names; `now` is in seconds since 1970.
    """
    secrets = [secret for secret in secrets if secret]
    believed = False
    if kind == "gitlab":
        checks = [each for secret in secrets if secret.startswith(SIGNING) for each in _standard(headers, secret, now)]
        # In the clear, and good for whatever body comes with it.
        given = headers.get("x-gitlab-token", "").encode("latin-1", "replace")
        plain = [secret.encode() for secret in secrets if not secret.startswith(SIGNING)]
        believed = sum(hmac.compare_digest(given, each) for each in plain) > 0
    else:
        checks = _signed(*_SIGNED[kind], headers, secrets)
    if not (believed or checks):
        return None
    # GitHub signs a form as it is sent, Gitea the JSON that is in it.
    form = kind == "gitea" and headers.get("content-type", "").lower().startswith(_FORM)
    about, id = _about(headers.get(_EVENT[kind], "")), headers.get(_DELIVERY[kind], "")
    return Delivery(about, id, checks, believed=believed, form=form)


def _signed(name: str, prefix: str, headers: Mapping[str, str], secrets: Sequence[str]) -> list[_Check]:
    told = headers.get(name, "")
    signature = told.removeprefix(prefix)
    if not told.startswith(prefix) or not _HEX.fullmatch(signature):
        return []
    return [_Check(hmac.new(secret.encode(), b"", hashlib.sha256), (bytes.fromhex(signature),)) for secret in secrets]


def _standard(headers: Mapping[str, str], secret: str, now: float) -> list[_Check]:
    """Standard Webhooks: `v1,BASE64` of `ID.TIMESTAMP.BODY`; several signatures are set apart by spaces."""
    id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not id or not (at.isascii() and at.isdecimal() and len(at) < 16) or abs(now - int(at)) > _SKEW:
        return []
    try:
        key = base64.b64decode(secret.removeprefix(SIGNING), validate=True)
        told = tuple(
            base64.b64decode(each.removeprefix("v1,"), validate=True)
            for each in headers.get("webhook-signature", "").split()
            if each.startswith("v1,")
        )
    except binascii.Error:
        return []
    if not key or not told:
        return []
    mac = hmac.new(key, f"{id}.{at}.".encode(), hashlib.sha256)
    return [_Check(mac, told)]


def _about(event: str) -> About:
    if event == "ping":
        return About.NOTHING
    if event in _REFS:
        return About.REFS
    return About.REQUESTS if event in _REQUESTS else About.ANYTHING


class _Form:
    """The value of a form's only field, `payload`, decoded piece by piece."""

    def __init__(self) -> None:
        self._head = bytearray()
        self._left = b""

    def decoded(self, piece: bytes) -> bytes:
        if len(self._head) < len(_FIELD):
            taken = len(_FIELD) - len(self._head)
            self._head += piece[:taken]
            piece = piece[taken:]
        if self._head != _FIELD:
            # Not that form: it is no signed body of Gitea, whatever it is.
            return b""
        text = self._left + piece
        # A `%` of a code that is not whole yet waits for the next piece.
        cut = text.rfind(b"%", max(0, len(text) - 2))
        whole, self._left = (text, b"") if cut < 0 else (text[:cut], text[cut:])
        return unquote_to_bytes(whole.replace(b"+", b" "))

    def rest(self) -> bytes:
        return unquote_to_bytes(self._left.replace(b"+", b" "))
