"""uvicorn beneath its documented names: what `hype.http1` uses exists, and answers leave as uvicorn would send them."""

from __future__ import annotations

import asyncio
import importlib.metadata
import inspect
import re
import socket
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from hype.admission import Admission, Door
from hype.http1 import Http1

START: dict[str, Any] = {"type": "http.response.start", "status": 200, "headers": []}
LENGTH_2 = {**START, "headers": [(b"content-length", b"2"), (b"x-name", b"a value")]}
BODY: dict[str, Any] = {"type": "http.response.body", "body": b"{}"}
LAST: dict[str, Any] = {"type": "http.response.body"}
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "plain": [LENGTH_2, BODY],
    "another status": [{**LENGTH_2, "status": 413}, BODY],
    "empty": [{**START, "headers": [(b"content-length", b"0")]}, LAST],
    "without content": [{**START, "status": 204}, LAST],
    "of unknown length": [START, BODY],
    "in parts": [LENGTH_2, {**BODY, "body": b"{", "more_body": True}, {**BODY, "body": b"}"}],
    "in chunks": [{**START, "headers": [(b"transfer-encoding", b"chunked")]}, {**BODY, "more_body": True}, LAST],
    "that closes": [{**LENGTH_2, "headers": [*LENGTH_2["headers"], (b"connection", b"close")]}, BODY],
    "in capitals": [{**START, "headers": [(b"Content-Length", b"2"), (b"X-Name", b"1")]}, BODY],
    "too long": [{**START, "headers": [(b"content-length", b"1")]}, BODY],
    "too short": [{**START, "headers": [(b"content-length", b"3")]}, BODY],
    "with a split header": [{**LENGTH_2, "headers": [*LENGTH_2["headers"], (b"x", b"a\r\nb: c")]}, BODY],
    "with a bad name": [{**LENGTH_2, "headers": [*LENGTH_2["headers"], (b"x y", b"a")]}, BODY],
    "beyond ASCII": [{**LENGTH_2, "headers": [*LENGTH_2["headers"], (b"x", "é".encode())]}, BODY],
    "of nothing": [],
    "twice begun": [START, START],
    "twice ended": [LENGTH_2, BODY, BODY],
    "that begins with its body": [BODY],
}
REQUESTS = {
    "GET": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "HEAD": b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n",
    "closing": b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    "1.0": b"GET / HTTP/1.0\r\n\r\n",
    "two": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2,
    "expecting": b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
}


class Transport(asyncio.Transport):
    """A transport that keeps what is written. writes: each write, and None for the closing."""

    def __init__(self) -> None:
        """Begin open."""
        super().__init__()
        self.writes: list[bytes | None] = []

    def write(self, data: Any) -> None:
        """Keep it."""
        self.writes.append(bytes(data))

    def close(self) -> None:
        """Keep that it was closed."""
        self.writes.append(None)

    def can_write_eof(self) -> bool:
        """Say that one side may be closed alone."""
        return True

    def write_eof(self) -> None:
        """Keep that it was closed."""
        self.writes.append(None)

    def get_write_buffer_size(self) -> int:
        """Return 0: the client has read everything."""
        return 0

    def is_closing(self) -> bool:
        """Return whether it was closed."""
        return None in self.writes

    def pause_reading(self) -> None:
        """Do nothing: all has been read."""

    def resume_reading(self) -> None:
        """Do nothing: all has been read."""


