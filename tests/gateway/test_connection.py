"""Connections on real sockets, byte by byte, on asyncio's loop and on uvloop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest
import pytest_asyncio

from hype.gateway.frames import text_frame
from tests.gateway.raw import (
    BINARY,
    CLOSE,
    MOST_BYTES,
    PING,
    PONG,
    REQUEST,
    TEXT,
    RunningListener,
    closing,
    masked,
    running_listener,
)

ON_EACH_LOOP = True
CONTINUATION = 0


@pytest_asyncio.fixture
async def server() -> AsyncIterator[RunningListener]:
    """Run a listener whose attendants answer each text with the same."""
    async with running_listener() as running:
        yield running


async def test_texts_are_answered_in_order(server: RunningListener) -> None:
    """Texts that arrive in one piece, byte by byte, or with the handshake are handled in their order."""
    client = await server.connect()
    client.send(REQUEST.encode(), masked(TEXT, b"one"), masked(TEXT, "zwei 👋".encode()))
    assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    assert await client.texts(2) == ["one", "zwei 👋"]
    for byte in masked(TEXT, b"three"):
        client.send(bytes([byte]))
        await client.writer.drain()
    assert await client.texts(1) == ["three"]
    assert server.attendants[0].token == "abc"


async def test_fragments_make_one_text(server: RunningListener) -> None:
    """A text may come in fragments, even within a character; a ping between them is answered at once."""
    client = await server.client()
    wave = "👋".encode()
    client.send(masked(TEXT, b"a" + wave[:2], fin=False), masked(CONTINUATION, wave[2:], fin=False))
    client.send(masked(PING, b"there?"), masked(CONTINUATION, b"z"))
    assert await client.receive() == (PONG, b"there?")
    assert await client.texts(1) == ["a👋z"]
    client.send(masked(TEXT, b"", fin=False), masked(CONTINUATION, b""), masked(TEXT, b"next"))
    assert await client.texts(2) == ["", "next"]


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        ([masked(BINARY, b"{}")], 1003),
        ([masked(BINARY, b"{", fin=False), masked(CONTINUATION, b"}")], 1003),
        ([masked(TEXT, b"\xff")], 1007),
        ([masked(TEXT, b"\xe2\x82", fin=False), masked(CONTINUATION, b"x")], 1007),
        ([masked(TEXT, b"x" * (MOST_BYTES + 1))], 1009),
        ([masked(TEXT, b"x" * MOST_BYTES, fin=False), masked(CONTINUATION, b"x")], 1009),
        ([b"\x81\x01x"], 1002),  # not masked
        ([masked(3, b"")], 1002),  # no such opcode
        ([masked(CONTINUATION, b"x")], 1002),
        ([masked(TEXT, b"x", fin=False), masked(TEXT, b"y")], 1002),
        ([masked(PING, b"x" * 126)], 1002),
        ([masked(CLOSE, b"\x03")], 1002),
    ],
)
async def test_what_is_no_text_closes(server: RunningListener, frames: list[bytes], code: int) -> None:
    """Each kind of bad frame closes with its code, after the texts before it were answered; later ones are not."""
    client = await server.client()
    client.send(masked(TEXT, b"before"))
    assert await client.texts(1) == ["before"]
    client.send(*frames, masked(TEXT, b"after"))
    opcode, payload = await client.receive()
    assert (opcode, int.from_bytes(payload[:2], "big")) == (CLOSE, code)
    client.send(closing(code))
    assert await client.ended()
    assert server.attendants[0].texts == ["before"]


async def test_the_largest_text_is_taken(server: RunningListener) -> None:
    """A text of exactly the limit is answered."""
    client = await server.client()
    client.send(masked(TEXT, b"x" * MOST_BYTES))
    assert await client.texts(1) == ["x" * MOST_BYTES]


async def test_the_client_closes(server: RunningListener) -> None:
    """A close frame is answered with its code, texts before it are handled, and then the connection ends."""
    client = await server.client()
    client.send(masked(TEXT, b"last"), closing(4000), masked(TEXT, b"later"))
    assert await client.closed() == 4000
    assert await client.ended()
    client.writer.close()
    (attendant,) = server.attendants
    await attendant.ended.wait()
    assert (attendant.texts, attendant.connection.close_code) == (["last"], 4000)


async def test_the_client_closes_within_a_text(server: RunningListener) -> None:
    """A close frame may come between the fragments of a text, which is not handled then (RFC 6455, section 5.4)."""
    client = await server.client()
    client.send(masked(TEXT, b"half", fin=False), closing(1000), masked(CONTINUATION, b"other"))
    assert await client.closed() == 1000
    client.cut()
    await server.attendants[0].ended.wait()
    assert server.attendants[0].texts == []


async def test_a_text_in_progress_outlives_its_client(server: RunningListener) -> None:
    """Texts that arrived before the connection was cut are handled, and then the attendant parts with the client."""
    alone, followed, polite = await server.client(), await server.client(), await server.client()
    alone.send(masked(TEXT, b"wait"))
    alone.writer.write_eof()
    assert await alone.ended()
    followed.send(masked(TEXT, b"wait"), masked(TEXT, b"next"))
    followed.writer.write_eof()
    polite.send(masked(TEXT, b"wait"), closing(1000))
    assert await polite.closed() == 1000
    assert not server.attendants[0].ended.is_set()
    server.proceed.set()
    await polite.ended()
    polite.cut()
    expected = [(["wait"], 1006), (["wait", "next"], 1006), (["wait"], 1000)]
    for attendant, (texts, code) in zip(server.attendants, expected, strict=True):
        await attendant.ended.wait()
        assert (attendant.texts, attendant.connection.close_code) == (texts, code)


async def test_the_server_closes(server: RunningListener) -> None:
    """The client gets the code and the reason behind what was sent before; its answer ends the connection."""
    client = await server.client()
    client.send(masked(TEXT, b"one"))
    assert await client.texts(1) == ["one"]
    (attendant,) = server.attendants
    attendant.connection.socket.send(text_frame(b"two"))
    attendant.connection.socket.close(4401, "Session revoked")
    attendant.connection.socket.send(text_frame(b"three"))
    assert await client.texts(1) == ["two"]
    assert await client.receive() == (CLOSE, (4401).to_bytes(2, "big") + b"Session revoked")
    client.send(masked(TEXT, b"unheard"), closing(4401))
    assert await client.ended()
    client.writer.close()
    await attendant.ended.wait()
    assert (attendant.texts, attendant.connection.close_code) == (["one"], 4401)


async def test_a_client_that_does_not_answer_the_close_is_cut(server: RunningListener) -> None:
    """The connection is cut three seconds after the close, and not before."""
    client = await server.client()
    client.send(masked(TEXT, b"one"))
    await client.texts(1)
    (attendant,) = server.attendants
    attendant.connection.socket.close(1000)
    assert await client.closed() == 1000
    server.pass_time(2.9)
    assert not attendant.connection.lost
    server.pass_time(0.2)
    await attendant.ended.wait()
    assert attendant.connection.close_code == 1006


async def test_a_client_that_floods_a_closing_server_is_cut(server: RunningListener) -> None:
    """The frames in flight are read for the answer to the close frame; a client that sends more of them is cut."""
    client = await server.client()
    client.send(masked(TEXT, b"hello"))
    await client.texts(1)
    server.attendants[0].connection.socket.close(4429, "Too many requests")
    assert await client.closed() == 4429
    client.send(masked(PING, b"") * 100)
    assert [opcode for opcode, _ in [await client.receive() for _ in range(100)]] == [PONG] * 100
    client.send(masked(PING, b"") * (MOST_BYTES // 6))
    assert await client.closed() is None


async def test_texts_wait_for_the_one_in_progress(server: RunningListener) -> None:
    """Texts of one client are handled one after the other; another client's are not held up."""
    busy, other = await server.client(), await server.client()
    busy.send(masked(TEXT, b"wait"), masked(TEXT, b"second"))
    busy.send(masked(TEXT, b"third"))
    other.send(masked(TEXT, b"mine"))
    assert await other.texts(1) == ["mine"]
    assert server.attendants[0].texts == []
    server.proceed.set()
    assert await busy.texts(3) == ["wait", "second", "third"]


