"""Slow clients: every wait for them ends (amendments A13 and A19)."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tests.http1.conftest import KEEP_ALIVE_S, Site

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n"


async def test_a_silent_connection_is_closed(site: Site) -> None:
    """A client that says nothing for 10 s is gone; one that has answered a request is kept."""
    silent, _ = await site.connect()
    kept, writer = await site.connect()
    writer.write(GET)
    await kept.readuntil(b"\r\n\r\n")
    await site.advance(10.1)
    assert await silent.read() == b""
    writer.write(GET)
    assert (await kept.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(("beginning", "more"), [(b"G", b"E"), (GET[:-2], b"X"), (b"\r\n", b"G"), (b"\r", b"\n")])
async def test_a_head_has_10_seconds(site: Site, beginning: bytes, more: bytes) -> None:
    """A head that comes slowly is 408 in the failure envelope 10 s after its first octet, whatever comes meanwhile."""
    reader, writer = await site.connect()
    writer.write(beginning)
    for _ in range(2):
        await site.advance(4)
    writer.write(more)
    await site.advance(2.1)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert answer.endswith(b'{"success":false,"error":"Request timeout"}')
    assert b"\r\nconnection: close\r\n" in answer


async def test_the_date_of_an_answer_is_not_that_of_the_head(site: Site) -> None:
    """A request whose body comes slowly is answered with the headers, and so with the date, of the time of its end."""
    reader, writer = await site.connect()
    site.say("date", "the head's")
    writer.write(POST)
    await site.get()
    site.say("date", "the body's")
    writer.write(b"0123456789")
    assert b"the head's" not in await reader.readuntil(b"\r\n\r\n")


async def test_a_second_head_has_its_own_10_seconds(site: Site) -> None:
    """A kept connection does not share the time of its requests."""
    reader, writer = await site.connect()
    for _ in range(3):
        await site.advance(8)
        writer.write(GET[:10])
        await site.advance(8)
        writer.write(GET[10:])
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("beginning", [POST, POST.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")])
async def test_a_body_has_30_seconds(site: Site, beginning: bytes) -> None:
    """A body that is not whole 30 s after its head is 408, however often a piece of it comes."""
    reader, writer = await site.connect()
    writer.write(beginning)
    for piece in (b"3\r\n", b"ab"):
        await site.advance(14)
        writer.write(piece)
    await site.get()
    assert "/" not in site.application.begun
    await site.advance(2.1)
    answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"\r\nconnection: close\r\n" in answer


async def test_an_idle_connection_is_kept_for_the_setting(site: Site) -> None:
    """A kept connection closes KEEP_ALIVE_S after its last answer."""
    reader, writer = await site.connect()
    for _ in range(2):
        writer.write(GET)
        await reader.readuntil(b"\r\n\r\n")
        await site.advance(KEEP_ALIVE_S - 1)
    await site.advance(1.1)
    assert await reader.read() == b""


async def test_a_client_that_does_not_read_is_cut(site: Site) -> None:
    """An answer that waits for 30 s without progress costs its client the connection."""
    site.application.answer = b"x" * 50_000_000
    reader, writer = await site.connect(limit=1)
    writer.write(GET)
    await reader.readexactly(1)  # the answer has begun
    site.application.answer = None
    for _ in range(10):  # the kernel may have taken some of it since the deadline was set
        await site.advance(30.1)
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await reader.readexactly(50_000_000)


async def test_a_client_that_reads_slowly_is_not_cut(site: Site) -> None:
    """A client that takes some of its answer every 20 s gets all of it."""
    site.application.answer = b"x" * 20_000_000
    reader, writer = await site.connect()
    writer.write(GET)
    head = await reader.readuntil(b"\r\n\r\n")
    assert b"content-length: 20000000" in head
    site.application.answer = None
    for _ in range(4):
        await reader.readexactly(4_000_000)
        await site.advance(20)
        await site.get()
    await reader.readexactly(4_000_000)


async def test_pipelined_requests_wait_for_the_reader(site: Site) -> None:
    """While an answer waits above the high-water mark, the next request is not begun."""
    site.application.answer = b"x" * 10_000_000
    reader, writer = await site.connect(limit=1)
    writer.write(GET * 50)
    await reader.readexactly(1)
    site.application.answer = None
    for _ in range(5):
        await site.get()
    assert site.application.begun.count("/") == 1


@pytest.mark.parametrize("reads", [True, False])
async def test_a_refused_client_may_not_send_for_ever(site: Site, reads: bool) -> None:
    """The rest of a refused body is not read: the client gets its answer, and then the connection ends."""
    with socket.create_connection(site.address) as connection:
        connection.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_sendall(connection, POST.replace(b"10", b"100000000"))
        if reads:
            assert (await loop.sock_recv(connection, 1000)).startswith(b"HTTP/1.1 413 ")
        with pytest.raises(ConnectionError):
            await loop.sock_sendall(connection, b"x" * 100_000_000)


async def test_a_refused_client_that_stays_is_cut(site: Site) -> None:
    """A client that does not close is cut after 2 s."""
    reader, writer = await site.connect()
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
    writer.write(b"x")
    await site.advance(2.1)
    await site.get()
    with pytest.raises(
        ConnectionError
    ):  # the first octet after the end is answered with a reset, so the next one fails
        await _write_some(site, writer)


async def _write_some(site: Site, writer: asyncio.StreamWriter) -> None:
    for _ in range(5):
        writer.write(b"x")
        await site.get()
        await writer.drain()


async def test_a_refusal_waits_for_the_answer_before(site: Site) -> None:
    """A request that comes while an answer is under way is read once that is out."""
    site.application.gate.clear()
    reader, writer = await site.connect()
    writer.write(GET)
    await site.application.waiting.wait()
    writer.write(b"X : y\r\n\r\n")
    for _ in range(3):
        second, other = await site.connect()
        other.write(b"\0")
        assert (await second.read()).startswith(b"HTTP/1.1 400 ")
    site.application.gate.set()
    answers = await reader.read()
    assert answers.index(b"HTTP/1.1 200 ") < answers.index(b"HTTP/1.1 400 ")
