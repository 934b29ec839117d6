"""Sends one packet to many receivers, each with its own SRTP key, SSRC, numbering and mid.

The packet is copied in bulk, patched, encrypted in place and handed to the kernel in one call: no Python object is
made per packet and receiver. Receivers on TCP, and packets that come late, go one by one.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from hype.sfu.codecs import vp8
from hype.sfu.worker import rtp
from hype.sfu.worker.datagrams import Arena, Letters
from hype.sfu.worker.dtls import Keys, protect
from hype.sfu.worker.ice import Path
from hype.sfu.worker.stamps import Stamps

__all__ = ["Fan", "Leg", "Outlet"]


@dataclass(slots=True)
class Outlet:
    """What every fan of a worker sends through."""

    arena: Arena
    descriptor: int  # of the UDP socket
    sent: int = 0  # packets


@dataclass(slots=True, eq=False)
class Leg:
    """One receiver of a fan's packets."""

    keys: Keys
    path: Path
    tail: bytes  # rtp.stamp_tail: SSRC and mid
    first: int  # the index of the first packet that it gets
    shift: int  # added to a packet's index, it gives the receiver's own sequence number (before wrapping)
    drift: int = 0  # added to the timestamp
    pictures: vp8.Numbers | None = None  # added to the numbers of VP8's pictures; None: nothing is

    def stamp(self, packet: bytes, index: int) -> bytearray:
        """The receiver's own copy of the packet with that index, the same each time."""
        own = bytearray(_with_pictures(packet, self.pictures))
        timestamp = int.from_bytes(packet[4:8], "big") + self.drift
        rtp.write_stamp(own, rtp.STAMP_AT, (index + self.shift) & 0xFFFF, timestamp & 0xFFFFFFFF, self.tail)
        return own


class _Batch:
    """Up to an arena's worth of legs on UDP whose tags are of one size, and whose pictures are numbered alike."""

    def __init__(self, outlet: Outlet, legs: list[Leg]) -> None:
        self._outlet = outlet
        self._legs = legs  # keeps the contexts alive
        self._tag, self._pictures = legs[0].keys.tag, legs[0].pictures
        self._contexts = [leg.keys.context for leg in legs]
        self._stamps = Stamps([leg.shift for leg in legs], [leg.drift for leg in legs], [leg.tail for leg in legs])
        self._letters = Letters(outlet.arena, [leg.path.name or b"" for leg in legs])
        self._protect = protect()

    def send(self, packet: bytes, index: int, timestamp: int) -> int:
        """Gives how many the kernel took."""
        arena, count = self._outlet.arena, len(self._legs)
        if self._pictures is not None:
            packet = _with_pictures(packet, self._pictures)
        columns, pointers = arena.fill(packet, count)
        self._stamps.write(columns, index, timestamp)
        codes = list(map(self._protect, self._contexts, pointers, arena.lengths))  # in C, like the stamps
        if any(codes):  # what was not encrypted must not leave
            return self._send_singly(codes)
        arena.seal(count, len(packet) + self._tag)
        return self._letters.post(self._outlet.descriptor)

    def _send_singly(self, codes: list[int]) -> int:
        for number, (leg, code) in enumerate(zip(self._legs, codes, strict=True)):
            if code == 0:
                leg.path.send(self._outlet.arena.content(number))
        return codes.count(0)


class Fan:
    """Everybody who receives one stream."""

    def __init__(self, outlet: Outlet) -> None:
        self._outlet = outlet
        self._legs: dict[object, Leg] = {}
        self._stale = False
        self._newest = 0
        self._batches: list[_Batch] = []
        self._others: list[Leg] = []

    def __len__(self) -> int:
        return len(self._legs)

    def add(self, key: object, leg: Leg) -> None:
        """Send to this leg too; another one with the same key is replaced."""
        self._legs[key] = leg
        self._stale = True

    def remove(self, key: object) -> None:
        """Send to it no more."""
        if self._legs.pop(key, None) is not None:
            self._stale = True

    def send(self, packet: bytes, index: int, timestamp: int) -> None:
        """Send a packet, laid out as rtp.py says, to every leg that has begun.

        index: the packet's place in its stream, counted without wrapping. timestamp: the packet's own.
        """
        if self._stale:
            self._arrange()
        if index < self._newest:
            self._singly((leg for leg in self._legs.values() if leg.first <= index), packet, index)
            return
        for batch in self._batches:
            self._outlet.sent += batch.send(packet, index, timestamp)
        if self._others:
            self._singly(self._others, packet, index)

    def _singly(self, legs: Iterable[Leg], packet: bytes, index: int) -> None:
        for leg in legs:
            sealed = leg.keys.seal(bytes(leg.stamp(packet, index)))
            if sealed is not None:
                leg.path.send(sealed)
                self._outlet.sent += 1

    def _arrange(self) -> None:
        self._stale = False
        legs = self._legs.values()
        self._newest = max((leg.first for leg in legs), default=0)
        self._others = [leg for leg in legs if leg.path.name is None]
        alike = sorted((leg for leg in legs if leg.path.name is not None), key=_kind)
        groups = [list(group) for _, group in groupby(alike, _kind)]
        step = self._outlet.arena.COUNT
        self._batches = [
            _Batch(self._outlet, group[at : at + step]) for group in groups for at in range(0, len(group), step)
        ]


def _kind(leg: Leg) -> Any:
    return leg.keys.tag, leg.pictures or ()


def _with_pictures(packet: bytes, pictures: vp8.Numbers | None) -> bytes:
    return packet if pictures is None else vp8.renumbered(packet, rtp.HEADER_SIZE, pictures)
