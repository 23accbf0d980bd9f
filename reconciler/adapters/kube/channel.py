"""One connection to the API server, and the idle ones between two requests."""

from __future__ import annotations

import contextlib
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from reconciler.adapters.kube.wire import EndOfStream, Malformed, Response, read_response

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

_RECEIVE = 64 * 1024
_TRUSTED_IDLE = 1.0
"""Seconds after which an idle connection is looked at before it is used: the other end may have closed it."""


class Lost(Exception):
    """No whole answer came. `stale`: on a connection that an earlier request had used, before the first byte.

    `unsent`: the server cannot have seen the request. `hopeless`: the next try will end in the same way.
    """

    def __init__(self, why: str, *, stale: bool = False, unsent: bool = False, hopeless: bool = False) -> None:
        super().__init__(why)
        self.why = why
        self.stale = stale
        self.unsent = unsent
        self.hopeless = hopeless


class Late(Lost):
    """Nothing came within the time-out."""


class Channel:
    """A connected socket of urllib3, one request at a time. `generation` is that of the credentials it came with."""

    def __init__(self, connection: HTTPConnection, generation: int) -> None:
        assert connection.sock is not None
        self.generation = generation
        self._connection = connection
        self._socket: socket.socket = connection.sock
        self._used = False
        self._idle_since = 0.0
        self._timeout = 0.0

    def send(self, message: bytes, timeout: float) -> None:
        """`timeout` (seconds) is for this and for each later `receive`. Raises Lost."""
        if timeout != self._timeout:
            self._socket.settimeout(timeout)
            self._timeout = timeout
        try:
            self._socket.sendall(message)
        except (BrokenPipeError, ConnectionResetError):
            pass  # A server may answer (413, 429) and close before it has read all: the answer is still there to read.
        except OSError as error:
            raise Lost(_why(error)) from error

    def receive(self) -> bytes:
        """The next bytes. Raises Late, Lost and EndOfStream."""
        try:
            data = self._socket.recv(_RECEIVE)
        except TimeoutError as error:
            raise Late(f"no answer within {self._timeout:g} s") from error
        except OSError as error:
            raise Lost(_why(error)) from error
        if not data:
            raise EndOfStream
        return data

    def exchange(self, message: bytes, timeout: float) -> Response:
        """One request and its whole answer. Raises Lost."""
        self.send(message, timeout)
        begun = False

        def receive() -> bytes:
            nonlocal begun
            data = self.receive()
            begun = True
            return data

        try:
            response = read_response(receive)
        except Late:
            raise
        except (EndOfStream, Lost, Malformed) as error:
            why = "the server closed the connection" if isinstance(error, EndOfStream) else str(error)
            raise Lost(why, stale=self._used and not begun) from error
        self._used = True
        return response

    def rest(self) -> None:
        """The answer has been read to its end."""
        self._used = True
        self._idle_since = time.monotonic()

    def alive(self) -> bool:
        """Whether an idle connection can carry a request; whatever can be read from it now is its end."""
        if time.monotonic() - self._idle_since < _TRUSTED_IDLE:
            return True
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.close()


class Channels:
    """Idle channels, the warmest first. How many there are at once is the caller's to bound."""

    def __init__(self, open_channel: Callable[[], Channel]) -> None:
        self._open = open_channel
        self._idle: deque[Channel] = deque()
        self._closed = threading.Event()

    def take(self, generation: int) -> Channel:
        """A channel made with the credentials of this generation. Raises Lost."""
        while True:
            try:
                channel = self._idle.pop()
            except IndexError:
                return self._open()
            if channel.generation == generation and channel.alive():
                return channel
            channel.close()

    def give(self, channel: Channel) -> None:
        channel.rest()
        self._idle.append(channel)
        if self._closed.is_set():
            self.close()

    def close(self) -> None:
        self._closed.set()
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return


def _why(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
