"""Trailer fields of a request, in one packet with its head or in a later one, change nothing (amendment A19)."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from contextlib import closing

import httpx
import pytest

from hype_contract.actors.clients import wire
from hype_contract.actors.world import World
from tests.rest.conftest import ORIGIN
from tests.running import Running

PIPELINED = b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
AUTHORIZATION, TYPE = "Authorization: Bearer {token}", "Content-Type: application/json"


def answers(server: Running, head: bytes, rest: bytes, together: bool) -> bytes:
    """Send a request and another one behind it; return everything that is answered.

    together: True sends all in one packet. False sends the rest when the server asks for it (100) and so has read the
    head.
    """
    with closing(socket.create_connection(("127.0.0.1", server.port), 10)) as connection:
        if together:
            connection.sendall(head + b"\r\n" + rest + PIPELINED)
        else:
            connection.sendall(head + b"Expect: 100-continue\r\n\r\n")
            assert connection.recv(1024) == b"HTTP/1.1 100 Continue\r\n\r\n"
            connection.sendall(rest + PIPELINED)
        with connection.makefile("rb") as stream:
            return stream.read()


@pytest.mark.parametrize("together", [True, False], ids=["one packet", "two packets"])
@pytest.mark.parametrize(
    ("head", "trailer", "status"),
    [
        ([AUTHORIZATION, TYPE], [], 201),
        ([TYPE], [AUTHORIZATION], 401),
        ([AUTHORIZATION], [TYPE], 415),
        ([AUTHORIZATION, TYPE], [AUTHORIZATION.replace("{token}", "forged"), "Content-Type: text/plain"], 201),
        ([AUTHORIZATION, TYPE], ["Content-Encoding: gzip", "Expect: 100-continue", "Cookie: a=b"], 201),
        ([AUTHORIZATION, TYPE], [f"Origin: {ORIGIN}", "Upgrade: websocket", "X-Long: " + "x" * 10_000], 201),
    ],
)
def test_a_trailer_changes_nothing(
    server: Running, world: World, head: list[str], trailer: list[str], status: int, together: bool
) -> None:
    """A field that stands only in a trailer counts as absent, and the next request is read correctly."""
    token = world.guest().token
    content = json.dumps({"channelId": "text-general", "content": "hello"}).encode()
    fields, trailers = (
        "".join(f"{field.format(token=token)}\r\n" for field in lines).encode() for lines in (head, trailer)
    )
    rest = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(content), content, trailers)
    start = b"POST /api/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
    received = answers(server, start + fields, rest, together)
    assert re.findall(rb"HTTP/1\.1 (\d+) ", received) == [b"%d" % status, b"200"]
    assert b"access-control-allow-origin" not in received.lower()


@pytest.mark.parametrize("together", [True, False], ids=["one packet", "two packets"])
@pytest.mark.parametrize("trailer", [b"Content-Length: 5\r\n", b"Transfer-Encoding: gzip\r\n"])
def test_a_trailer_with_a_length_is_refused(server: Running, world: World, trailer: bytes, together: bool) -> None:
    """A trailer that would move the end of the request is 400, and nothing is stored (RFC 9110 section 6.5.1)."""
    person = world.guest()
    channel = world.channel(person)["id"]
    content = json.dumps({"channelId": channel, "content": "hello"}).encode()
    head = f"POST /api/messages HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n{TYPE}\r\n{AUTHORIZATION}\r\n"
    rest = b"%x\r\n%s\r\n0\r\n%s\r\n" % (len(content), content, trailer)
    with closing(socket.create_connection(("127.0.0.1", server.port), 10)) as connection:
        pieces = [head.format(token=person.token).encode() + b"\r\n", rest]
        for piece in [b"".join(pieces)] if together else pieces:
            connection.sendall(piece)
        assert connection.recv(1024).startswith(b"HTTP/1.1 400 ")
    assert world.rest.call("listMessages", query={"channelId": channel}, expect=200).data == []


def test_the_harness_shows_how_to_send_a_trailer(server: Running, world: World) -> None:
    """The bash line of the harness's failure report sends the same request."""
    person = world.guest()
    body = json.dumps({"channelId": "text-general", "content": "100% \\ hello"}).encode()
    fields = [("Content-Type", "application/json"), ("Authorization", f"Bearer {person.token}")]
    request = wire.Chunked("POST", "/api/messages", body, fields, [("X-Checksum", "1")])
    line = wire.command(request, httpx.URL(server.url))
    shown = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True).stdout
    printed = shown.replace("^M\n", "\n")  # the script shows control characters instead of printing them
    assert printed.startswith("HTTP/1.1 201 ")
    assert json.loads(printed.partition("\n\n")[2])["data"]["content"] == "100% \\ hello"
    assert wire.send(request, httpx.URL(server.url))[0] == 201