async def writes(config: uvicorn.Config, request: bytes) -> list[bytes | None]:
    """Return what a connection writes for a request."""
    if not config.loaded:
        config.load()
    state, transport, protocol = ServerState(), Transport(), config.http_protocol_class
    state.default_headers = [(b"date", b"Mon, 30 Nov 2026 09:25:16 GMT")]
    connection: Any = protocol(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
    connection.connection_made(transport)
    connection.data_received(request)
    while state.tasks:
        await asyncio.wait(state.tasks)
    connection.connection_lost(ConnectionResetError())
    return transport.writes


def answering(messages: list[dict[str, Any]]) -> Any:
    """Return an application that sends these ASGI messages."""

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        for message in messages:
            await send(message)

    return application


@pytest.mark.parametrize("request_", REQUESTS)
@pytest.mark.parametrize("answer", ANSWERS)
async def test_every_answer_is_the_one_of_uvicorn(answer: str, request_: str) -> None:
    """Plain or not, right or wrong: the bytes and the end of the connection are those of uvicorn itself."""
    application = answering(ANSWERS[answer])
    stock = uvicorn.Config(application, http="httptools", ws="none", lifespan="off", log_config=None)
    expected = await writes(stock, REQUESTS[request_])
    got = await writes(Http1(application, 1, max_body_bytes=100).config, REQUESTS[request_])
    assert _whole(got) == _whole(expected)


@pytest.mark.parametrize("answer", ["plain", "another status"])
async def test_a_plain_answer_is_one_write(answer: str) -> None:
    """Head and body leave together, in one packet when they fit into one."""
    assert len(await writes(Http1(answering(ANSWERS[answer]), 1, max_body_bytes=100).config, REQUESTS["GET"])) == 1


async def test_an_answer_without_an_end_is_500() -> None:
    """No half of an answer is written, so that its client learns what happened."""
    written = await writes(Http1(answering([START]), 1, max_body_bytes=100).config, REQUESTS["GET"])
    assert str(written[0]).startswith("b'HTTP/1.1 500 ")


async def test_a_request_waits_for_a_slow_reader() -> None:
    """While a client does not read, its next request is not begun; when it has gone, never."""
    for gone in (False, True):
        config = Http1(answering(ANSWERS["plain"]), 1, max_body_bytes=100).config
        state, transport = ServerState(), Transport()
        connection: Any = config.http_protocol_class(config=config, server_state=state, app_state={})  # type: ignore[call-arg]
        connection.connection_made(transport)
        connection.pause_writing()
        connection.data_received(REQUESTS["GET"])
        assert not state.tasks
        if gone:
            connection.connection_lost(ConnectionResetError())
            assert not state.tasks
        else:
            connection.resume_writing()
            await asyncio.wait(state.tasks)
        assert len(transport.writes) == (not gone)


def _whole(writes: list[bytes | None]) -> tuple[list[bytes], bool]:
    """Return the lines of what is written, those of heads sorted, and whether the connection was closed."""
    octets = b"".join(each for each in writes if each is not None)
    return sorted(octets.split(b"\r\n")), None in writes


def test_the_names_exist() -> None:
    """uvicorn has each class, parameter and attribute that Hype uses and that its documentation does not have."""
    given = set(inspect.signature(RequestResponseCycle).parameters)
    assert given == {
        *("scope", "transport", "flow", "logger", "access_logger", "access_log", "default_headers", "message_event"),
        *("expect_100_continue", "keep_alive", "on_response"),
    }
    assert set(vars(ServerState())) == {"total_requests", "connections", "tasks", "default_headers"}
    assert set(vars(FlowControl)) >= {"drain", "pause_reading", "pause_writing", "resume_reading", "resume_writing"}


def test_each_minor_version_is_tested() -> None:
    """pyproject.toml allows only the minor version of uvicorn that is installed here."""
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    pinned = re.search(r'"uvicorn>=(\d+\.\d+),<(\d+\.\d+)"', text)
    assert pinned is not None
    assert importlib.metadata.version("uvicorn").startswith(f"{pinned[1]}.")
    assert int(pinned[2].split(".")[1]) == int(pinned[1].split(".")[1]) + 1


async def test_a_connection_may_come_before_the_server_serves() -> None:
    """A client that connects while the server starts is answered."""
    port = socket.create_server(("127.0.0.1", 0))
    http = Http1(_answer_nothing, 1, max_body_bytes=10)
    door = Door("rest", port, Admission(10, 10), http.connection)
    door.open()
    reader, writer = await asyncio.open_connection(*port.getsockname())
    writer.write(REQUESTS["closing"])
    assert (await reader.readline()).startswith(b"HTTP/1.1 204 ")
    writer.close()
    http.abort()
    door.close()


async def _answer_nothing(scope: Any, receive: Any, send: Any) -> None:
    await send({**START, "status": 204})
    await send(LAST)
