"""Sends requests: with turns, renewed credentials and repetition, until there is an answer or none to expect."""

from __future__ import annotations

import json
import logging
import random
import threading
import time
from typing import Any

from reconciler.adapters.kube import patience
from reconciler.adapters.kube.access import Access, State
from reconciler.adapters.kube.channel import Channels, Late, Lost
from reconciler.adapters.kube.limit import Limit, Outcome
from reconciler.adapters.kube.refusal import is_malformed, refusal, status_of
from reconciler.adapters.kube.requests import Request
from reconciler.adapters.kube.wire import Response, encode
from reconciler.model.outcome import Reason, StageError, Transient
from reconciler.model.permit import Permit, always

log = logging.getLogger(__name__)

GRACE = 5.0
"""Seconds that we wait longer than the server was told to work, so that it is the server that says 504."""


class Client:
    """Safe for many threads; at most `connections` requests at once. `timeout` in seconds, for each request. `permit`
    is asked before each try of what is no GET."""

    def __init__(self, access: Access, connections: int, timeout: float, permit: Permit = always) -> None:
        self.access = access
        self._permit = permit
        self.timeout = timeout
        self.limit = Limit(connections)
        self._channels = Channels(access.open)
        self._closed = threading.Event()

    @property
    def closed(self) -> bool:
        return self._closed.is_set()

    def close(self) -> None:
        """Close what is idle and end every wait for a next try; requests that are on their way end by themselves."""
        self._closed.set()
        self._channels.close()

    def send(self, request: Request, budget: patience.Budget | None = None) -> Response:
        """The answer, whatever its status: 429 and 5xx when they did not pass.

        `budget` is that of the batch which the request belongs to. Raises Transient(CLUSTER_UNREACHABLE) when no
        answer comes, Transient(FORBIDDEN) after 401, and what `permit` raises.
        """
        began = time.monotonic()
        losses = refusals = 0
        renewed = False
        budget = budget or patience.Budget(1)
        while True:
            if self.closed:
                raise Transient(Reason.CLUSTER_UNREACHABLE, f"the connection to {self.access.url} was closed by us")
            state = self.access.state()
            if request.method != b"GET":
                self._permit()
            try:
                response = self._exchange(request, state)
            except Lost as loss:
                losses += 1
                wait = self._wait_after_loss(request, loss, losses, time.monotonic() - began)
                if wait is None:
                    raise self.unreachable(loss) from loss
            else:
                status = response.status
                if status < 400:
                    return response
                if status == 401 and not renewed:
                    renewed, wait = self.renew(state), 0.0
                    if not renewed:
                        raise self.unauthorized()
                elif status == 401:
                    raise self.unauthorized()
                else:
                    refusals += 1
                    again = self._wait_after_answer(request, response, refusals, time.monotonic() - began, budget)
                    if again is None:
                        return response
                    wait = again
            self._closed.wait(wait)

    def renew(self, state: State) -> bool:
        """Read the credentials again after a 401; False when that has just been done. Raises Transient(FORBIDDEN)."""
        try:
            return self.access.renew(state.generation)
        except StageError as error:
            message = f"{self.unauthorized().message}. Reading them again: {error.message}"
            raise Transient(Reason.FORBIDDEN, message) from error

    def unauthorized(self) -> Transient:
        return Transient(
            Reason.FORBIDDEN,
            f"{self.access.url} does not accept the credentials of {self.access.title} (401 Unauthorized): they have "
            "expired, or belong to another cluster. Log in again or replace them; they are read again by themselves",
        )

    def unreachable(self, loss: Lost) -> Transient:
        return Transient(
            Reason.CLUSTER_UNREACHABLE,
            f"no answer from the API server {self.access.url} ({self.access.title}): {loss.why}",
        )

    def _exchange(self, request: Request, state: State) -> Response:
        outcome = Outcome.LOST
        epoch = self.limit.enter()
        try:
            channel = self._channels.take(state.generation)
            message = encode(request.method, state.prefix + request.target, state.head + request.head, request.body)
            try:
                response = channel.exchange(message, self.timeout + GRACE)
            except BaseException:
                channel.close()
                raise
            outcome = Outcome.BUSY if response.head.status == 429 else Outcome.ANSWERED
            if response.clean:
                self._channels.give(channel)
            else:
                channel.close()
            return response
        finally:
            self.limit.leave(epoch, outcome)

    @staticmethod
    def _wait_after_loss(request: Request, loss: Lost, losses: int, spent: float) -> float | None:
        if loss.hopeless or isinstance(loss, Late) or not (loss.unsent or request.repeatable):
            return None
        return patience.after_loss(losses, spent, stale=loss.stale, jitter=random.random())  # noqa: S311

    @staticmethod
    def _wait_after_answer(
        request: Request, response: Response, times: int, spent: float, budget: patience.Budget
    ) -> float | None:
        status, wish = response.status, response.head.retry_after
        jitter = random.random()  # noqa: S311
        if status == 429:
            return patience.after_busy(times, spent, wish, jitter=jitter)
        if status not in patience.PASSING or not request.repeatable:
            return None
        if status == 500:
            said = status_of(response) or {}
            if is_malformed(500, str(said.get("reason") or ""), str(said.get("message") or "")):
                return None
        return patience.after_failure(times, wish, budget, jitter=jitter)


def document_of(response: Response) -> dict[str, Any]:
    """The object in an answer that is a success. Raises Transient(CLUSTER_UNREACHABLE)."""
    try:
        document = json.loads(response.body)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        media = response.head.media or "nothing"
        raise Transient(
            Reason.CLUSTER_UNREACHABLE,
            f"the answer is {media} and no object: is the URL that of an API server, or of a login page before it?",
        )
    return document


def busy(response: Response) -> Transient:
    """For a question whose 429 or 5xx did not pass."""
    said = refusal(response)
    return Transient(Reason.CLUSTER_BUSY, f"the API server cannot answer just now: {said.message}", said.retry_after)
