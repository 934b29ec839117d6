"""The doors of the server: how many connections come in, and which of them give way, on both event loops."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import resource
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from hype.admission import LOOPBACK, REFUSAL, Admission, Door
from hype.event_loop import new_event_loop
from tests.clocks import HandClock

_PATIENCE_S = 20
_ELSEWHERE = (ipaddress.ip_network("192.0.2.0/24"),)

Test = Callable[[], Coroutine[Any, Any, None]]


class Visitor(asyncio.Protocol):
    """A connection that says hello, and is idle until it is told otherwise."""

    def __init__(self, door: Door) -> None:
        """Come through a door."""
        self._door = door
        self._transport: asyncio.Transport | None = None
        self.busy = False

    @property
    def idle(self) -> bool:
        """Whether it may be cut."""
        return self._transport is not None and not self.busy

    def cut(self) -> None:
        """End."""
        assert self._transport is not None
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Say hello."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(b"hello")

    def data_received(self, data: bytes) -> None:
        """Be busy."""
        self.busy = True
        if self._transport is not None:
            self._transport.write(b"busy!")

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave."""
        self._door.left(self)


class House:
    """Doors, and the clients in front of them."""

    def __init__(self, admission: Admission, *most: int | None) -> None:
        """Open a door for each number, which is its own limit."""
        self._stack = ExitStack()
        self.admission = admission
        self.doors: list[Door] = []
        self._clients: list[Client] = []
        self._ports: list[int] = []
        for number, limit in enumerate(most or (None,)):
            port = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
            self._ports.append(port.getsockname()[1])
            self.doors.append(Door(f"door-{number}", port, admission, Visitor, limit))
            self.doors[-1].open()

    async def come(self, door: int = 0) -> Client:
        """Connect."""
        self._clients.append(Client(*await asyncio.open_connection("127.0.0.1", self._ports[door])))
        return self._clients[-1]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, which is looked at in each round of the event loop."""
        async with asyncio.timeout(_PATIENCE_S):
            while not condition():  # noqa: ASYNC110 - a door tells nobody that somebody has left
                await asyncio.sleep(0)

    async def close(self) -> None:
        """Close the doors, and part with everybody."""
        for door in self.doors:
            door.close()
        for client in self._clients:
            await client.goes()
        await self.until(lambda: not any(self.admission.open.values()))
        self._stack.close()


class Client:
    """A client of a door."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self._reader = reader
        self._writer = writer

    async def hears(self) -> bytes:
        """Return the next five bytes, fewer at the end of the connection."""
        async with asyncio.timeout(_PATIENCE_S):
            try:
                return await self._reader.readexactly(5)
            except asyncio.IncompleteReadError as end:
                return end.partial
            except ConnectionError:
                return b""

    async def hears_all(self) -> bytes:
        """Return what comes until the end of the connection."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self._reader.read()

    async def asks(self) -> None:
        """Have a request in progress."""
        self._writer.write(b"?")
        assert await self.hears() == b"busy!"

    async def goes(self) -> None:
        """Leave."""
        self._writer.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()


@pytest.fixture(params=["uvloop", "asyncio"])
def on_a_loop(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    """Return a function that runs a test on the event loop that the server prefers, or on Python's own."""

    def run(test: Test) -> None:
        with asyncio.Runner(loop_factory=new_event_loop if request.param == "uvloop" else asyncio.new_event_loop) as it:
            it.run(test())

    return run


@asynccontextmanager
async def opened(admission: Admission, *most: int | None) -> AsyncIterator[House]:
    """Open a house for the block."""
    house = House(admission, *most)
    try:
        yield house
    finally:
        await house.close()


def test_an_address_has_its_share(on_a_loop: Callable[[Test], None]) -> None:
    """A connection over the limit of an address is answered 503 and closed; one that ends makes room."""

    async def test() -> None:
        told: list[tuple[str, str]] = []
        async with opened(Admission(100, 2, _ELSEWHERE, told=lambda *what: told.append(what))) as house:
            first, second = await house.come(), await house.come()
            assert (await first.hears(), await second.hears()) == (b"hello", b"hello")
            assert await (await house.come()).hears_all() == REFUSAL
            assert told == [("door-0", "address")]
            await first.goes()
            await house.until(lambda: house.admission.open == {"door-0": 1})
            assert await (await house.come()).hears() == b"hello"

    on_a_loop(test)


def test_this_machine_has_no_share(on_a_loop: Callable[[Test], None]) -> None:
    """Clients of this machine, such as a proxy, are limited by the limit of all only."""

    async def test() -> None:
        async with opened(Admission(100, 1)) as house:
            clients = [await house.come() for _ in range(3)]
            assert [await client.hears() for client in clients] == [b"hello"] * 3

    on_a_loop(test)


