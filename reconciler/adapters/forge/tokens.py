"""What lets Dispatch in at a forge: a token as it is, or one that a GitHub App is given for an hour.

GitHub, "Authenticating as a GitHub App installation": a signed statement of the App (RFC 7519, RS256) is exchanged for
a token of one installation, here for one repository.
"""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from urllib.parse import quote

from reconciler.adapters import process
from reconciler.adapters.forge.words import message_of, one_line
from reconciler.adapters.http import Answer, Http, NoAnswer, Request
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.ports import GitCredentials, GitHubApp

USER = "x-access-token"
"""The user name that git gives with an installation token."""
# A clock may be off by a minute, and a statement may be good for ten minutes at most.
_EARLIER, _LATER = 60, 540
# A token is not used in the last part of its hour: a command that begins then may outlive it.
_SPARE = 300.0
_KEPT = 256


class Token(Protocol):
    """`told` says in messages where it comes from."""

    @property
    def told(self) -> str: ...

    def value(self) -> str:
        """The token that is good now. Raises Transient(FORGE_UNREACHABLE), Terminal(FORGE_DENIED)."""

    def refused(self) -> None:
        """The forge did not know it: the next one is made anew, where it is made."""


@dataclass(frozen=True, slots=True)
class FixedToken:
    """A token that somebody wrote into a Secret."""

    text: str = field(repr=False)
    told: str = "it is the password of the Secret that credentialsRef names"

    def value(self) -> str:
        return self.text

    def refused(self) -> None:
        """Nothing: only its owner can renew it."""


@dataclass(frozen=True, slots=True)
class AppToken:
    """The tokens of an installation. `timeout` is in seconds."""

    installations: Installations
    app: GitHubApp = field(repr=False)
    ca: str = field(repr=False)
    timeout: float

    @property
    def told(self) -> str:
        return f"it is of installation {self.app.installation} of the GitHub App {self.app.id}"

    def value(self) -> str:
        return self.installations.token(self.app, self.ca, self.timeout)

    def refused(self) -> None:
        self.installations.forget(self.app)


class _Installation:
    """The newest token of one App and repository; asked for by one thread at a time."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.token = ""
        self.until = 0.0


class Installations:
    """Tokens of GitHub Apps, kept until shortly before they end. Safe for many threads."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        """`now` is seconds of the epoch: GitHub compares them with its own."""
        self._now = now
        self._guard = threading.Lock()
        self._kept: OrderedDict[GitHubApp, _Installation] = OrderedDict()

    def login(self, credentials: GitCredentials | None, timeout: float) -> GitCredentials | None:
        """Credentials that git can show: those of an App with its token as the password, others as they are.

        Raises as `token`.
        """
        if credentials is None or credentials.app is None:
            return credentials
        password = self.token(credentials.app, credentials.ca, timeout)
        return credentials._replace(username=USER, password=password, app=None)

    def token(self, app: GitHubApp, ca: str, timeout: float) -> str:
        """Raises Transient(FORGE_UNREACHABLE) when GitHub gives no answer, Terminal(FORGE_DENIED) when it gives no
        token, Terminal(CREDENTIALS_NOT_FOUND) for a key that cannot be read."""
        with self._guard:
            mine = self._kept.setdefault(app, _Installation())
            self._kept.move_to_end(app)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        with mine.guard:
            if mine.until - self._now() < _SPARE:
                mine.token, mine.until = _exchanged(app, ca, timeout, int(self._now()))
            return mine.token

    def forget(self, app: GitHubApp) -> None:
        with self._guard:
            self._kept.pop(app, None)


def statement(app: GitHubApp, now: int) -> str:
    """The App's statement about itself, signed (GitHub, "Generating a JSON Web Token"); `now` in seconds.

    Raises Terminal(CREDENTIALS_NOT_FOUND) for a key that cannot be read.
    """
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    head = {"alg": "RS256", "typ": "JWT"}
    claims = {"iat": now - _EARLIER, "exp": now + _LATER, "iss": app.id}
    said = f"{_part(json.dumps(head).encode())}.{_part(json.dumps(claims).encode())}"
    try:
        key = load_pem_private_key(app.private_key.strip().encode(), None)
    except (ValueError, TypeError):
        key = None
    if not isinstance(key, RSAPrivateKey):
        raise Terminal(
            Reason.CREDENTIALS_NOT_FOUND,
            "githubAppPrivateKey of the Secret that credentialsRef names is no RSA key in PEM without a passphrase: "
            "put the file there that GitHub gave for the App.",
        )
    return f"{said}.{_part(key.sign(said.encode(), PKCS1v15(), SHA256()))}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _exchanged(app: GitHubApp, ca: str, timeout: float, now: int) -> tuple[str, float]:
    """A new token, and when it ends in seconds of the epoch."""
    signed = statement(app, now)
    request = Request(
        "POST",
        f"{app.api}/app/installations/{quote(app.installation, safe='')}/access_tokens",
        {"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"},
        {"repositories": [app.repository]},
        timeout,
        (signed,),
    )
    try:
        http = Http(ca, connections=1)
    except ValueError as error:
        raise Terminal(Reason.INVALID_SPEC, f"ca.crt of the Secret that credentialsRef names: {error}.") from None
    try:
        answer = http.send(request)
    except NoAnswer as error:
        raise Transient(Reason.FORGE_UNREACHABLE, f"GitHub at {app.api}: {error}. It is tried again.") from None
    finally:
        http.close()
    if answer.status != 201:
        raise _refused(app, answer, signed)
    try:
        return str(answer.body["token"]), datetime.fromisoformat(answer.body["expires_at"]).timestamp()
    except (KeyError, TypeError, ValueError):
        words = f"{app.api} gives something that is no token of a GitHub App. Check spec.forge.apiUrl"
        raise Transient(Reason.FORGE_UNREACHABLE, f"{words}; it is tried again.") from None


def _refused(app: GitHubApp, answer: Answer, signed: str) -> StageError:
    said = one_line(process.redact(message_of(answer), (signed,)), answer)
    if answer.status == 429 or answer.status >= 500 or answer.wish is not None:
        words = f"GitHub at {app.api} is busy or broken: {said} It is tried again."
        return Transient(Reason.FORGE_UNREACHABLE, words, retry_after=answer.wish)
    advice = {
        401: "Check githubAppID, githubAppPrivateKey and the clock of this machine.",
        403: "The installation may be suspended: see the settings of the App.",
        404: "Check githubAppInstallationID: it is the number at the end of the installation's address.",
        422: f"Install the App for the repository {app.repository}.",
    }.get(answer.status, "Check the GitHub App.")
    words = f"GitHub at {app.api} gives no token to installation {app.installation} of the App {app.id}"
    return Terminal(Reason.FORGE_DENIED, f"{words}: {said} {advice}")