async def test_a_flood_is_not_read(server: RunningListener) -> None:
    """While a text is in progress, a client that goes on sending fills its own buffers and not the server's."""
    client = await server.client()
    client.send(masked(TEXT, b"wait"))
    text = masked(TEXT, b"x" * 10_000)
    sent = 0
    client.writer.transport.set_write_buffer_limits(high=0)
    with suppress(TimeoutError):
        async with asyncio.timeout(0.5):
            while sent < 5_000:  # 50 MB
                client.send(text)
                sent += 1
                await client.writer.drain()
    assert sent < 5_000
    server.proceed.set()
    assert await client.texts(1) == ["wait"]
    for _ in range(sent):
        assert len((await client.receive())[1]) == 10_000


async def test_a_client_that_does_not_read_is_closed() -> None:
    """Frames wait for a slow client up to the limit; the one over it closes the client with 1013, to be cut in time.

    Another client gets every frame meanwhile.
    """
    async with running_listener(most_waiting_bytes=200_000) as server:
        slow, quick = await server.client(limit=1024), await server.client()
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a Transport
        quick.send(masked(TEXT, b"ready"))
        await quick.texts(1)
        frame = text_frame(b"x" * 50_000)
        to_slow, to_quick = [attendant.connection for attendant in server.attendants]
        while to_slow.socket.open:
            for connection in (to_slow, to_quick):
                connection.socket.send(frame)
            assert await quick.texts(1) == ["x" * 50_000]
            assert to_slow.waiting_bytes <= 200_000 + len(frame) + 100
        server.pass_time(3.1)
        await server.attendants[0].ended.wait()
        assert to_slow.close_code == 1006
        assert to_quick.socket.open


