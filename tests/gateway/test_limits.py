"""Rates and counts at the gateway (amendment A13, rulings P5 and R31)."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from hype.spec import Rate
from tests.gateway.raw import CLOSE, PING, PONG, REQUEST, TEXT, Client, masked
from tests.gateway.running import RunningGateway, run_gateway

pytestmark = pytest.mark.slow

_SLOW = 1e-6
"""Tokens a second, so few that none comes back during a test."""

NOTHING = masked(TEXT, b'{"type":"nothing"}')


@asynccontextmanager
async def connected(gateway: RunningGateway, token: str = "", forwarded_for: str = "") -> AsyncIterator[Client]:
    """Open a connection that sends what a test wants. token: for the URL; forwarded_for: `X-Forwarded-For`."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(gateway.url).port)
    client = Client(reader, writer)
    request = REQUEST.replace("/?token=abc", f"/?token={token}" if token else "/")
    if forwarded_for:
        request = request.replace("Host:", f"X-Forwarded-For: {forwarded_for}\r\nHost:")
    writer.write(request.encode())
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    try:
        yield client
    finally:
        client.cut()


async def flooded(client: Client, frames: Sequence[bytes]) -> tuple[Counter[str], int]:
    """Send many frames; return the numbers of pongs and of each error's code, and the code of the close."""
    client.send(*frames)
    seen: Counter[str] = Counter()
    while True:
        opcode, payload = await client.receive()
        if opcode == CLOSE:
            return seen, int.from_bytes(payload[:2], "big")
        seen["pong" if opcode == PONG else json.loads(payload)["data"]["code"]] += 1


async def refused(client: Client) -> bool:
    """Send one frame; return whether it is over a limit."""
    client.send(NOTHING)
    (answer,) = await client.texts(1)
    return bool(json.loads(answer)["data"]["code"] == "rate_limited")


@pytest.mark.parametrize("known", [True, False], ids=["with identity", "without"])
@pytest.mark.parametrize(
    "flood",
    [
        [masked(PING, b"")] * 100,
        [masked(PONG, b"")] * 100,
        [masked(TEXT, b"", fin=False), *[masked(0, b"", fin=False)] * 1000],
    ],
    ids=["pings", "pongs", "fragments"],
)
async def test_a_flood_of_any_frame_closes(sqlite_url: str, flood: list[bytes], known: bool) -> None:
    """A flood of pings, unasked pongs or fragments is closed with 4429, like one of texts; without a token as well."""
    async with run_gateway(sqlite_url, limits={"rate": Rate(3, _SLOW, 10, 100, _SLOW)}) as gateway:
        token = (await gateway.guest("anna"))["accessToken"] if known else ""
        async with connected(gateway, token) as client:
            seen, code = await flooded(client, flood)
            assert code == 4429
            assert seen["rate_limited"] == 10


async def test_a_ping_costs_what_a_text_costs(sqlite_url: str) -> None:
    """Pings and texts of a user take tokens of one bucket."""
    async with run_gateway(sqlite_url, limits={"rate": Rate(4, _SLOW, 10, 100, _SLOW)}) as gateway:
        token = (await gateway.guest("anna"))["accessToken"]
        async with connected(gateway, token) as client:
            client.send(*[masked(PING, b"")] * 3)
            assert [(await client.receive())[0] for _ in range(3)] == [PONG] * 3
            assert not await refused(client)
            assert await refused(client)


async def test_sockets_without_an_identity_count_by_address(sqlite_url: str) -> None:
    """Sockets without a token have one limit together, and each its own; a user's socket has the user's only."""
    async with run_gateway(sqlite_url, limits={"rate": Rate(3, _SLOW, 10, 7, _SLOW)}) as gateway:
        token = (await gateway.guest("anna"))["accessToken"]
        verdicts = []
        for _ in range(3):
            async with connected(gateway) as client:
                verdicts.append([await refused(client) for _ in range(4)])
        assert verdicts == [[False, False, False, True]] * 2 + [[False, True, True, True]]
        async with connected(gateway, token) as client:
            assert not await refused(client)


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted proxy", "any peer"])
async def test_a_proxy_tells_the_address(sqlite_url: str, trusted: bool) -> None:
    """Behind a trusted proxy the clients' addresses count; the header of another peer means nothing."""
    proxies, rate = "127.0.0.1" if trusted else "", Rate(5, _SLOW, 10, 2, _SLOW)
    async with run_gateway(sqlite_url, limits={"rate": rate}, TRUSTED_PROXIES=proxies) as gateway:
        verdicts = []
        for forwarded_for in ("203.0.113.1", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::"):
            async with connected(gateway, forwarded_for=f"198.51.100.9, {forwarded_for}") as client:
                verdicts.append([await refused(client) for _ in range(2)])
    free, over = [False, False], [True, True]
    assert verdicts == ([free, free, over, free] if trusted else [free, over, over, over])


async def test_the_eleventh_socket_of_a_user_is_refused(sqlite_url: str) -> None:
    """The eleventh is closed with 4429 and the first ten stay, until one of them leaves."""
    async with run_gateway(sqlite_url) as gateway:
        token = (await gateway.guest("anna"))["accessToken"]
        sockets = [await gateway.client(token) for _ in range(10)]
        for socket in sockets:
            await socket.receives_nothing()
        eleventh = await gateway.client(token)
        assert await eleventh.wait_closed() == 4429
        late = await gateway.client()
        await late.send("user_joined", token=token)
        assert await late.wait_closed() == 4429
        other = await gateway.client((await gateway.guest("ben"))["accessToken"])
        await other.receives_nothing()
        await sockets[0].connection.close()
        twelfth = await gateway.client(token)
        await twelfth.request("user_joined")


async def test_a_socket_is_in_so_many_rooms(sqlite_url: str) -> None:
    """A frame that would enter one room too many is refused without effect, in each way of entering."""
    async with run_gateway(sqlite_url, ROOMS_PER_SOCKET="2") as gateway:
        anna = await gateway.guest("anna")
        client = await gateway.client(anna["accessToken"])
        await client.request("user_joined", channelId="text-general")
        await client.request("user_joined", channelId="voice-gaming")
        assert await client.refused("user_joined", channelId="text-random") == "rate_limited"
        assert await client.refused("message", channelId="text-random", content="x") == "rate_limited"
        assert await client.refused("voice_state", channelId="voice-general") == "rate_limited"
        await client.request("message", channelId="text-general", content="x")
        await client.send("user_left", channelId="text-general")
        await client.request("user_joined", channelId="text-random")
        assert (await gateway.perform("getChannel", path={"id": "text-random"}))["_count"]["messages"] == 0
