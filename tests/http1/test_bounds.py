"""Large heads, trailers and framings: each has a bound (amendment A13)."""

from __future__ import annotations

import pytest

from tests.http1.conftest import MOST_BODY_BYTES, Site

LINE = b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
CHUNKED = LINE + b"Transfer-Encoding: chunked\r\n\r\n"


async def status(site: Site, *pieces: bytes) -> int:
    """Send the pieces, each after the one before was seen; return the status of the answer."""
    reader, writer = await site.connect()
    for piece in pieces:
        writer.write(piece)
        await site.get()
    answer = await reader.read()
    return int(answer.split(b" ", 2)[1])


def of_size(size: int) -> bytes:
    """Return a head of so many bytes."""
    start = LINE + b"X: "
    return start + b"x" * (size - len(start) - 4) + b"\r\n\r\n"


@pytest.mark.parametrize(("size", "expected"), [(16_384, 200), (16_385, 431), (200_000, 431)])
@pytest.mark.parametrize("step", [1_000_000, 8192, 16_383])
async def test_a_head_has_16_kb(site: Site, size: int, expected: int, step: int) -> None:
    """A head of 16,384 bytes is taken, one more is 431, in however many pieces it comes."""
    head = of_size(size)
    assert await status(site, *(head[at : at + step] for at in range(0, min(size, 20_000), step))) == expected


@pytest.mark.parametrize(("fields", "expected"), [(100, 200), (101, 431)])
async def test_a_head_has_100_fields(site: Site, fields: int, expected: int) -> None:
    """A head of 100 fields is taken, one more is 431."""
    assert await status(site, LINE + b"X: a\r\n" * (fields - 2) + b"\r\n") == expected


@pytest.mark.parametrize("endless", [b"x" * 20_000, b"GET /" + b"x" * 20_000, LINE + b"X: " + b"x" * 20_000])
async def test_a_head_without_an_end_is_refused(site: Site, endless: bytes) -> None:
    """The server does not wait for the end of a head that is too large already."""
    assert await status(site, endless) in {400, 431}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"1\r\nx\r\n" * MOST_BODY_BYTES + b"0\r\n\r\n", 200),
        (b"1\r\nx\r\n" * (MOST_BODY_BYTES + 1) + b"0\r\n\r\n", 413),
        (b"%x\r\n" % (MOST_BODY_BYTES + 1) + b"x" * (MOST_BODY_BYTES + 1) + b"\r\n0\r\n\r\n", 413),
        (b"1;" + b"a" * 4000 + b"\r\nx\r\n0\r\n\r\n", 200),
        (b"1;" + b"a" * 5000 + b"\r\nx\r\n0\r\n\r\n", 400),
        ((b"1;" + b"a" * 4000 + b"\r\nx\r\n") * 10 + b"0\r\n\r\n", 400),
        (b"0" * 100 + b"1\r\nx\r\n0\r\n\r\n", 400),
        (b"0\r\nX: " + b"x" * 16_000 + b"\r\n\r\n", 200),
        (b"0\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"0\r\n" + b"X: a\r\n" * 100 + b"\r\n", 200),
        (b"0\r\n" + b"X: a\r\n" * 101 + b"\r\n", 431),
    ],
)
@pytest.mark.parametrize("step", [1_000_000, 700])
async def test_chunks_have_bounds(site: Site, body: bytes, expected: int, step: int) -> None:
    """Content, extensions and trailer of a body in chunks are bounded each."""
    assert await status(site, CHUNKED, *(body[at : at + step] for at in range(0, len(body), step))) == expected


@pytest.mark.parametrize(("length", "expected"), [(MOST_BODY_BYTES, 200), (MOST_BODY_BYTES + 1, 413)])
async def test_a_body_has_a_bound(site: Site, length: int, expected: int) -> None:
    """The application gets no body that is too large, and says 413."""
    assert await status(site, LINE + b"Content-Length: %d\r\n\r\n" % length + b"x" * length) == expected


async def test_a_body_that_is_announced_too_large_is_not_asked_for(site: Site) -> None:
    """A client that waits for 100 gets its 413 instead (RFC 9110 section 10.1.1)."""
    reader, writer = await site.connect()
    writer.write(LINE + b"Expect: 100-continue\r\nContent-Length: 100000\r\n\r\n")
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"\r\nconnection: close\r\n" in answer


@pytest.mark.slow
async def test_a_connection_has_10_000_requests(site: Site) -> None:
    """The answer to the last request of a connection says so."""
    reader, writer = await site.connect()
    some = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100
    for number in range(100):
        writer.write(some)
        answers = b""
        while answers.count(b"HTTP/1.1 200 ") < 100 or not answers.endswith(b"\r\n\r\n"):
            answers += await reader.read(65_536)
        assert answers.count(b"connection: close") == (number == 99)
    assert await reader.read() == b""
