"""A crowd on one server: 2,000 idle sockets, 500 that talk, and 50 that are deaf, at once and within all limits."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress

import httpx
import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.gateway.raw import PONG, TEXT, masked
from tests.running import Serve

_IDLE, _CHATTY, _DEAF = 2000, 500, 50
_SOCKETS_A_USER = 10  # of the idle ones; the others have a user each
_ROOMS = 10
_MESSAGES_EACH = 2
_MESSAGES_A_ROOM = _CHATTY // _ROOMS * _MESSAGES_EACH
_CONTENT = "👋" * 2000
_LITTLE_BYTES = 4096
_AT_ONCE = 50
_FILES = 8000
_PATIENCE_S = 100
_PONG_S = 5  # less than between a ping and its deadline


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow this process, and what it starts, as many open files as the crowd needs."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < _FILES:
        pytest.skip(f"the crowd needs {_FILES} open files, and {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, _FILES), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.timeout(300)
@pytest.mark.usefixtures("many_files")
async def test_deaf_sockets_harm_nobody_in_a_crowd(serve: Serve, sqlite_url: str) -> None:
    """Every talking socket hears every message of its room once and in order, idle ones stay, deaf ones are closed."""
    server = serve(sqlite_url)
    async with AsyncExitStack() as clients, httpx.AsyncClient(base_url=server.url, timeout=_PATIENCE_S) as rest:
        crowd = _Crowd(clients, rest, server.ws_url, server.ws_port)
        await crowd.gather()
        await asyncio.gather(*(member.talk() for member in crowd.talking))
        for member in crowd.talking:
            await member.until(lambda member: len(member.messages) >= _MESSAGES_A_ROOM)
        expected = {room: [each["id"] for each in await crowd.stored(room)] for room in crowd.rooms}
        for member in crowd.talking:
            assert member.messages == expected[member.room]
            await member.until(lambda member: member.left == crowd.deaf_users)
        pongs = [await idle.ping() for idle in crowd.idle]
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*pongs)
        metrics = (await rest.get("/metrics")).text
        assert f"hype_gateway_connections {_IDLE + _CHATTY:.1f}" in metrics
        for member in crowd.talking:
            member.reading.cancel()


class _Talking:
    """A socket that reads all that comes. room: the id of its channel. messages: the ids that it has heard."""

    def __init__(self, connection: ClientConnection, room: str) -> None:
        self.room = room
        self.messages: list[str] = []
        self.joined: Counter[str] = Counter()
        self.left: set[str] = set()
        self._connection = connection
        self._news = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def join(self) -> None:
        """Enter the room."""
        await self._send("user_joined", {"channelId": self.room})
        await self.until(lambda member: bool(member.joined))

    async def talk(self) -> None:
        """Send the messages."""
        for _ in range(_MESSAGES_EACH):
            await self._send("message", {"channelId": self.room, "content": _CONTENT})

    async def until(self, reached: Callable[[_Talking], bool]) -> None:
        """Wait until what it has heard is enough. Raises TimeoutError, and ConnectionClosed when it was closed."""
        async with asyncio.timeout(_PATIENCE_S):
            while not reached(self):
                if self.reading.done():
                    await self.reading
                self._news.clear()
                await self._news.wait()

    async def _send(self, name: str, data: dict[str, str]) -> None:
        await self._connection.send(json.dumps({"type": name, "data": data}))

    async def _read(self) -> None:
        try:
            async for text in self._connection:
                frame = json.loads(text)
                match frame["type"]:
                    case "message":
                        self.messages.append(frame["data"]["id"])
                    case "user_joined":
                        self.joined[frame["data"]["userId"]] += 1
                    case "user_left":
                        self.left.add(frame["data"]["userId"])
                    case other:
                        raise AssertionError(f"{other}: {text!r}")
                self._news.set()
        finally:
            self._news.set()


class _Crowd:
    """The clients, which close with `clients`."""

    def __init__(self, clients: AsyncExitStack, rest: httpx.AsyncClient, ws_url: str, ws_port: int) -> None:
        self.idle: list[ClientConnection] = []
        self.talking: list[_Talking] = []
        self.deaf_users: set[str] = set()
        self.rooms: list[str] = []
        self._clients, self._rest, self._ws_url, self._ws_port = clients, rest, ws_url, ws_port
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def gather(self) -> None:
        """Connect everybody; return once all are in their rooms."""
        owner = await self._guest("owner")
        for number in range(_ROOMS):
            body = {"name": f"crowd-{number}", "type": "text"}
            made = await self._rest.post("/api/channels", json=body, headers=_bearer(owner))
            self.rooms.append(made.raise_for_status().json()["data"]["id"])
        await asyncio.gather(*(self._add_talking(number) for number in range(_CHATTY)))
        await asyncio.gather(*(self._add_idle(number) for number in range(_IDLE // _SOCKETS_A_USER)))
        await asyncio.gather(*(self._add_deaf(number) for number in range(_DEAF)))
        for member in self.talking:
            await member.until(lambda member: self.deaf_users <= member.joined.keys())

    async def stored(self, room: str) -> list[dict[str, str]]:
        """Return the messages of a room, oldest first."""
        found = await self._rest.get("/api/messages", params={"channelId": room, "limit": 100})
        messages: list[dict[str, str]] = found.raise_for_status().json()["data"]
        return messages[::-1]

    async def _add_talking(self, number: int) -> None:
        token, _ = await self._guest(f"talking-{number}")
        member = _Talking(await self._connect(token), self.rooms[number % _ROOMS])
        self.talking.append(member)
        await member.join()

    async def _add_idle(self, number: int) -> None:
        token, _ = await self._guest(f"idle-{number}")
        for _ in range(_SOCKETS_A_USER):
            self.idle.append(await self._connect(token))

    async def _add_deaf(self, number: int) -> None:
        """Enter all rooms by a socket that is never read, whose buffer is small, and that sends pongs all the same."""
        token, user_id = await self._guest(f"deaf-{number}")
        client = socket.socket()
        self._clients.callback(client.close)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _LITTLE_BYTES)
        client.setblocking(False)
        loop = asyncio.get_running_loop()
        await loop.sock_connect(client, ("127.0.0.1", self._ws_port))
        joins = [json.dumps({"type": "user_joined", "data": {"channelId": room}}) for room in self.rooms]
        handshake = (
            f"GET /?token={token} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        )
        await loop.sock_sendall(client, handshake.encode() + b"".join(masked(TEXT, each.encode()) for each in joins))
        self.deaf_users.add(user_id)
        self._clients.callback(asyncio.create_task(_send_pongs(client)).cancel)

    async def _guest(self, name: str) -> tuple[str, str]:
        """Return the access token and the id of a new guest."""
        async with self._gate:
            made = await self._rest.post("/auth/guest", json={"username": name})
        data = made.raise_for_status().json()["data"]
        return data["accessToken"], data["user"]["id"]

    async def _connect(self, token: str) -> ClientConnection:
        async with self._gate:
            url = f"{self._ws_url}/?token={token}"
            connection = await connect(url, proxy=None, compression=None, ping_interval=None)
        self._clients.push_async_callback(_cut, connection)
        return connection


async def _send_pongs(client: socket.socket) -> None:
    """Give signs of life until the server closes the connection."""
    with suppress(OSError):
        while True:
            await asyncio.sleep(_PONG_S)
            await asyncio.get_running_loop().sock_sendall(client, masked(PONG, b""))


async def _cut(connection: ClientConnection) -> None:
    """End a connection without waiting for a closing handshake."""
    connection.transport.abort()


def _bearer(guest: tuple[str, str]) -> dict[str, str]:
    return {"Authorization": f"Bearer {guest[0]}"}
