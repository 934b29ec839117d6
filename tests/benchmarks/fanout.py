"""CPU time per forwarded packet of a media worker, beside the naive design in the same run.

    python -m tests.benchmarks.fanout [--burst 1 2 4 8] [--seconds 1] [--repeat 5] [--out 40000]

A real worker with real clients (DTLS-SRTP, AES-GCM, 1 → N over loopback): NACK ring, numbering per consumer, header
extensions, transport-wide feedback and statistics are on. CPU is what the kernel says that the process used, its
system calls included. The receivers' sockets are not read, in either design, and hold next to nothing: what the
kernel does for a reader, such as finding memory for what nobody reads yet, is not the forwarder's.

A burst is what a sender's pacer lets go at once. Its packets are encrypted before, and sent by one system call after
the other, so that both designs find them together as they would behind a network. `held` is how many copies one
message of the worker held: 1 without segmentation, and at most the burst.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import socket
import statistics
import struct
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hype.sfu.negotiation import extensions
from tests.benchmarks.naive import Plan, Process
from tests.benchmarks.naive import started as naive_process
from tests.sfu.worker.keys import GCM, session
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import EXTENSION_IDS, KEYFRAME, VIDEO_SSRC, Rig, started, video_packet

_TICK_S = 0.001
_KEY_SIZE = 28


class Design(Protocol):
    """A process that is measured. It forwards one stream."""

    name: str

    @property
    def pid(self) -> int:
        """The process id."""

    def send(self, packets: Sequence[bytes]) -> None:
        """Send it packets of the stream, at once."""

    async def sent(self) -> int:
        """Return how many packets it has sent on."""


@dataclass
class Bulk:
    """The worker."""

    rig: Rig
    sender: Peer
    name: str = "worker"

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self.rig.process.pid

    def send(self, packets: Sequence[bytes]) -> None:
        """Send them by the producer's transport."""
        for data in [self.sender.protected(packet) for packet in packets]:
            self.sender.send(data)

    async def sent(self) -> int:
        """Return what its statistics say."""
        return int((await self.rig.call("stats"))["packetsOut"])

    async def held(self) -> float:
        """Return the packets of a message since the start."""
        stats = await self.rig.call("stats")
        return int(stats["packetsOut"]) / int(stats["messagesOut"])


@dataclass
class Naive:
    """The naive design (`naive.py`). send: sends to its only port."""

    process: Process
    send: Callable[[Sequence[bytes]], None]
    name: str = "naive"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self.process.pid

    async def sent(self) -> int:
        """Return what it says."""
        return await self.process.sent()


@asynccontextmanager
async def bulk(receivers: int) -> AsyncIterator[Bulk]:
    """Yield a worker with one video producer and that many consumers, each with a transport."""
    async with started("--consent-timeout", "3600") as rig, AsyncExitStack() as stack:
        send, sender = await rig.connect("send")
        producer_id = await rig.produce(send, "video")
        for number in range(receivers):
            recv, receiver = await rig.connect("recv")
            await rig.consume(recv, producer_id, "video", number=number)
            kept = receiver.stop_reading()
            fills_at_once(kept)
            stack.callback(kept.close)
        design = Bulk(rig, sender)
        design.send([packet(0, 100)])
        yield design


@asynccontextmanager
async def naive(receivers: int) -> AsyncIterator[Naive]:
    """Yield the naive process with as many sockets to send to."""
    with Sockets() as sockets:
        sinks = [(sockets.sink(), new_key()) for _ in range(receivers)]
        key = new_key()
        async with naive_process(Plan(sinks, [(VIDEO_SSRC, key, list(range(receivers)))])) as process:
            yield Naive(process, sockets.burst_sender(process.port, key))


def new_key() -> str:
    """Return an SRTP master key with its salt, in hexadecimal."""
    return os.urandom(_KEY_SIZE).hex()


