"""The admission of clients: how many connections the server has, and which of them gives way to another.

A `Door` accepts the connections of one port, and asks the `Admission` that all doors share. asyncio's own accepting
takes up to 2,048 connections before it tells anybody, and logs a traceback for each one that it has no descriptor for;
a door takes a few at a time, and each of them only while there is room.
"""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import logging
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from itertools import islice
from typing import Final, Protocol, cast

from hype.addresses import Network, limit_key, within
from hype.descriptors import Reserve
from hype.errors import Unavailable
from hype.refusals import DEFAULT_HEADERS, refusal

__all__ = ["LOOPBACK", "REFUSAL", "Admission", "Door", "Guest"]

LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

REFUSAL: Final = refusal(
    Unavailable(retry_after_s=10), [(name.encode(), value.encode()) for name, value in DEFAULT_HEADERS]
)
"""The answer to a connection that is refused (ruling A12)."""

_BACKLOG: Final = 2048  # connections that may wait to be accepted when all clients reconnect at once
_AT_A_TIME: Final = 16  # connections that a door accepts before everything else gets its turn
_LOOKED_AT: Final = 64  # connections of a door that are looked at to find an idle one
_PAUSE_S: Final = 0.5  # between two tries to accept when the system has no room at all
_SAY_AGAIN_S: Final = 60.0
_NO_DESCRIPTOR: Final = {errno.EMFILE, errno.ENFILE}

_log = logging.getLogger(__name__)


class Guest(Protocol):
    """An asyncio protocol of a connection that a door has let in. It calls `Door.left` when it has ended."""

    @property
    def idle(self) -> bool:
        """Whether its client waits for nothing, so that it may be cut for the sake of another."""
        ...

    def cut(self) -> None:
        """Close it at once."""


