"""The UDP port and the TCP port (RFC 6544, passive) of a worker, and the way of each datagram to its agent.

The first byte tells the datagram's protocol (RFC 7983), and its source tells the agent.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import socket
import struct
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, cast

from hype import descriptors
from hype.addresses import limit_key
from hype.admission import Admission, Door
from hype.errors import PortBusy
from hype.sfu.worker.datagrams import Inbox, Slot, unpack_name
from hype.sfu.worker.ice import Agent, IceLite
from hype.sfu.worker.turns import Share, Turns

__all__ = ["Port", "enlarge"]

logger = logging.getLogger(__name__)

_ANY, _ANY_TRIES = range(1), 50  # number 0: any free one
_BUFFER = 4 << 20
_SO_SNDBUFFORCE, _SO_RCVBUFFORCE = 32, 33  # Linux; the socket module does not name them
_BATCHES = 4  # of the inbox that are handled, before other tasks have their turn
_MOST_BATCHES = 64  # that are read, those of connections that must wait among them
_MAX_FRAME = 2048
_MAX_UNSENT = 256 << 10  # bytes that wait for a TCP client that does not read; more is lost
_MAX_UNIDENTIFIED = 256  # TCP connections without a check with a right password
_IDENTIFY_S = 10.0
_MULTIPLE, _MAX_CREDIT = 3, 64 << 10  # of what came from an address that is not proven (RFC 9000, 8.1); bytes
_MOST_DESCRIPTORS = 65_536  # where the system sets no limit
_DESCRIPTORS_OF_OTHERS = 32  # for the link, the event loop, libraries, and clients that are refused
_UDP_PREFERENCE, _TCP_PREFERENCE = 1076302079, 1076276479  # mediasoup's priorities: UDP first


class _UdpPath:
    """A remote address of the UDP port. It gets little of what is sent to it until it is proven."""

    def __init__(self, port: Port, name: bytes) -> None:
        self.address = unpack_name(name)
        self.agent: Agent | None = None
        self.proven = False
        self.heard_at = float("-inf")
        self._credit = 0
        self._port = port
        self._key = name

    @property
    def name(self) -> bytes | None:
        return self._key if self.proven else None

    def received(self, size: int) -> None:
        """Let an address that is not proven have a multiple of the bytes that came from there."""
        self._credit = min(self._credit + _MULTIPLE * size, _MAX_CREDIT)

    def send(self, data: bytes) -> None:
        if not self.proven:
            if len(data) > self._credit:
                self._port.withheld += 1
                return
            self._credit -= len(data)
        with suppress(OSError):
            self._port.udp.sendto(data, self.address)

    def prove(self) -> None:
        self.proven = True

    def doubt(self) -> None:
        self.proven = False

    def adopt(self, agent: Agent) -> None:
        self.agent = agent
        self.proven = False
        self._port.paths[self._key] = self

    def release(self) -> None:
        self.agent = None
        self._port.paths.pop(self._key, None)


class _TcpPath(asyncio.Protocol):
    """A TCP connection. Each datagram has its size before it (RFC 4571)."""

    name: bytes | None = None
    proven = True  # by the handshake of TCP
    address: tuple[str, int] = ("", 0)
    network = ""
    heard_at = float("-inf")

    def __init__(self, port: Port, door: Door) -> None:
        self.agent: Agent | None = None
        self._port = port
        self._door = door
        self._received = bytearray()
        self._transport: asyncio.Transport | None = None
        self._timeout: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        return self in self._port.unidentified

    def cut(self) -> None:
        self._identified()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = stream = cast(asyncio.Transport, transport)
        peer = transport.get_extra_info("peername")
        if peer is None:
            stream.abort()
            return
        self.address = (peer[0], peer[1])
        self.network = limit_key(peer[0])
        self._port.make_room()
        self._port.unidentified[self] = None
        self._timeout = asyncio.get_running_loop().call_later(_IDENTIFY_S, stream.abort)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._port.take_frames(self._frames(), self)

    def _frames(self) -> Iterator[bytes]:
        while len(self._received) >= 2:
            size = int.from_bytes(self._received[:2], "big")
            if size > _MAX_FRAME and self._transport is not None:
                self._transport.abort()
                return
            if len(self._received) < 2 + size:
                return
            frame = bytes(self._received[2 : 2 + size])
            del self._received[: 2 + size]
            yield frame

    def connection_lost(self, _exc: Exception | None) -> None:
        self._door.left(self)
        self._identified()
        if self.agent is not None:
            self.agent.lost(self)

    def send(self, data: bytes) -> None:
        transport = self._transport
        if transport is None or transport.is_closing() or transport.get_write_buffer_size() > _MAX_UNSENT:
            return
        transport.write(struct.pack("!H", len(data)) + data)

    def prove(self) -> None:
        pass

    def doubt(self) -> None:
        pass

    def received(self, size: int) -> None:
        pass

    def adopt(self, agent: Agent) -> None:
        self.agent = agent
        self._identified()

    def _identified(self) -> None:
        self._port.unidentified.pop(self, None)
        if self._timeout is not None:
            self._timeout.cancel()

    def release(self) -> None:
        self.agent = None
        transport = self._transport
        if transport is not None and transport.get_write_buffer_size():
            transport.abort()  # a client that does not read would keep it open
        elif transport is not None:
            transport.close()


class Port:
    """Both sockets. No datagram makes them raise."""

    def __init__(self, udp: socket.socket, tcp: socket.socket, ice: IceLite, announced_ip: str) -> None:
        """Take bound sockets over. `start` begins to listen."""
        self.udp = udp
        self.number: int = udp.getsockname()[1]
        self.paths: dict[bytes, _UdpPath] = {}
        self.unidentified: dict[_TcpPath, None] = {}  # the oldest first
        self.dropped = 0
        self.withheld = 0  # from addresses that have not proved that they receive
        self.failures = 0
        self._ice = ice
        self._announced_ip = announced_ip
        self._inbox = Inbox(udp.family)
        self._spare = Inbox(udp.family, 1).slots[0]
        allowed = descriptors.limit() or _MOST_DESCRIPTORS
        most = max(allowed - _DESCRIPTORS_OF_OTHERS, allowed // 4)
        self._door = Door("media", tcp, Admission(most, most), lambda door: _TcpPath(self, door), refusal=b"")
        self._after_read: Callable[[], None] = lambda: None
        self.turns = Turns(lambda: asyncio.get_running_loop().call_soon(self._serve))

    @classmethod
    def bind(cls, ip: str, numbers: range, ice: IceLite, announced_ip: str | None) -> Port:
        """Take the first number that is free for both protocols (ruling R30). Number 0 is any free one.

        Raises PortBusy when there is none.
        """
        # A number that is free for UDP may be taken for TCP. Then another free one serves as well.
        for number in itertools.repeat(0, _ANY_TRIES) if numbers == _ANY else numbers:
            with suppress(OSError):
                udp, tcp = _bind(ip, number)
                return cls(udp, tcp, ice, announced_ip or ip)
        raise PortBusy(f"No free port between {numbers.start} and {numbers.stop - 1} at {ip} for media")

    async def start(self, after_read: Callable[[], None]) -> None:
        """Begin to listen on both. after_read: is called behind the last datagram of each read."""
        self._after_read = after_read
        loop = asyncio.get_running_loop()
        loop.add_reader(self.udp.fileno(), self._readable)
        self._door.open()

    def close(self) -> None:
        """Close both."""
        asyncio.get_running_loop().remove_reader(self.udp.fileno())
        self.udp.close()
        self._door.close()
        for path in list(self.unidentified):
            path.release()

    def make_room(self) -> None:
        """Cut the oldest of too many TCP connections without a check: of the network that has most of them."""
        if len(self.unidentified) < _MAX_UNIDENTIFIED:
            return
        ((most, _),) = Counter(each.network for each in self.unidentified).most_common(1)
        next(each for each in self.unidentified if each.network == most).cut()

    def candidates(self) -> list[dict[str, Any]]:
        """Return `iceCandidates` (ruling R26)."""
        common = {"ip": self._announced_ip, "address": self._announced_ip, "port": self.number, "type": "host"}
        return [
            {"foundation": "udpcandidate", "priority": _UDP_PREFERENCE, "protocol": "udp", **common},
            {
                "foundation": "tcpcandidate",
                "priority": _TCP_PREFERENCE,
                "protocol": "tcp",
                "tcpType": "passive",
                **common,
            },
        ]

    def _readable(self) -> None:
        descriptor, inbox, turns = self.udp.fileno(), self._inbox, self.turns
        size, handled = len(inbox.slots), 0
        turns.begin()
        for _ in range(_MOST_BATCHES):
            count, put_off = inbox.receive(descriptor), turns.put_off
            now = time.monotonic()
            for index in range(count):
                name = inbox.name(index)
                self._take(inbox.slots[index], inbox.sizes[index], self.paths.get(name), name, now)
            self._finish_read()
            handled += count - (turns.put_off - put_off)
            if count < size or handled >= _BATCHES * size:
                return

    def take_frames(self, frames: Iterable[bytes], path: _TcpPath) -> None:
        """Take the datagrams that came by one read of a TCP connection."""
        now = time.monotonic()
        self.turns.end_soon()
        for frame in frames:
            self._take(self._spare, self._spare.put(frame), path, b"", now)
        self._finish_read()

    def _serve(self) -> None:
        self.turns.serve()
        self._finish_read()

    def _finish_read(self) -> None:
        try:
            self._after_read()
        except Exception:  # nor must the packets that it brought
            self.failures += 1
            if self.failures == 1:
                logger.exception("Packets could not be sent on; further failures are only counted")

    def _take(self, slot: Slot, size: int, path: _UdpPath | _TcpPath | None, name: bytes, now: float) -> None:
        if path is not None and path.agent is not None:
            share = path.agent.share
            if share.is_over:
                self.turns.wait(share, partial(self._take_later, slot.buffer[:size], path))
                return
            self.turns.use(share)
        self._handle(slot, size, path, name, now)

    def _take_later(self, data: bytes, path: _UdpPath | _TcpPath) -> None:
        if path.agent is not None:
            self.turns.use(path.agent.share)
        self._handle(self._spare, self._spare.put(data), path, b"", time.monotonic())

    def _handle(self, slot: Slot, size: int, path: _UdpPath | _TcpPath | None, name: bytes, now: float) -> None:
        try:
            if path is None:
                self._take_from_stranger(slot, size, name, now)
            else:
                self._take_from(path, slot, size, now)
        except Exception:  # a datagram must not end the calls of all clients
            self.failures += 1
            if self.failures == 1:
                logger.exception("A datagram could not be handled; further ones are only counted")

    def _take_from(self, path: _UdpPath | _TcpPath, slot: Slot, size: int, now: float) -> None:
        agent, first = path.agent, _first(slot, size)
        if not path.proven:
            path.received(size)
        if 128 <= first < 192 and agent is not None:
            agent.owner.media_received(slot, size, path, now)
        elif first < 4:
            if agent is not None:
                agent.share.spend(Share.CHECK)
            self._ice.check(slot.buffer[:size], path, now)
        elif 20 <= first < 64 and agent is not None:
            agent.deliver(slot.buffer[:size], path)
        else:
            self.dropped += 1

    def _take_from_stranger(self, slot: Slot, size: int, name: bytes, now: float) -> None:
        if _first(slot, size) < 4:
            path = _UdpPath(self, name)
            path.received(size)
            self._ice.check(slot.buffer[:size], path, now)
        else:
            self.dropped += 1


def _first(slot: Slot, size: int) -> int:
    return slot.view[0] if size else 255


def enlarge(udp: socket.socket) -> None:
    """Enlarge a socket's buffers, so that they hold what comes while a busy machine makes a pause."""
    for option, by_force in ((socket.SO_RCVBUF, _SO_RCVBUFFORCE), (socket.SO_SNDBUF, _SO_SNDBUFFORCE)):
        with suppress(OSError):  # macOS refuses more than it has
            udp.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
        with suppress(OSError):  # needs the right to administer the network
            udp.setsockopt(socket.SOL_SOCKET, by_force, _BUFFER)


def _bind(ip: str, number: int) -> tuple[socket.socket, socket.socket]:
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    udp = socket.socket(family, socket.SOCK_DGRAM)
    tcp = socket.socket(family, socket.SOCK_STREAM)
    try:
        udp.bind((ip, number))
        # A worker that is replaced takes the same number, though old connections linger.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tcp.bind((ip, udp.getsockname()[1]))
        tcp.listen()  # SO_REUSEADDR lets two bind; only one may listen
    except OSError:
        udp.close()
        tcp.close()
        raise
    enlarge(udp)
    for sock in (udp, tcp):
        sock.setblocking(False)
    return udp, tcp