def test_the_oldest_idle_connection_gives_way(on_a_loop: Callable[[Test], None]) -> None:
    """A new connection to any door takes the place of the first door's oldest idle one, and of no busy one."""

    async def test() -> None:
        told: list[tuple[str, str]] = []
        async with opened(Admission(3, 100, told=lambda *what: told.append(what)), None, None) as house:
            busy, idle, later = await house.come(), await house.come(), await house.come()
            assert [await each.hears() for each in (busy, idle, later)] == [b"hello"] * 3
            await busy.asks()
            new = await house.come(1)
            assert await new.hears() == b"hello"
            assert await idle.hears_all() == b""
            await new.asks()
            await later.asks()
            assert told == [("door-0", "idle")]
            assert house.admission.open == {"door-0": 2, "door-1": 1}
            assert await (await house.come()).hears_all() == REFUSAL  # all are busy
            assert told[1:] == [("door-0", "total")]

    on_a_loop(test)


def test_a_door_leaves_places_to_the_others(on_a_loop: Callable[[Test], None]) -> None:
    """A door with a limit of its own refuses what is over it, while another door still has room."""

    async def test() -> None:
        async with opened(Admission(3, 100), None, 2) as house:
            clients = [await house.come(1) for _ in range(2)]
            for client in clients:
                assert await client.hears() == b"hello"
                await client.asks()
            assert await (await house.come(1)).hears_all() == REFUSAL
            assert await (await house.come(0)).hears() == b"hello"

    on_a_loop(test)


@contextmanager
def no_descriptor_left() -> Iterator[None]:
    """Use up every descriptor of this process for the block."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = max(int(each.name) for each in Path("/proc/self/fd").iterdir()) + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, before[1]))
    taken: list[int] = []
    try:
        while True:
            try:
                taken.append(os.dup(0))
            except OSError:
                break
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_clients_are_refused_when_no_descriptor_is_left(
    on_a_loop: Callable[[Test], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Each client is refused by the descriptor in reserve, members keep theirs, and the log has one line."""

    async def test() -> None:
        told: list[tuple[str, str]] = []
        async with opened(Admission(100, 100, told=lambda *what: told.append(what))) as house:
            member = await house.come()
            assert await member.hears() == b"hello"
            with ExitStack() as stack:
                waiting = [stack.enter_context(socket.socket()) for _ in range(3)]
                address = house.doors[0]._port.getsockname()
                with no_descriptor_left():
                    await member.asks()
                    for client in waiting:
                        client.connect(address)
                        client.setblocking(False)
                        async with asyncio.timeout(_PATIENCE_S):
                            assert (await asyncio.get_running_loop().sock_recv(client, 65536)) == REFUSAL
            assert told == [("door-0", "descriptors")] * 3
            assert await (await house.come()).hears() == b"hello"

    on_a_loop(test)
    assert [record.levelno for record in caplog.records] == [logging.WARNING]


def test_an_idle_connection_gives_its_descriptor(on_a_loop: Callable[[Test], None]) -> None:
    """An idle connection gives way to a new one when no descriptor is left."""

    async def test() -> None:
        async with opened(Admission(100, 100)) as house:
            idle = await house.come()
            assert await idle.hears() == b"hello"
            with socket.socket() as client, no_descriptor_left():
                client.connect(house.doors[0]._port.getsockname())
                client.setblocking(False)
                async with asyncio.timeout(_PATIENCE_S):
                    assert (await asyncio.get_running_loop().sock_recv(client, 65536)) == b"hello"
                assert await idle.hears_all() == b""

    on_a_loop(test)


async def test_refusals_are_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """The first refusal is a line; the next line comes a minute later, and says how many there were."""
    clock = HandClock()
    admission = Admission(100, 1, clock=clock)
    with socket.create_server(("127.0.0.1", 0)) as port:
        door = Door("rest", port, admission, Visitor)
        for _ in range(5):
            admission.note(door, "address")
        clock.advance(61)
        admission.note(door, "address")
    assert [vars(record)["since_last_line"] for record in caplog.records] == [1, 5]


def test_an_ipv6_network_counts_as_one_address() -> None:
    """The limit of an address counts a /64 of IPv6 as one, also where an address names its interface."""
    keys = [Admission(10, 1).key(address) for address in ("fe80::1%eth0", "fe80::2", "::ffff:192.0.2.7", "192.0.2.7")]
    assert keys == ["fe80::/64", "fe80::/64", "192.0.2.7", "192.0.2.7"]


@pytest.mark.parametrize("address", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_the_loopback_addresses_are_exempt(address: str) -> None:
    """Every way to write an address of this machine itself is exempt from the limit of an address."""
    assert Admission(10, 1, LOOPBACK).key(address) is None