class Admission:
    """The connections of all doors, counted.

    most: connections in all. most_per_address: connections of one IPv4 address, or of one IPv6 network of 64 bits.
    exempt: the networks to which that number does not apply, such as a proxy's, whose many clients have its address.
    told: takes the name of the door and the reason of each refusal: `address`, `total`, `descriptors`, or `idle` for a
    connection that was cut for the sake of a new one. clock: returns seconds that never go back.
    """

    def __init__(
        self,
        most: int,
        most_per_address: int,
        exempt: Sequence[Network] = LOOPBACK,
        told: Callable[[str, str], object] = lambda door, reason: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self.reserve = Reserve()
        self._exempt = tuple(exempt)
        self._told = told
        self._clock = clock
        self._doors: list[Door] = []
        self._of_address: Counter[str] = Counter()
        self._open = 0
        self._leaving: set[Guest] = set()
        self._starved = False
        self._unsaid = 0
        self._say_at = float("-inf")

    @property
    def open(self) -> dict[str, int]:
        """The number of open connections, by the name of the door."""
        return {door.name: len(door) for door in self._doors}

    @property
    def waits(self) -> bool:
        """Whether connections that were cut have to end before there is room for others."""
        return bool(self._leaving) and (self._starved or self._open >= self.most)

    def add(self, door: Door) -> None:
        """Count the connections of a door. Idle ones of the door that was added first give way first."""
        self._doors.append(door)

    def refusal(self, door: Door, key: str | None) -> str | None:
        """Return why a new connection must be refused, None when it may come in. key: as `key` returns it."""
        if key is not None and self._of_address[key] >= self.most_per_address:
            return "address"
        if self._open >= self.most or len(door) >= door.most:
            return "total"
        return None

    def key(self, address: str) -> str | None:
        """Return what the connections of an address count under, None when they do not."""
        return _key(address, self._exempt)

    def enter(self, key: str | None) -> None:
        """Count a connection."""
        self._open += 1
        if key is not None:
            self._of_address[key] += 1

    def leave(self, guest: Guest, key: str | None) -> None:
        """Count a connection no more."""
        self._open -= 1
        self._leaving.discard(guest)
        self._starved = self._starved and bool(self._leaving)
        if key is not None:
            self._of_address[key] -= 1
            if not self._of_address[key]:
                del self._of_address[key]

    def make_room(self, only: Door | None = None, *, starved: bool = False) -> bool:
        """Cut an idle connection; return whether there was one.

        only: the door whose connection it must be, None for any. starved: whether descriptors are what is missing.
        """
        for door in self._doors if only is None else [only]:
            for guest in door.oldest():
                if guest.idle and guest not in self._leaving:
                    self._leaving.add(guest)
                    self._starved = self._starved or starved
                    guest.cut()
                    self.note(door, "idle")
                    return True
        return False

    def note(self, door: Door, reason: str) -> None:
        """Count a refusal, and say so at most once a minute."""
        self._told(door.name, reason)
        self._unsaid += 1
        now = self._clock()
        if now >= self._say_at:
            _log.warning(
                "connections are refused, or cut for others",
                extra={"port": door.name, "reason": reason, "since_last_line": self._unsaid, "open": self._open},
            )
            self._unsaid, self._say_at = 0, now + _SAY_AGAIN_S


class Door:
    """A listening socket, and the connections that came through it.

    most: of them; None for no limit of its own. refusal: what a client hears that is refused.
    """

    def __init__(
        self,
        name: str,
        port: socket.socket,
        admission: Admission,
        protocol: Callable[[Door], Guest],
        most: int | None = None,
        refusal: bytes = REFUSAL,
    ) -> None:
        """Take over a bound socket; `open` begins to accept. protocol: makes the protocol of a new connection."""
        self.name = name
        self.most = admission.most if most is None else most
        self._port = port
        self._refusal = refusal
        self._admission = admission
        self._protocol = protocol
        self._guests: dict[Guest, str | None] = {}
        self._arriving: set[asyncio.Task[object]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pause: asyncio.TimerHandle | None = None
        admission.add(self)

    def __len__(self) -> int:
        """Return the number of connections."""
        return len(self._guests)

    def open(self) -> None:
        """Begin to accept; needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._port.setblocking(False)
        self._port.listen(_BACKLOG)
        self._loop.add_reader(self._port.fileno(), self._accept_some)

    def close(self) -> None:
        """Accept no more, and close the listening socket. Connections stay."""
        loop, self._loop = self._loop, None
        if loop is None:
            return
        if self._pause is not None:
            self._pause.cancel()
        loop.remove_reader(self._port.fileno())
        self._port.close()

    def left(self, guest: Guest) -> None:
        """Take note that a connection has ended."""
        if guest in self._guests:
            self._admission.leave(guest, self._guests.pop(guest))

    def oldest(self) -> Iterator[Guest]:
        """Yield some connections, those that came first before the others; each goes to the end of the queue."""
        for guest in list(islice(self._guests, _LOOKED_AT)):
            yield guest
            if guest in self._guests:
                self._guests[guest] = self._guests.pop(guest)

    def _accept_some(self) -> None:
        for _ in range(_AT_A_TIME):
            if self._loop is None or self._admission.waits:
                return  # the event loop comes back as long as there are clients
            try:
                connection, address = self._port.accept()
            except (BlockingIOError, InterruptedError):
                return
            except ConnectionError:
                continue  # the client has given up
            except OSError as error:
                self._starve(error)
                return
            self._admit(connection, str(address[0]))

    def _admit(self, connection: socket.socket, address: str) -> None:
        admission = self._admission
        key = admission.key(address)
        reason = admission.refusal(self, key)
        if reason == "total" and admission.make_room(self if len(self) >= self.most else None):
            reason = None  # the one that was cut ends before the next one is accepted
        if reason is not None:
            self._refuse(connection, reason)
            return
        guest = self._protocol(self)
        self._guests[guest] = key
        admission.enter(key)
        arriving = asyncio.ensure_future(self._arrive(connection, guest))
        self._arriving.add(arriving)
        arriving.add_done_callback(self._arriving.discard)

    async def _arrive(self, connection: socket.socket, guest: Guest) -> None:
        loop = asyncio.get_running_loop()
        try:
            connection.setblocking(False)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.connect_accepted_socket(lambda: cast(asyncio.BaseProtocol, guest), connection)
        except (OSError, RuntimeError):
            connection.close()  # the client has gone meanwhile
            self.left(guest)
            return
        if self._loop is None:
            guest.cut()  # the door has closed meanwhile

    def _refuse(self, connection: socket.socket, reason: str) -> None:
        with connection, suppress(OSError):
            connection.setblocking(False)
            if self._refusal:
                connection.send(self._refusal)
            connection.shutdown(socket.SHUT_WR)
        self._admission.note(self, reason)

    def _starve(self, error: OSError) -> None:
        """Do without a descriptor: take that of an idle connection, or refuse the client with the one in reserve."""
        admission = self._admission
        if error.errno in _NO_DESCRIPTOR:
            if admission.make_room(starved=True):
                return
            if admission.reserve.give_up():
                with suppress(OSError):
                    self._refuse(self._port.accept()[0], "descriptors")
                admission.reserve.keep()
                return
        # Somebody else took the last one, or the kernel has no memory: accept later, and do not spin until then.
        admission.note(self, "descriptors")
        if self._loop is not None:
            self._loop.remove_reader(self._port.fileno())
            self._pause = self._loop.call_later(_PAUSE_S, self._resume)

    def _resume(self) -> None:
        self._admission.reserve.keep()
        if self._loop is not None:
            self._loop.add_reader(self._port.fileno(), self._accept_some)


@lru_cache(maxsize=4096)  # most clients open several connections
def _key(address: str, exempt: tuple[Network, ...]) -> str | None:
    return None if within(address, exempt) else limit_key(address)
