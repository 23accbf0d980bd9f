"""Requests to the API of one repository at a forge, and what every forge's refusals mean."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from reconciler.adapters import process
from reconciler.adapters.forge.tokens import Token
from reconciler.adapters.forge.words import message_of, one_line
from reconciler.adapters.http import Answer, Http, NoAnswer, Request
from reconciler.core.place import Place
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.model.permit import Permit, always

_PAGES = 40
_KEPT = 128
_LIMIT_WAIT = 60.0


class Remembered:
    """Answers with their ETag: one that has not changed is answered by 304, which is cheap, and free at GitHub."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, Answer]] = OrderedDict()

    def get(self, url: str) -> tuple[str, Answer] | None:
        with self._guard:
            return self._kept.get(url)

    def put(self, url: str, answer: Answer) -> None:
        with self._guard:
            if etag := answer.headers.get("etag"):
                self._kept[url] = (etag, answer._replace(content=b""))
                self._kept.move_to_end(url)
            if len(self._kept) > _KEPT:
                self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class Api:
    """`scheme` is the word before the token in `Authorization`; `headers` go with every request; `size` is the name of
    the query for how many there are on a page. `timeout` is in seconds, for each try; `permit` is asked before each
    request that is no GET. `right` is what the token must be allowed, in words, where that is more than to write to the
    repository and its pull requests; `thing` what is asked for, where that is something else than they.
    """

    http: Http
    place: Place
    token: Token = field(repr=False)
    scheme: str
    size: str
    timeout: float
    headers: Mapping[str, str] = field(default_factory=dict)
    remembered: Remembered | None = field(default=None, repr=False)
    permit: Permit = field(default=always, repr=False)
    right: str = ""
    thing: str = ""

    def ask(
        self,
        method: str,
        *path: object,
        body: Any = None,
        query: Mapping[str, object] | None = None,
        expected: Collection[int] = (),
        above: bool = False,
    ) -> Answer:
        """An answer of 2xx, or of an `expected` status. `path` are the segments below the repository, or with `above`
        below the root of the API.

        Raises Transient(FORGE_UNREACHABLE), Terminal(FORGE_DENIED).
        """
        segments = path if above else (*self.place.below, *path)
        url = "/".join((self.place.api, *(quote(str(segment), safe="") for segment in segments)))
        if query:
            url += f"?{urlencode(query)}"
        answer = self._sent(method, url, body)
        if 200 <= answer.status < 300 or answer.status in expected:
            return answer
        raise self.refusal(answer)

    def pages(
        self,
        *path: object,
        query: Mapping[str, object] | None = None,
        page: int = 100,
        inside: str = "",
        above: bool = False,
    ) -> Iterator[Any]:
        """The items of all pages of a list; it is the field `inside` of each answer, where one is named.

        Raises Transient(FORGE_UNREACHABLE) for pages without end, else as `ask`.
        """
        seen = 0
        for number in range(1, _PAGES + 1):
            wanted = {**(query or {}), self.size: page, "page": number}
            answer = self.ask("GET", *path, query=wanted, above=above)
            items = answer.body
            if inside and isinstance(items, dict) and inside in items:
                # Gitea says null for none.
                items = items[inside] or []
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise self.strange(answer)
            yield from items
            seen += len(items)
            if not items or not _more(answer, seen):
                return
        raise Transient(
            Reason.FORGE_UNREACHABLE,
            f"{self.place.shown} has more than {_PAGES} pages of {page} below {'/'.join(map(str, path))}: nothing is "
            "decided on a part of them.",
        )

    def said(self, answer: Answer) -> str:
        """The forge's own sentence, in one line and without secrets; the status when it said nothing."""
        return one_line(process.redact(message_of(answer), (self.token.value(),)), answer)

    def strange(self, answer: Answer) -> Transient:
        """The outcome for an answer that holds something else than was asked for: a proxy, or a forge of another
        kind."""
        return Transient(
            Reason.FORGE_UNREACHABLE,
            f"{self.place.shown} answers HTTP {answer.status} with something that is not of its API. Check "
            "spec.forge.apiUrl; it is tried again.",
        )

    def refusal(self, answer: Answer) -> StageError:
        """The outcome for an answer that is no success."""
        where, said, told = self.place.shown, self.said(answer), self.token.told
        limited = answer.status == 403 and (answer.wish is not None or "rate limit" in said.lower())
        if answer.status == 429 or answer.status >= 500 or limited:
            words = f"{where} is busy or broken: {said} It is tried again."
            wish = answer.wish or (_LIMIT_WAIT if limited else None)
            return Transient(Reason.FORGE_UNREACHABLE, words, retry_after=wish)
        if answer.status == 401:
            self.token.refused()
            return Terminal(Reason.FORGE_DENIED, f"{where} does not know the token: {said} Renew it: {told}.")
        if answer.status == 403:
            words = f"It must be allowed {self.right or 'to write to the repository and its pull requests'}"
            what = f"read {self.thing}" if self.thing else "do this"
            return Terminal(Reason.FORGE_DENIED, f"{where} does not let the token {what}: {said} {words}: {told}.")
        if 300 <= answer.status < 400:
            words = "redirects, and a token is not taken elsewhere. Write the URL that it leads to"
            return Terminal(Reason.FORGE_DENIED, f"{where} {words} into spec.url or spec.forge.apiUrl.")
        if answer.status == 404:
            check = "its name" if self.thing else "spec.url and spec.forge.apiUrl"
            words = f"Check {check}; forges say so too when the token may not see it"
            more = f", and it must be allowed {self.right}" if self.right else ""
            thing = self.thing or "such thing"
            return Terminal(Reason.FORGE_DENIED, f"{where} has no {thing}: {said} {words}{more}.")
        return Terminal(Reason.FORGE_DENIED, f"{where} refuses (HTTP {answer.status}): {said}")

    def _sent(self, method: str, url: str, body: Any) -> Answer:
        token = self.token.value()
        headers = {**self.headers, "Authorization": f"{self.scheme} {token}"}
        before = self.remembered.get(url) if self.remembered and method == "GET" else None
        if before is not None:
            headers["If-None-Match"] = before[0]
        if method != "GET":
            self.permit()
        try:
            answer = self.http.send(Request(method, url, headers, body, self.timeout, (token,)))
        except NoAnswer as error:
            raise Transient(Reason.FORGE_UNREACHABLE, f"{self.place.shown}: {error}. It is tried again.") from None
        if answer.status == 304 and before is not None:
            return before[1]
        if self.remembered and method == "GET" and answer.status == 200:
            self.remembered.put(url, answer)
        return answer


def _more(answer: Answer, seen: int) -> bool:
    """Whether there is another page: GitLab says it in `X-Next-Page`, GitHub in `Link` (RFC 8288), Gitea there or by
    the number of all. The pages are counted here, so that no link leads anywhere else."""
    if "x-next-page" in answer.headers:
        return bool(answer.headers["x-next-page"].strip())
    if "link" in answer.headers:
        return 'rel="next"' in answer.headers["link"]
    total = answer.headers.get("x-total-count", "")
    return total.isdecimal() and seen < int(total)
