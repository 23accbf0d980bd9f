"""Requests to registries: who we are is said to the image's own host only, and every refusal becomes an outcome."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from urllib.parse import urljoin

from reconciler.adapters import process
from reconciler.adapters.http import Answer, Http, NoAnswer, Request
from reconciler.adapters.registry.place import may_lead, origin, root_of
from reconciler.adapters.registry.tokens import Tokens, challenge_of
from reconciler.core.registry_login import for_image
from reconciler.model.image import ImageName
from reconciler.model.outcome import Reason, StageError, Terminal, Transient
from reconciler.ports import RegistryLogin

_REDIRECTS = 3
_KEPT = 256
_LONGEST = 300
_MOVED = frozenset({301, 302, 303, 307, 308})


class Client:
    """Safe for many threads. An answer with an ETag is asked for with it again, and not sent if it is the same."""

    def __init__(self, login: RegistryLogin, timeout: float) -> None:
        """Raises ValueError for a certificate authority that cannot be read. `timeout` is in seconds, for each try."""
        self._http = Http(login.ca)
        self._login = login
        self._timeout = timeout
        self._tokens = Tokens(self._http, timeout)
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, tuple[str, Answer]] = OrderedDict()

    def ask(self, image: ImageName, method: str, url: str, accept: str = "application/json") -> Answer:
        """An answer of 200. `url` is absolute, or a path at the image's registry.

        Raises as the port says; a redirect is followed, without who we are when it leads to another host.
        """
        root = root_of(image.host)
        url = urljoin(root, url)
        headers = {"Accept": accept}
        with self._lock:
            tagged = self._kept.get(url)
        if tagged is not None and method == "GET":
            headers["If-None-Match"] = tagged[0]
        answer = self._known(image, method, url, headers)
        for _ in range(_REDIRECTS):
            if answer.status not in _MOVED:
                break
            url = urljoin(url, answer.headers.get("location", ""))
            if not may_lead(url, image.host):
                raise Terminal(
                    Reason.REGISTRY_STRANGE,
                    f"{image.host} sends us to {origin(url)[:100]}, where we do not go (no https).",
                )
            if origin(url) == root:
                answer = self._known(image, method, url, headers)
            else:
                answer = self._send(image, Request(method, url, {"Accept": accept}, None, self._timeout))
        if answer.status == 304 and tagged is not None:
            return tagged[1]
        if answer.status != 200:
            raise self._refused(image, answer)
        if method == "GET" and (tag := answer.headers.get("etag")):
            self._keep(url, tag, answer)
        return answer

    def close(self) -> None:
        self._http.close()

    def _known(self, image: ImageName, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        """One answer of the image's own host, which may ask who we are."""
        known = self._tokens.known(image)
        answer = self._as(image, method, url, headers, known)
        if answer.status != 401:
            return answer
        self._tokens.forget(image)
        login = for_image(self._login, image)
        value = self._tokens.answer(image, challenge_of(answer.headers.get("www-authenticate", "")), login)
        return self._as(image, method, url, headers, value)

    def _as(self, image: ImageName, method: str, url: str, headers: Mapping[str, str], authorization: str) -> Answer:
        given = {**headers, "Authorization": authorization} if authorization else dict(headers)
        return self._send(image, Request(method, url, given, None, self._timeout, self._secrets(image, authorization)))

    def _send(self, image: ImageName, request: Request) -> Answer:
        try:
            return self._http.send(request)
        except NoAnswer as error:
            words = f"{image.host} gives no answer about {image}: {error}. It is tried again."
            raise Transient(Reason.REGISTRY_UNREACHABLE, words) from None

    def _secrets(self, image: ImageName, authorization: str) -> tuple[str, ...]:
        login = for_image(self._login, image)
        found = (authorization.partition(" ")[2], login[1] if login else "")
        return tuple(text for text in found if text)

    def _refused(self, image: ImageName, answer: Answer) -> StageError:
        said = self._said(image, answer)
        if answer.status == 429 or answer.status >= 500:
            words = f"{image.host} is busy or broken: {said} It is tried again."
            return Transient(Reason.REGISTRY_UNREACHABLE, words, retry_after=answer.wish)
        if answer.status in (401, 403):
            self._tokens.forget(image)
            return Terminal(
                Reason.REGISTRY_DENIED,
                f"{image.host} does not let us read {image}: {said} Check the Secret that spec.credentialsRef names, "
                "and that it may pull this image.",
            )
        if answer.status == 404:
            words = "Check spec.image; registries say so too when we may not see it"
            return Terminal(
                Reason.IMAGE_NOT_FOUND, f"{image.host} has no such image or tag of {image}: {said} {words}."
            )
        return Terminal(Reason.REGISTRY_STRANGE, f"{image.host} refuses to tell of {image}: {said}")

    def _said(self, image: ImageName, answer: Answer) -> str:
        """The registry's own words (spec, "Error Codes"), in one line and without secrets."""
        errors = answer.body.get("errors") if isinstance(answer.body, dict) else None
        first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
        text = str(first.get("message") or first.get("code") or "")
        text = process.redact(text, self._secrets(image, self._tokens.known(image)))
        line = " ".join("".join(each if each.isprintable() else " " for each in text).split())[:_LONGEST]
        return f"{line or 'no reason given'} (HTTP {answer.status})."

    def _keep(self, url: str, tag: str, answer: Answer) -> None:
        with self._lock:
            self._kept[url] = (tag, answer)
            self._kept.move_to_end(url)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
