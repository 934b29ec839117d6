"""The receivers of a benchmark: what arrives, and how long it was under way by the kernel's own clock.

A packet carries when it was sent, and the kernel notes when it was put into the receiver's socket. So what a reader
takes to get round to it, in this busy process, is not counted. Nothing is decrypted before the run is over.
"""

from __future__ import annotations

import selectors
import socket
import statistics
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from pylibsrtp import Error, Session

_SO_TIMESTAMPNS = 35  # Linux; Python has no name for it
_ROOM = 1 << 20
_MOST_BYTES = 2048
_AT_A_TIME = 32

_stamp = struct.Struct("!IQ")
_moment = struct.Struct("@qq")


def stamped(content: bytes, run: int, size: int) -> bytes:
    """Return a payload of `size` bytes that begins with `content` and ends with the run's number and the time."""
    return content.ljust(size - _stamp.size, b"\0") + _stamp.pack(run, time.time_ns())


@dataclass
class Ear:
    """The socket of a receiver, its keys, and what arrived: datagrams, and when, in ns of real time."""

    socket: socket.socket
    keys: Session
    came: list[tuple[bytes, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Have the kernel note times, and keep what comes while the socket is not read."""
        self.socket.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _ROOM)
        self.socket.setblocking(False)

    def read(self) -> None:
        """Take some of what has arrived."""
        with suppress(BlockingIOError):
            for _ in range(_AT_A_TIME):
                data, ((_, _, moment),), _, _ = self.socket.recvmsg(_MOST_BYTES, 64)
                seconds, rest = _moment.unpack(moment)
                self.came.append((data, seconds * 1_000_000_000 + rest))

    def delays(self, run: int) -> list[float]:
        """Return the delay in ms of each well encrypted packet of that run, and forget all packets."""
        came, self.came = self.came, []
        found = []
        for data, moment in came:
            if not 128 <= data[0] < 192 or 192 <= data[1] < 224:
                continue  # no RTP
            with suppress(Error):
                number, sent = _stamp.unpack(self.keys.unprotect(data)[-_stamp.size :])
                if number == run:
                    found.append((moment - sent) / 1e6)
        return found


class Ears:
    """Several of them, which this thread reads."""

    def __init__(self, ears: Sequence[Ear]) -> None:
        """Take ears whose sockets are open."""
        self._ears = ears
        self._selector = selectors.DefaultSelector()
        for ear in ears:
            self._selector.register(ear.socket, selectors.EVENT_READ, ear)

    def listen(self, seconds: float) -> bool:
        """Wait that long at most for a datagram, take it, and tell whether there was one."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            key.data.read()
        return bool(ready)

    def listen_until_quiet(self, seconds: float) -> None:
        """Listen until no datagram has come for that long."""
        while self.listen(seconds):
            pass

    def delays(self, run: int) -> list[float]:
        """Return the delays of all packets of that run, in ms, sorted."""
        return sorted(delay for ear in self._ears for delay in ear.delays(run))

    def close(self) -> None:
        """Close the selector. The sockets belong to their opener."""
        self._selector.close()


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of them do not exceed; not a number where there are none."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """Return the median of the values that are numbers."""
    numbers = [value for value in values if value == value]
    return statistics.median(numbers) if numbers else float("nan")
