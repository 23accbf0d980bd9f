"""How a registry wants to know us: Basic, or a Bearer token of a token server (distribution, spec/auth/token.md)."""

from __future__ import annotations

import re
import threading
import time
from base64 import b64encode
from typing import Any, NamedTuple
from urllib.parse import urlencode

from reconciler.adapters.http import Http, NoAnswer, Request
from reconciler.adapters.registry.place import may_lead
from reconciler.model.image import ImageName
from reconciler.model.outcome import Reason, Terminal, Transient

_PARAMETER = re.compile(r'([A-Za-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_LIVES = 60.0
_LONGEST_LIFE = 3600.0


class Challenge(NamedTuple):
    """The `WWW-Authenticate` of a 401. `scheme` is in lower case."""

    scheme: str
    realm: str = ""
    service: str = ""
    scope: str = ""


def challenge_of(header: str) -> Challenge:
    """What is asked for. Never raises: a header that cannot be read has an empty scheme."""
    scheme, _, rest = header.strip().partition(" ")
    found = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(rest)}
    return Challenge(scheme.lower(), found.get("realm", ""), found.get("service", ""), found.get("scope", ""))


class Tokens:
    """The `Authorization` of each image, kept as long as the token server lets it live."""

    def __init__(self, http: Http, timeout: float) -> None:
        self._http = http
        self._timeout = timeout
        self._lock = threading.Lock()
        self._kept: dict[ImageName, tuple[str, float]] = {}

    def known(self, image: ImageName) -> str:
        """The value that was good a moment ago; empty when there is none."""
        with self._lock:
            value, until = self._kept.get(image, ("", 0.0))
        return value if time.monotonic() < until else ""

    def forget(self, image: ImageName) -> None:
        with self._lock:
            self._kept.pop(image, None)

    def answer(self, image: ImageName, asked: Challenge, login: tuple[str, str] | None) -> str:
        """The value that a challenge asks for. Raises Terminal(REGISTRY_DENIED), Transient(REGISTRY_UNREACHABLE)."""
        if asked.scheme == "basic" and login is not None:
            value, lives = _basic(login), _LONGEST_LIFE
        elif asked.scheme == "bearer":
            value, lives = self._bearer(image, asked, login)
        else:
            missing = "a user name and a password" if asked.scheme == "basic" else f"{asked.scheme or 'something'!r}"
            raise Terminal(
                Reason.REGISTRY_DENIED,
                f"{image.host} asks for {missing} to read {image}: name a Secret with them in spec.credentialsRef.",
            )
        with self._lock:
            self._kept[image] = (value, time.monotonic() + lives)
        return value

    def _bearer(self, image: ImageName, asked: Challenge, login: tuple[str, str] | None) -> tuple[str, float]:
        if not may_lead(asked.realm, image.host):
            raise Terminal(
                Reason.REGISTRY_DENIED,
                f"{image.host} sends us for a token to {asked.realm[:100]!r}, where no password goes: it is not https.",
            )
        scope = asked.scope or f"repository:{image.repository}:pull"
        query = urlencode([("service", asked.service), ("scope", scope)] if asked.service else [("scope", scope)])
        url = f"{asked.realm}{'&' if '?' in asked.realm else '?'}{query}"
        headers = {"Authorization": _basic(login)} if login else {}
        secrets = (login[1], _basic(login).partition(" ")[2]) if login else ()
        try:
            answer = self._http.send(Request("GET", url, headers, None, self._timeout, secrets))
        except NoAnswer as error:
            words = f"the token server of {image.host} gives no answer: {error}. It is tried again."
            raise Transient(Reason.REGISTRY_UNREACHABLE, words) from None
        if answer.status == 429 or answer.status >= 500:
            words = f"the token server of {image.host} is busy or broken (HTTP {answer.status}). It is tried again."
            raise Transient(Reason.REGISTRY_UNREACHABLE, words, retry_after=answer.wish)
        token = _token(answer.body) if answer.status == 200 else ""
        if not token:
            who = f"the user {login[0]!r}" if login else "somebody without a password"
            raise Terminal(
                Reason.REGISTRY_DENIED,
                f"the token server of {image.host} gives {who} no token for {image} (HTTP {answer.status}): check the "
                "Secret that spec.credentialsRef names, and that it may pull this image.",
            )
        return f"Bearer {token}", _life(answer.body)


def _basic(login: tuple[str, str]) -> str:
    return "Basic " + b64encode(f"{login[0]}:{login[1]}".encode()).decode()


def _token(body: Any) -> str:
    token = (body.get("token") or body.get("access_token")) if isinstance(body, dict) else None
    return token if isinstance(token, str) and token.isascii() and token.isprintable() and " " not in token else ""


def _life(body: Any) -> float:
    """Seconds for which the token is used: a little less than it lives."""
    given = body.get("expires_in")
    lives = float(given) if isinstance(given, (int, float)) and given > 0 else _LIVES
    return min(lives, _LONGEST_LIFE) * 0.8
