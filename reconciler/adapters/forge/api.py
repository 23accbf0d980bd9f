"""Requests to the API of one repository at a forge, and what every forge's refusals mean."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from reconciler.adapters import process
from reconciler.adapters.forge.place import Place
from reconciler.adapters.http import Answer, Http, NoAnswer, Request
from reconciler.model.outcome import Reason, StageError, Terminal, Transient

_LONGEST = 300
_TOKEN = "the token is the password of the Secret that credentialsRef names"  # noqa: S105


@dataclass(frozen=True, slots=True)
class Api:
    """`headers` let the token in; `secrets` are masked in all that is said. `timeout` is in seconds, for each try."""

    http: Http
    place: Place
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    timeout: float

    def ask(
        self,
        method: str,
        *path: object,
        body: Any = None,
        query: Mapping[str, object] | None = None,
        expected: Collection[int] = (),
    ) -> Answer:
        """An answer of 2xx, or of an `expected` status. `path` are the segments below the repository.

        Raises Transient(FORGE_UNREACHABLE), Terminal(FORGE_DENIED).
        """
        segments = ("repos", self.place.owner, self.place.name, *path)
        url = "/".join((self.place.api, *(quote(str(segment), safe="") for segment in segments)))
        if query:
            url += f"?{urlencode(query)}"
        try:
            answer = self.http.send(Request(method, url, self.headers, body, self.timeout, self.secrets))
        except NoAnswer as error:
            raise Transient(Reason.FORGE_UNREACHABLE, f"{self.place.shown}: {error}. It is tried again.") from None
        if 200 <= answer.status < 300 or answer.status in expected:
            return answer
        raise self._refused(answer)

    def said(self, answer: Answer) -> str:
        """The forge's own sentence, in one line and without secrets; the status when it said nothing."""
        text = process.redact(message_of(answer), self.secrets)
        plain = "".join(character if character.isprintable() else " " for character in text)
        line = " ".join(plain.split())[:_LONGEST] or f"HTTP {answer.status}"
        return line if line.endswith((".", "!", "?")) else f"{line}."

    def strange(self, answer: Answer) -> Transient:
        """The outcome for an answer that holds something else than was asked for: a proxy, or a forge of another
        kind."""
        return Transient(
            Reason.FORGE_UNREACHABLE,
            f"{self.place.shown} answers HTTP {answer.status} with something that is not of its API. Check "
            "spec.forge.apiUrl; it is tried again.",
        )

    def _refused(self, answer: Answer) -> StageError:
        where, said = self.place.shown, self.said(answer)
        if answer.status == 429 or answer.status >= 500:
            words = f"{where} is busy or broken: {said} It is tried again."
            return Transient(Reason.FORGE_UNREACHABLE, words, retry_after=answer.wish)
        if answer.status == 401:
            return Terminal(Reason.FORGE_DENIED, f"{where} does not know the token: {said} Renew it: {_TOKEN}.")
        if answer.status == 403:
            words = "It must be allowed to write to the repository and its pull requests"
            return Terminal(Reason.FORGE_DENIED, f"{where} does not let the token do this: {said} {words}: {_TOKEN}.")
        if 300 <= answer.status < 400:
            words = "redirects, and a token is not taken elsewhere. Write the URL that it leads to"
            return Terminal(Reason.FORGE_DENIED, f"{where} {words} into spec.url or spec.forge.apiUrl.")
        if answer.status == 404:
            words = "Check spec.url and spec.forge.apiUrl; forges say so too when the token may not see it"
            return Terminal(Reason.FORGE_DENIED, f"{where} has no such thing: {said} {words}.")
        return Terminal(Reason.FORGE_DENIED, f"{where} refuses (HTTP {answer.status}): {said}")


def message_of(answer: Answer) -> str:
    """The `message` of an answer as it came; empty when there is none."""
    words = answer.body.get("message") if isinstance(answer.body, dict) else None
    return words if isinstance(words, str) else ""
