"""HTTP/1.1 as bytes: whatever way the network cuts an answer into pieces, the same answer is read."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.adapters.kube.wire import Chunks, EndOfStream, Lines, Malformed, encode, parse_head, read_response


def receiver(data: bytes, cuts: list[int]) -> Callable[[], bytes]:
    """Gives `data` in pieces of the sizes `cuts`, then in one, then the end of the stream."""
    pieces, at = [], 0
    for size in cuts:
        pieces.append(data[at : at + size])
        at += size
    pieces = [piece for piece in (*pieces, data[at:]) if piece]

    def receive() -> bytes:
        if not pieces:
            raise EndOfStream
        return pieces.pop(0)

    return receive


def chunked(body: bytes, sizes: list[int]) -> bytes:
    out, at = b"", 0
    for size in (*sizes, len(body)):
        piece = body[at : at + size]
        at += size
        if piece:
            out += b"%x;note=1\r\n%b\r\n" % (len(piece), piece)
    return out + b"0\r\nTrailer: x\r\n\r\n"


sizes = st.lists(st.integers(1, 40), max_size=30)


@given(body=st.binary(max_size=300), cuts=sizes)
def test_an_answer_with_a_length_is_read_however_it_is_cut(body: bytes, cuts: list[int]) -> None:
    data = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    response = read_response(receiver(data, cuts))
    assert (response.status, response.body, response.clean) == (200, body, True)


@given(body=st.binary(max_size=300), pieces=sizes, cuts=sizes)
def test_a_chunked_answer_is_read_however_it_is_cut(body: bytes, pieces: list[int], cuts: list[int]) -> None:
    data = b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body, pieces)
    response = read_response(receiver(data, cuts))
    assert (response.status, response.body, response.clean) == (201, body, True)


@given(lines=st.lists(st.binary(min_size=1, max_size=60).map(lambda line: line.replace(b"\n", b"."))), cuts=sizes)
def test_lines_are_found_however_they_are_cut(lines: list[bytes], cuts: list[int]) -> None:
    receive, found, cutter = receiver(b"".join(line + b"\n" for line in lines), cuts), [], Lines()
    try:
        while True:
            found += cutter.feed(receive())
    except EndOfStream:
        assert found == lines


@given(body=st.binary(min_size=1, max_size=100), cuts=sizes)
def test_bytes_behind_an_answer_forbid_another_request_on_the_connection(body: bytes, cuts: list[int]) -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    response = read_response(receiver(data + body, [len(data) + len(body)]))
    assert (response.body, response.clean) == (b"ok", False)


def test_an_answer_without_a_length_goes_on_to_the_end_of_the_connection() -> None:
    response = read_response(receiver(b"HTTP/1.0 200 OK\r\n\r\nall of this", [20, 3]))
    assert (response.body, response.clean) == (b"all of this", False)


def test_an_answer_that_stops_early_is_no_answer() -> None:
    with pytest.raises(EndOfStream):
        read_response(receiver(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhalf", []))
    with pytest.raises(EndOfStream):
        read_response(receiver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n", []))


def test_an_answer_without_content_has_no_body_to_wait_for() -> None:
    assert read_response(receiver(b"HTTP/1.1 204 No Content\r\n\r\n", [])).body == b""


@pytest.mark.parametrize(
    "data",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokok\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 300_000,
    ],
)
def test_what_is_not_http_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_response(receiver(data, [70_000] * 10))


@given(junk=st.binary(max_size=200), cuts=sizes)
def test_junk_never_escapes_as_another_error(junk: bytes, cuts: list[int]) -> None:
    for start in (b"", b"HTTP/1.1 ", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"):
        try:
            read_response(receiver(start + junk or b"x", cuts))
        except (Malformed, EndOfStream):
            continue


def test_the_headers_that_somebody_reads_are_read() -> None:
    head = parse_head(
        b'HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\nWARNING: 299 - "old"\r\nWarning: 299 - "older"\r\n'
        b"Content-Type: text/plain\r\nConnection: close\r\nContent-Length: 5"
    )
    assert head.status == 429
    assert head.retry_after == 7.0
    assert head.warnings == ('299 - "old"', '299 - "older"')
    assert head.media == "text/plain"
    assert head.closes
    assert head.length == 5


def test_a_request_is_one_buffer_with_its_length() -> None:
    body = json.dumps({"a": 1}).encode()
    data = encode(b"PATCH", b"/x?y=1", b"Host: here\r\n", body)
    assert data == b"PATCH /x?y=1 HTTP/1.1\r\nHost: here\r\nContent-Length: 8\r\n\r\n" + body
    assert encode(b"GET", b"/x", b"Host: here\r\n", b"") == b"GET /x HTTP/1.1\r\nHost: here\r\n\r\n"


def test_the_end_of_a_chunked_stream_is_seen() -> None:
    chunks = Chunks()
    assert chunks.feed(b"3\r\nabc\r\n0\r\n") == b"abc"
    assert not chunks.ended
    chunks.feed(b"\r\n")
    assert chunks.ended
    assert not chunks.surplus
