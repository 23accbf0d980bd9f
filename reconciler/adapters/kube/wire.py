"""HTTP/1.1 messages (RFC 9112): a request as one buffer, an answer out of the bytes as they come. No I/O.

urllib3 opens the connections, with their TLS, proxies and time-outs. What travels on them is written and read here,
because an object applied through urllib3's pool costs 0.85 ms of Python and through this module 0.25 ms: header
objects, response objects and the e-mail parser that http.client reads headers with are most of the difference.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

MAX_HEAD = 256 * 1024
"""Bytes of status line and headers; an API server sends less than 2 KiB, with warnings some more."""

MAX_LINE = 64 * 1024 * 1024
"""Bytes of one event of a watch; etcd refuses objects over 1.5 MiB, and no server stores over 10 MiB."""

Receive = Callable[[], bytes]
"""Gives the next bytes of a connection, at least one; raises when there will be none."""


class Malformed(Exception):
    """The peer does not speak HTTP/1.1 as RFC 9112 has it."""


class Head(NamedTuple):
    """The status and those headers of an answer that somebody reads. `length` is None when no header tells it."""

    status: int
    length: int | None = None
    chunked: bool = False
    closes: bool = False
    media: str = ""
    retry_after: float | None = None
    warnings: tuple[str, ...] = ()


class Response(NamedTuple):
    """A whole answer. `clean` says that the connection may carry another request."""

    head: Head
    body: bytes
    clean: bool = True

    @property
    def status(self) -> int:
        return self.head.status


def encode(method: bytes, target: bytes, head: bytes, body: bytes) -> bytes:
    """A request in one buffer, so that it leaves in one TLS record. `head` is whole lines, each with its CRLF."""
    if not body and method == b"GET":
        return b"".join((method, b" ", target, b" HTTP/1.1\r\n", head, b"\r\n"))
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    return b"".join((method, b" ", target, b" HTTP/1.1\r\n", head, length, body))


def parse_head(block: bytes) -> Head:
    """Status line and headers, without the empty line that ends them. Raises Malformed."""
    lines = block.split(b"\r\n")
    first = lines[0]
    if not first.startswith(b"HTTP/1.") or not first[9:12].isdigit():
        raise Malformed(f"not an HTTP/1.1 answer: {first[:40]!r}")
    length, chunked, media, retry_after = None, False, "", None
    warnings: tuple[str, ...] = ()
    closes = first[7:8] == b"0"
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        name = name.lower()
        if name == b"content-length":
            length = _number(value)
        elif name == b"transfer-encoding":
            chunked = value.strip().lower() == b"chunked"
            if not chunked:
                raise Malformed(f"unknown transfer encoding {value[:40]!r}")
        elif name == b"content-type":
            media = value.strip().decode("latin-1")
        elif name == b"connection":
            closes = b"close" in value.lower()
        elif name == b"retry-after":
            # The HTTP-date form is allowed, and no API server sends it: it then counts as not said.
            retry_after = float(value) if value.strip().isdigit() else None
        elif name == b"warning":
            warnings = (*warnings, value.strip().decode("utf-8", "replace"))
    return Head(int(first[9:12]), None if chunked else length, chunked, closes, media, retry_after, warnings)


def _number(value: bytes) -> int:
    if not value.strip().isdigit():
        raise Malformed(f"bad Content-Length {value[:40]!r}")
    return int(value)


def read_head(receive: Receive) -> tuple[Head, bytes]:
    """The head of the final answer (interim 1xx answers are skipped), and the bytes of the body that came with it."""
    buffer = receive()
    while True:
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(buffer) > MAX_HEAD:
                raise Malformed(f"headers of more than {MAX_HEAD} bytes")
            buffer += receive()
            continue
        head = parse_head(buffer[:end])
        buffer = buffer[end + 4 :]
        if head.status >= 200:
            return head, buffer
        buffer = buffer or receive()


def read_response(receive: Receive) -> Response:
    """One whole answer to a request that is not HEAD. Raises Malformed, and what `receive` raises."""
    head, data = read_head(receive)
    return read_body(head, data, receive)


def read_body(head: Head, data: bytes, receive: Receive) -> Response:
    """The rest of an answer whose head was read; `data` came with the head."""
    if head.status in (204, 304):
        return Response(head, b"", not head.closes and not data)
    if head.chunked:
        chunks = Chunks()
        parts = [chunks.feed(data)]
        while not chunks.ended:
            parts.append(chunks.feed(receive()))
        return Response(head, b"".join(parts), not head.closes and not chunks.surplus)
    if head.length is None:
        return Response(head, _until_end(data, receive), False)
    missing = head.length - len(data)
    if missing > 0:
        parts = [data]
        while missing > 0:
            parts.append(receive())
            missing -= len(parts[-1])
        data = b"".join(parts)
    return Response(head, data[: head.length], not head.closes and not missing)


def _until_end(data: bytes, receive: Receive) -> bytes:
    parts = [data]
    try:
        while True:
            parts.append(receive())
    except EndOfStream:
        return b"".join(parts)


class EndOfStream(Exception):
    """The peer closed the connection in good order; whether that is an answer depends on where it happened."""


class Chunks:
    """Decodes `Transfer-Encoding: chunked` as it comes. `surplus` says that bytes came after the end."""

    def __init__(self) -> None:
        self.ended = False
        self.surplus = False
        self._buffer = b""
        self._left = 0
        self._trailer = False

    def feed(self, data: bytes) -> bytes:
        """The content in these bytes; what is incomplete waits for the next call. Raises Malformed."""
        buffer = self._buffer + data if self._buffer else data
        at, parts = 0, []
        while not self.ended:
            if self._left > 2:
                piece = buffer[at : at + self._left - 2]
                parts.append(piece)
                at += len(piece)
                self._left -= len(piece)
                if self._left > 2:
                    break
            elif self._left:
                # The CRLF behind the data of a chunk counts in `_left`.
                if len(buffer) - at < 2:
                    break
                if buffer[at : at + 2] != b"\r\n":
                    raise Malformed("a chunk does not end where it said")
                at, self._left = at + 2, 0
            else:
                end = buffer.find(b"\r\n", at)
                if end < 0:
                    break
                self._line(buffer[at:end])
                at = end + 2
        self._buffer = buffer[at:]
        if len(self._buffer) > MAX_HEAD:
            raise Malformed("a chunk's size line has no end")
        self.surplus = self.ended and bool(self._buffer)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _line(self, line: bytes) -> None:
        if self._trailer:
            self.ended = not line
            return
        digits = line.partition(b";")[0].strip()
        try:
            size = int(digits, 16)
        except ValueError:
            raise Malformed(f"bad chunk size {line[:40]!r}") from None
        if size < 0 or not digits.isalnum():
            raise Malformed(f"bad chunk size {line[:40]!r}")
        self._left = size + 2 if size else 0
        self._trailer = not size


class Lines:
    """Cuts bytes into lines as they come; the piece behind the last line end waits for the rest of its line."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are now complete, without their ends and without empty ones. Raises Malformed."""
        pieces = data.split(b"\n")
        if len(pieces) > 1:
            pieces[0] = b"".join((*self._rest, pieces[0]))
            self._rest, self._size = [], 0
        last = pieces.pop()
        if last:
            self._rest.append(last)
            self._size += len(last)
            if self._size > MAX_LINE:
                raise Malformed(f"a line of more than {MAX_LINE} bytes")
        return [piece for piece in pieces if piece]