async def test_pongs_nobody_reads_are_bounded() -> None:
    """A client that sends pings and does not read the pongs is closed as one that does not read."""
    async with running_listener(most_waiting_bytes=50_000) as server:
        client = await server.client(limit=1024)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a Transport
        (attendant,) = server.attendants
        while attendant.connection.socket.open:
            client.send(masked(PING, b"x" * 125) * 50)
            await asyncio.sleep(0)
        assert attendant.connection.waiting_bytes < 100_000


async def test_a_client_without_a_handshake_is_cut(server: RunningListener) -> None:
    """A connection that is not a WebSocket after ten seconds is cut, whether it sent a part of a request or nothing."""
    silent, slow, prompt = await server.connect(), await server.connect(), await server.client()
    slow.send(REQUEST[:40].encode())
    server.pass_time(9.9)
    prompt.send(masked(TEXT, b"hello"))
    assert await prompt.texts(1) == ["hello"]
    server.pass_time(0.2)
    assert await silent.ended()
    assert await slow.ended()
    prompt.send(masked(TEXT, b"still here"))
    assert await prompt.texts(1) == ["still here"]


async def test_a_client_that_answers_pings_stays(server: RunningListener) -> None:
    """The server pings after 20 quiet seconds; a pong begins the next 20."""
    client = await server.client()
    for _ in range(3):
        server.pass_time(19.9)
        server.pass_time(0.2)
        assert await client.receive() == (PING, b"")
        client.send(masked(PONG, b""), masked(TEXT, b"alive"))
        assert await client.texts(1) == ["alive"]


async def test_only_the_answer_to_a_ping_is_free(server: RunningListener) -> None:
    """The attendant counts pings, and pongs that answer no ping of the server (amendment A13)."""
    client = await server.client()
    server.pass_time(20.1)
    assert await client.receive() == (PING, b"")
    client.send(masked(PONG, b""), masked(TEXT, b"an", fin=False), masked(0, b"swer", fin=False), masked(0, b"ed"))
    client.send(masked(PONG, b""), masked(PING, b""), masked(TEXT, b"end"))
    assert {await client.receive() for _ in range(3)} == {(TEXT, b"answered"), (PONG, b""), (TEXT, b"end")}
    assert server.attendants[0].noted == 2


async def test_a_client_that_does_not_answer_pings_is_closed(server: RunningListener) -> None:
    """A client that has not answered a ping for 20 seconds is closed with 1011, even if it sends something else."""
    client = await server.client()
    server.pass_time(20.1)
    assert await client.receive() == (PING, b"")
    client.send(masked(TEXT, b"no pong"))
    assert await client.texts(1) == ["no pong"]
    server.pass_time(20.1)
    assert await client.closed() == 1011
    assert await client.ended()


