"""A room of 25 users who all speak, on one worker, beside the naive design in the same run.

    python -m tests.benchmarks.room [--people 25] [--seconds 5] [--repeat 5]

Everybody sends 50 packets of sound a second and hears the 24 others: 600 streams, 30,000 packets a second sent on by
one process. The worker is a real one, with real clients (DTLS-SRTP, AES-GCM over loopback) that this process plays;
the naive design (`naive.py`: one `protect()` and one `sendto` for each receiver, nothing else) gets the same packets by
turns with it.

    delay   from a packet's sending to its arrival in a receiver's socket, by the kernel's clock
    lost    of what ought to have arrived, what did not within a fifth of a second after the run, or with a wrong tag
    µs      of CPU in the forwarding process for each packet sent on, system calls included
    core    how busy that keeps one processor core

It needs a machine with nothing else to do and two cores at least, as this process makes all the packets and reads them.
Wanted of the worker: a delay of under 20 ms for 99 % of the packets, and less than 0.1 % lost. How large rooms with one
speaker can become is what `tests.benchmarks.crowd` measures.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from hype.sfu.negotiation import extensions
from tests.benchmarks.ears import Ear, Ears, median, percentile, stamped
from tests.benchmarks.fanout import Sockets, cpu_s, new_key
from tests.benchmarks.naive import Plan
from tests.benchmarks.naive import started as naive_process
from tests.sfu.worker.keys import GCM, session
from tests.sfu.worker.rig import AUDIO_SSRC, EXTENSION_IDS, rtp_packet, started

PER_SECOND = 50  # packets of 20 ms of sound
SIZE = 120  # bytes of a packet's payload: opus at 48 kbps
_TICK_S = 0.001
_QUIET_S = 0.2
_LEVEL = bytes([EXTENSION_IDS[extensions.AUDIO_LEVEL] << 4, 0x80 | 20])  # a level of speech


@dataclass
class Room:
    """A process that is measured, its senders and its receivers. senders: each sends one packet."""

    name: str
    pid: int
    senders: Sequence[Callable[[bytes], None]]
    ears: Ears
    sent: Callable[[], Awaitable[int]]
    runs: int = 0
    numbers: list[int] = field(default_factory=list)

    def speak(self, sender: int) -> None:
        """Send one packet of this sender."""
        self.numbers[sender] += 1
        payload = stamped(b"\x78", self.runs, SIZE)
        self.senders[sender](rtp_packet(self.numbers[sender], payload, ssrc=AUDIO_SSRC + sender, elements=_LEVEL))


@dataclass
class Result:
    """The outcome of one run: ms, ms, share, CPU µs a packet, share of a core."""

    middle: float
    most: float
    lost: float
    cost: float
    core: float


@asynccontextmanager
async def worker_room(people: int) -> AsyncIterator[Room]:
    """Yield the worker and its clients."""
    async with started("--consent-timeout", "3600") as rig, AsyncExitStack() as stack:
        sending = [await rig.connect("send") for _ in range(people)]
        hearing = [await rig.connect("recv") for _ in range(people)]
        for number, (transport_id, _) in enumerate(sending):
            producer_id = await rig.produce(transport_id, "audio", encodings=[{"ssrc": AUDIO_SSRC + number}])
            for listener, (recv, _) in enumerate(hearing):
                if listener != number:
                    await rig.consume(recv, producer_id, "audio", number=number)
        ears = [_ear(peer, stack) for _, peer in hearing]

        async def sent() -> int:
            return int((await rig.call("stats"))["packetsOut"])

        yield Room("worker", rig.process.pid, [peer.send_rtp for _, peer in sending], Ears(ears), sent)


def _ear(peer: Any, stack: AsyncExitStack) -> Ear:
    kept = peer.stop_reading()
    stack.callback(kept.close)
    return Ear(kept, peer.dtls._rx_srtp)


@asynccontextmanager
async def naive_room(people: int) -> AsyncIterator[Room]:
    """Yield the naive process and the same users."""
    with Sockets() as sockets:
        keys = [(new_key(), new_key()) for _ in range(people)]
        ears = []
        for _, key in keys:
            ears.append(Ear(sockets.heard(), session(bytes.fromhex(key), GCM, outgoing=False)))
        others = [[each for each in range(people) if each != number] for number in range(people)]
        plan = Plan(
            [(ear.socket.getsockname()[1], key) for ear, (_, key) in zip(ears, keys, strict=True)],
            [(AUDIO_SSRC + n, key, others[n]) for n, (key, _) in enumerate(keys)],
        )
        async with naive_process(plan) as process:
            senders = [sockets.sender(process.port, key) for key, _ in keys]
            yield Room("naive", process.pid, senders, Ears(ears), process.sent)


async def measure(room: Room, seconds: float) -> Result:
    """Measure one run: all speak for so long, each a little after the one before."""
    people = len(room.senders)
    room.numbers = room.numbers or [0] * people
    _say_hello(room)
    room.runs += 1
    before, sent_before = cpu_s(room.pid), await room.sent()
    said = _speak(room, seconds)
    room.ears.listen_until_quiet(_QUIET_S)
    sent, used = await room.sent() - sent_before, cpu_s(room.pid) - before
    delays = room.ears.delays(room.runs)
    return Result(
        percentile(delays, 0.5),
        percentile(delays, 0.99),
        1 - len(delays) / (said * (people - 1)),
        used / max(sent, 1) * 1e6,
        used / seconds,
    )


def _say_hello(room: Room) -> None:
    """Send one packet of each user, so that every stream has begun."""
    for sender in range(len(room.senders)):
        room.speak(sender)
    room.ears.listen_until_quiet(_QUIET_S)


def _speak(room: Room, seconds: float) -> int:
    people, said = len(room.senders), 0
    begun = time.perf_counter()
    while (passed := time.perf_counter() - begun) < seconds:
        while said < passed * people * PER_SECOND:
            room.speak(said % people)
            said += 1
        room.ears.listen(_TICK_S)
    return said


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=25, help="how many (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each design (default %(default)s)")
    options = parser.parse_args()
    people = options.people
    print(
        f"{people} people, {people * (people - 1)} streams, {people * (people - 1) * PER_SECOND} packets/s sent on:"
        f" medians of {options.repeat} runs of {options.seconds} s"
    )
    print(f"{'':<8} {'delay p50':>12} {'p99':>10} {'lost':>9} {'µs':>7} {'core':>6}")
    async with worker_room(people) as ours, naive_room(people) as theirs:
        runs: dict[str, list[Result]] = {ours.name: [], theirs.name: []}
        for _ in range(options.repeat):
            for room in (ours, theirs):
                runs[room.name].append(await measure(room, options.seconds))
    for name, results in runs.items():
        middle, most, lost, cost, core = (
            median([getattr(each, member) for each in results]) for member in ("middle", "most", "lost", "cost", "core")
        )
        print(f"{name:<8} {middle:>9.2f} ms {most:>7.2f} ms {lost:>9.3%} {cost:>7.2f} {core:>6.0%}")


if __name__ == "__main__":
    asyncio.run(main())
