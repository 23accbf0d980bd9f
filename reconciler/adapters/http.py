"""The only pool of HTTP connections to forges and their like: bounded in time and size, patient, silent about secrets.

(The API server of Kubernetes has a way of its own, `adapters/kube`, made for a thousand requests a second.)
"""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from reconciler.adapters import process
from reconciler.core.backoff import delay

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

MAX_BODY = 8 * 1024 * 1024
_CONNECT = 10.0
_TRIES = 3
# A longer wish of the server is handed to the caller, who has longer waits of its own.
_LONGEST_WISH = 10.0
_PASSING = frozenset({429, 500, 502, 503, 504})
# What may be sent again without asking whether it was done (RFC 9110, section 9.2.2). The server says of a 429 and a
# 503 that it did nothing.
_SAFE = frozenset({"GET", "HEAD"})
_NOT_DONE = frozenset({429, 503})
_CHUNK = 64 * 1024


class NoAnswer(Exception):
    """No answer came, or none that can be read. The message says what went wrong, without a secret."""


class Answer(NamedTuple):
    """`body` is the JSON that was answered, None for anything else. `wish` is how many seconds the server wants to be
    left alone, if it says so. `headers` are by their names in lower case; `content` is the body as it came.
    """

    status: int
    body: Any
    wish: float | None = None
    headers: Mapping[str, str] = {}
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `timeout` is in seconds, for the whole of each try; `secrets` are masked in what goes wrong."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False, default_factory=dict)
    body: Any = None
    timeout: float = 30.0
    secrets: tuple[str, ...] = field(repr=False, default=())


class Http:
    """Connections that are kept and shared. Safe for many threads. No redirect is followed and no cookie is kept."""

    def __init__(self, ca: str = "", *, connections: int = 4, sleep: Callable[[float], None] = time.sleep) -> None:
        """`ca` is a certificate authority (PEM) that is trusted beside those of the machine. Raises ValueError when it
        cannot be read."""
        self._pool = _pool(ca, connections)
        self._sleep = sleep

    def send(self, request: Request) -> Answer:
        """The answer, whatever its status; what may pass was tried up to three times. Raises NoAnswer."""
        for times in range(1, _TRIES + 1):
            last = times == _TRIES
            try:
                answer = self._once(request)
            except _Unsent as error:
                if last:
                    raise NoAnswer(process.redact(str(error), request.secrets)) from None
            except NoAnswer as error:
                if last or request.method not in _SAFE:
                    raise NoAnswer(process.redact(str(error), request.secrets)) from None
            else:
                if last or not _again(request.method, answer):
                    return answer
                self._sleep(max(answer.wish or 0.0, _wait(times)))
                continue
            self._sleep(_wait(times))
        raise AssertionError("the last try returns or raises")

    def close(self) -> None:
        self._pool.clear()

    def _once(self, request: Request) -> Answer:
        import urllib3
        from urllib3 import exceptions

        deadline = time.monotonic() + request.timeout
        try:
            response = self._pool.request(
                request.method,
                request.url,
                body=None if request.body is None else json.dumps(request.body).encode(),
                headers={"Accept": "application/json", "Content-Type": "application/json", **request.headers},
                timeout=urllib3.Timeout(connect=min(_CONNECT, request.timeout), read=request.timeout),
                preload_content=False,
                redirect=False,
                retries=False,
            )
        except (exceptions.NewConnectionError, exceptions.ConnectTimeoutError, exceptions.NameResolutionError) as error:
            raise _Unsent(_words(error)) from None
        except exceptions.HTTPError as error:
            raise NoAnswer(_words(error)) from None
        try:
            content = _content(response, deadline, request.timeout)
            response.release_conn()
        except exceptions.HTTPError as error:
            raise NoAnswer(_words(error)) from None
        finally:
            # A connection with an answer that was not read to its end is of no use to the next; after `release_conn`
            # this does nothing.
            response.close()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status, _json(content), _wish(headers), headers, content)


class _Unsent(Exception):
    """No connection was made, so the server has not seen the request."""


def _pool(ca: str, connections: int) -> PoolManager:
    import urllib3

    context = ssl.create_default_context()
    if ca.strip():
        try:
            context.load_verify_locations(cadata=ca)
        except (ssl.SSLError, ValueError) as error:
            raise ValueError(f"the certificate authority cannot be read: {error}") from None
    return urllib3.PoolManager(num_pools=8, maxsize=connections, ssl_context=context)


def _content(response: BaseHTTPResponse, deadline: float, timeout: float) -> bytes:
    """The body, decompressed. A server that sends a byte now and then does not hold us for ever."""
    content = bytearray()
    # Not `stream`: it waits for a whole chunk, however slowly that comes.
    while chunk := response.read1(_CHUNK, decode_content=True):
        content += chunk
        if len(content) > MAX_BODY:
            raise NoAnswer(f"the answer is over the limit of {MAX_BODY} bytes")
        if time.monotonic() > deadline:
            raise NoAnswer(f"the answer was not whole within {timeout:g} s")
    return bytes(content)


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _again(method: str, answer: Answer) -> bool:
    passing = answer.status in (_PASSING if method in _SAFE else _NOT_DONE)
    return passing and (answer.wish or 0.0) <= _LONGEST_WISH


def _wait(times: int) -> float:
    return delay(times, first=0.3, factor=3.0, most=3.0, jitter=random.random())  # noqa: S311 (no secret: a wait)


def _wish(headers: Mapping[str, str]) -> float | None:
    """Retry-After; without it, until when a limit that is used up stays so (GitHub's and GitLab's headers)."""
    if (text := headers.get("retry-after")) is not None:
        return _after(text)
    for name in ("x-ratelimit", "ratelimit"):
        until = headers.get(f"{name}-reset", "")
        if headers.get(f"{name}-remaining") == "0" and until.isdecimal():
            return max(0.0, float(until) - time.time())
    return None


def _after(text: str) -> float | None:
    """Retry-After is in seconds, or a date (RFC 9110, section 10.2.3)."""
    if text.strip().isdecimal():
        return float(text)
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _words(error: Exception) -> str:
    """What went wrong, for people: urllib3 puts its own objects in front of the words of the system."""
    from urllib3 import exceptions

    # A refused connection is a kind of timeout there.
    if isinstance(error, exceptions.TimeoutError) and not isinstance(error, exceptions.NewConnectionError):
        return "no answer in time"
    if isinstance(error, exceptions.SSLError):
        return f"TLS: {error}"
    words = str(error)
    return words.rpartition("object at 0x")[2].partition(": ")[2] or words if "object at 0x" in words else words