async def test_a_pong_behind_a_slow_text_is_waited_for(server: RunningListener) -> None:
    """The server does not blame a client for a pong that it does not read itself."""
    client = await server.client()
    client.send(masked(TEXT, b"wait"), masked(TEXT, b"next"))
    server.pass_time(20.1)
    assert await client.receive() == (PING, b"")
    client.send(masked(PONG, b""))
    server.pass_time(20.1)
    server.proceed.set()
    assert await client.texts(2) == ["wait", "next"]
    client.send(masked(TEXT, b"here"))
    assert await client.texts(1) == ["here"]


async def test_shutting_down(server: RunningListener) -> None:
    """The text in progress is answered, later ones are not, silent connections are cut, and nobody new gets in."""
    silent, idle, busy = await server.connect(), await server.client(), await server.client()
    busy.send(masked(TEXT, b"wait"), masked(TEXT, b"too late"))
    idle.send(masked(TEXT, b"hello"))
    assert await idle.texts(1) == ["hello"]
    for connection in list(server.listener.connections):
        connection.close_next(1001, "Shutting down")
    closing_down = asyncio.create_task(server.listener.close())
    assert await idle.closed() == 1001
    assert await silent.ended()
    with pytest.raises(ConnectionError):
        await server.connect()
    assert not closing_down.done()
    server.proceed.set()
    assert await busy.texts(1) == ["wait"]
    assert await busy.closed() == 1001
    for client in (idle, busy):
        client.send(closing(1001))
        assert await client.ended()
        client.cut()
    await closing_down
    assert [attendant.texts for attendant in server.attendants] == [["hello"], ["wait"]]


@pytest.mark.parametrize(
    ("request_text", "status"),
    [
        ("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", b"426"),
        (REQUEST.replace("GET", "POST"), b"405"),
        (REQUEST.replace("HTTP/1.1", "HTTP/1.0"), b"505"),
        (REQUEST.replace("Version: 13", "Version: 12"), b"400"),
        (REQUEST.replace("Sec-WebSocket-Key", "X-Key"), b"400"),
        (REQUEST.replace("token=abc", "x" * 9000), b"414"),
        (REQUEST.replace("localhost", "x" * 9000), b"431"),
    ],
)
async def test_a_bad_handshake_is_answered(server: RunningListener, request_text: str, status: bytes) -> None:
    """A request that opens no WebSocket gets its HTTP status, and the connection ends."""
    client = await server.connect()
    client.send(request_text.encode())
    answer = await client.reader.read()
    assert answer.split(b" ")[1] == status
    assert b"\r\nConnection: close\r\n" in answer
    assert server.attendants == []


async def test_what_is_no_http_is_cut(server: RunningListener) -> None:
    """Bytes that are no request, and a request with a body, end the connection without an answer."""
    for content in (b"\x16\x03\x01 hello\r\n\r\n", REQUEST.replace("Host", "Content-Length: 5\r\nHost").encode()):
        client = await server.connect()
        client.send(content)
        assert await client.ended()


@pytest.mark.parametrize(
    "behind", [b"hello, this is a body", b"\xff\xff\xff\xff", masked(TEXT, b"too early")[:-3] + b"\x00"]
)
async def test_bytes_behind_a_bad_handshake_do_no_harm(server: RunningListener, behind: bytes) -> None:
    """A refused request is answered, whatever comes with it in one packet."""
    client = await server.connect()
    client.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" + behind)
    assert (await client.reader.read()).split(b" ")[1] == b"426"


async def test_bytes_that_are_no_frames_behind_a_handshake_end_it(server: RunningListener) -> None:
    """A client that sends no frames before it is answered is cut, and no error is logged."""
    client = await server.connect()
    client.send(REQUEST.encode() + b"\xff\xff\xff\xff")
    assert await client.ended()
    assert server.attendants == []


@pytest.mark.parametrize("headers", ["Origin: http://localhost:5173", "Sec-WebSocket-Protocol: chat", "Cookie: a=b"])
async def test_browsers_may_connect(server: RunningListener, headers: str) -> None:
    """Any origin may connect; neither subprotocols nor compression are agreed on."""
    client = await server.connect()
    extensions = "Sec-WebSocket-Extensions: permessage-deflate"
    client.send(REQUEST.replace("Host", f"{headers}\r\n{extensions}\r\nHost").encode())
    answer = await client.reader.readuntil(b"\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 101 ")
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in answer
    assert b"Extensions" not in answer
    assert b"Protocol:" not in answer
