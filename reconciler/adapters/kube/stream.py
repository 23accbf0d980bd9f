"""A connection for one follower: its reads end within a second of the wish to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future

from reconciler.adapters.kube.channel import Channel, Late, Lost
from reconciler.adapters.kube.wire import Chunks, EndOfStream, Lines, Malformed, Response, read_body, read_head

TICK = 0.75
"""Seconds between two looks at whether to stop."""


class Stopped(Exception):
    """The follower is to end."""


class Refused(Exception):
    """The answer to a watch is no stream."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"status {response.status}")
        self.response = response


class Stream:
    """Opens its connection when it is needed, keeps it between a list and a watch, and closes it on every error."""

    def __init__(self, open_channel: Callable[[], Channel], stopped: Callable[[], bool]) -> None:
        self._open = open_channel
        self._stopped = stopped
        self._channel: Channel | None = None

    def close(self) -> None:
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def exchange(self, message: bytes, generation: int, timeout: float) -> Response:
        """A whole answer; `timeout` is how many seconds may pass without a byte. Raises Lost, Stopped."""
        try:
            receive = self._send(message, generation, timeout)
            head, data = read_head(receive)
            response = read_body(head, data, receive)
        except (EndOfStream, Malformed) as error:
            self.close()
            raise _broken(error) from error
        except BaseException:
            self.close()
            raise
        self._keep(response.clean)
        return response

    def lines(self, message: bytes, generation: int, timeout: float, silence: float) -> Iterator[bytes]:
        """The lines of an answer as they come, until the server ends it in good order.

        `timeout` is for the head, `silence` for each byte after it, in seconds. Raises Refused when the status is not
        200, Lost (what came of an unfinished line is dropped), Stopped.
        """
        try:
            receive = self._send(message, generation, timeout)
            head, data = read_head(receive)
            if head.status != 200:
                response = read_body(head, data, receive)
                self._keep(response.clean)
                raise Refused(response)
            lines, chunks = Lines(), Chunks()
            receive = self._receiver(silence)
            while True:
                yield from lines.feed(chunks.feed(data) if head.chunked else data)
                if chunks.ended:
                    break
                data = receive()
            self._keep(not head.closes and not chunks.surplus)
        except Refused:
            raise
        except (EndOfStream, Malformed) as error:
            self.close()
            raise _broken(error) from error
        except BaseException:
            self.close()
            raise

    def _keep(self, clean: bool) -> None:
        if not clean:
            self.close()

    def _send(self, message: bytes, generation: int, timeout: float) -> Callable[[], bytes]:
        if self._channel is not None and not (self._channel.generation == generation and self._channel.alive()):
            self.close()
        if self._channel is None:
            self._channel = open_unless(self._open, self._stopped)
        self._channel.send(message, TICK)
        return self._receiver(timeout)

    def _receiver(self, silence: float) -> Callable[[], bytes]:
        channel = self._channel
        assert channel is not None

        def receive() -> bytes:
            deadline = time.monotonic() + silence
            while True:
                if self._stopped():
                    raise Stopped
                try:
                    return channel.receive()
                except Late:
                    if time.monotonic() >= deadline:
                        raise Late(f"nothing came for {silence:g} s") from None

        return receive


def _broken(error: EndOfStream | Malformed) -> Lost:
    return Lost(str(error) or "the server closed the connection")


def open_unless(open_channel: Callable[[], Channel], stopped: Callable[[], bool]) -> Channel:
    """A new connection, made on a thread of its own: a server that hangs in the handshake cannot be left otherwise.

    Raises Lost, Stopped.
    """
    opened: Future[Channel] = Future()

    def connect() -> None:
        try:
            opened.set_result(open_channel())
        except BaseException as error:
            opened.set_exception(error)

    threading.Thread(target=connect, name="connect", daemon=True).start()
    while True:
        try:
            return opened.result(TICK)
        except TimeoutError:
            if stopped():
                opened.add_done_callback(_discard)
                raise Stopped from None


def _discard(opened: Future[Channel]) -> None:
    if opened.exception() is None:
        opened.result().close()