class Sockets:
    """Sockets that are closed together."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def __enter__(self) -> Sockets:
        return self

    def __exit__(self, *_exc: object) -> None:
        for each in self._sockets:
            each.close()

    def udp(self) -> socket.socket:
        """Return a new one."""
        self._sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        return self._sockets[-1]

    def heard(self) -> socket.socket:
        """Return a new one that can be sent to."""
        each = self.udp()
        each.bind(("127.0.0.1", 0))
        return each

    def sender(self, port: int, key: str) -> Callable[[bytes], None]:
        """Return a function that encrypts a packet and sends it to that port, by a new socket."""
        send = self.burst_sender(port, key)
        return lambda packet: send([packet])

    def burst_sender(self, port: int, key: str) -> Callable[[Sequence[bytes]], None]:
        """Return a function that encrypts packets and then sends them to that port, by a new socket."""
        media, keys = self.udp(), session(bytes.fromhex(key), GCM, outgoing=True)
        media.connect(("127.0.0.1", port))

        def send(packets: Sequence[bytes]) -> None:
            for data in [keys.protect(packet) for packet in packets]:
                media.send(data)

        return send

    def sink(self) -> int:
        """Return the port of a new one that is not read."""
        each = self.heard()
        fills_at_once(each)
        return int(each.getsockname()[1])


def fills_at_once(receiver: socket.socket) -> None:
    """Have a socket that is not read hold next to nothing."""
    receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the kernel makes the least that there is of it


def packet(number: int, size: int) -> bytes:
    """Return a video packet of `size` bytes. The first one begins a key frame."""
    element = bytes([EXTENSION_IDS[extensions.TRANSPORT_CC] << 4 | 1]) + struct.pack("!H", number & 0xFFFF)
    content = KEYFRAME if number == 0 else b"\x00" + KEYFRAME[1:]
    return video_packet(number & 0xFFFF, content.ljust(size - 20, b"\0"), elements=element, timestamp=number * 90)


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process of one thread has used."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


class Load:
    """A stream that is sent to a design at a steady pace, in bursts."""

    def __init__(self, design: Design, size: int, rate: int, burst: int) -> None:
        self._design = design
        self._size = size
        self._rate = rate
        self._burst = burst
        self._number = 0

    async def run(self, seconds: float) -> tuple[float, int]:
        """Return (CPU µs per packet sent on, packets sent on)."""
        await asyncio.sleep(0.05)
        before, sent_before = cpu_s(self._design.pid), await self._design.sent()
        await self._send(seconds)
        sent = await self._design.sent() - sent_before
        used = cpu_s(self._design.pid) - before
        return used / max(sent, 1) * 1e6, sent

    async def _send(self, seconds: float) -> None:
        begun, first = time.perf_counter(), self._number
        while (passed := time.perf_counter() - begun) < seconds:
            while self._number - first + self._burst <= passed * self._rate:
                self._send_burst()
            await asyncio.sleep(_TICK_S)
        await asyncio.sleep(0.05)

    def _send_burst(self) -> None:
        numbers = range(self._number + 1, self._number + self._burst + 1)
        self._number += self._burst
        self._design.send([packet(number, self._size) for number in numbers])


@dataclass
class Case:
    """A load. rate: packets per second to be sent on to each receiver, in bursts."""

    receivers: int
    size: int
    burst: int
    rate: int


@dataclass
class Result:
    """The medians of one case."""

    cost: float
    delivered: float  # of what was to be sent on


async def measure(case: Case, seconds: float, repeat: int) -> tuple[dict[str, Result], float]:
    """Measure both designs by turns, so that other work of the machine meets both.

    Returns the result of each, and how many packets a message of the worker held.
    """
    async with bulk(case.receivers) as ours, naive(case.receivers) as theirs:
        loads = {each.name: Load(each, case.size, case.rate, case.burst) for each in (ours, theirs)}
        runs: dict[str, list[tuple[float, int]]] = {name: [] for name in loads}
        for _ in range(repeat):
            for name, load in loads.items():
                runs[name].append(await load.run(seconds))
        held = await ours.held()
    wanted = case.rate * seconds * case.receivers
    results = {
        name: Result(statistics.median(cost for cost, _ in each), statistics.median(n for _, n in each) / wanted)
        for name, each in runs.items()
    }
    return results, held


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each run (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each design (default %(default)s)")
    parser.add_argument("--out", type=int, default=40000, help="packets per second sent on (default %(default)s)")
    parser.add_argument("--receivers", type=int, nargs="+", default=[10, 25, 50, 100, 200])
    parser.add_argument("--size", type=int, nargs="+", default=[100, 1100], help="bytes of a packet")
    parser.add_argument("--burst", type=int, nargs="+", default=[1], help="packets that come at once")
    options = parser.parse_args()
    print(
        f"CPU µs per packet sent on: medians of {options.repeat} runs of {options.seconds} s, {options.out} packets/s"
    )
    print(f"{'size':>5} {'1 → N':>6} {'burst':>6} {'worker':>8} {'naive':>8} {'ratio':>6} {'sent':>6} {'held':>6}")
    for size, receivers, burst in itertools.product(options.size, options.receivers, options.burst):
        case = Case(receivers, size, burst, options.out // receivers)
        found, held = await measure(case, options.seconds, options.repeat)
        ours, theirs = found["worker"], found["naive"]
        print(
            f"{size:>5} {receivers:>6} {burst:>6} {ours.cost:>8.2f} {theirs.cost:>8.2f} {ours.cost / theirs.cost:>6.2f}"
            f" {ours.delivered:>6.0%} {held:>6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    asyncio.run(main())
