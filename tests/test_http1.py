"""uvicorn beneath its documented names: the callbacks that `hype/http1.py` overrides exist, and it still needs them."""

from __future__ import annotations

import asyncio
import importlib.metadata
import re
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from hype.http1 import Http1

REQUEST = (
    b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


class Application:
    """An application that keeps the headers of its one request."""

    def __init__(self) -> None:
        """Start without a request."""
        self.names: list[bytes] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer 204."""
        self.names = [name for name, _ in scope["headers"]]
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def serve_once(application: Application, config: uvicorn.Config) -> list[bytes]:
    """Send `REQUEST` in one packet; return the names of the headers that the application gets."""
    config.load()
    protocol: Any = config.http_protocol_class
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: protocol(config=config, server_state=ServerState(), app_state={}), "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(REQUEST)
        assert (await reader.readline()).startswith(b"HTTP/1.1 204 ")
        writer.close()
        await writer.wait_closed()
    return application.names


async def test_a_trailer_is_no_header() -> None:
    """Hype's protocol takes the fields of the head alone (amendment A19)."""
    application = Application()
    names = await serve_once(application, Http1(application, 1).config)
    assert names == [b"host", b"connection", b"transfer-encoding"]


async def test_uvicorn_still_takes_trailers_for_headers() -> None:
    """When this fails, uvicorn has fixed it and Hype's protocol can be deleted."""
    application = Application()
    stock = uvicorn.Config(application, http="httptools", ws="none", lifespan="off", log_config=None)
    assert await serve_once(application, stock) == [b"host", b"connection", b"transfer-encoding", b"x-trailer"]


@pytest.mark.parametrize("name", ["on_message_begin", "on_header", "on_headers_complete"])
def test_the_overridden_callbacks_exist(name: str) -> None:
    """uvicorn's protocol has each callback that Hype's protocol overrides."""
    assert name in vars(HttpToolsProtocol)
    assert name in vars(Http1(Application(), 1).config.http)


def test_each_minor_version_is_tested() -> None:
    """pyproject.toml allows only the minor version of uvicorn that is installed here."""
    text = (Path(__file__).parent.parent / "pyproject.toml").read_text()
    pinned = re.search(r'"uvicorn>=(\d+\.\d+),<(\d+\.\d+)"', text)
    assert pinned is not None
    assert importlib.metadata.version("uvicorn").startswith(f"{pinned[1]}.")
    assert int(pinned[2].split(".")[1]) == int(pinned[1].split(".")[1]) + 1
