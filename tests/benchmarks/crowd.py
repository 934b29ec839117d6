"""The most receivers of one speaker, or of one camera, on one worker, beside the naive design.

    python -m tests.benchmarks.crowd [--kind audio video] [--seconds 2] [--repeat 3] [--most 5000] [--share 0.01]

N receivers of one producer, each with a transport of its own (real DTLS-SRTP over loopback; some ten ms each to
connect, so large N take a while to set up). N is doubled until more than 1 % gets lost, in the median of some runs, and
then narrowed down to 5 %. Sound is 50 packets of 120 bytes a second, a camera 240 packets of 1,100 bytes (2.1 Mbps),
evenly spaced.

Lost is what the forwarder has not sent on when a run ends: a process that cannot keep up falls behind. A few of the
receivers are read, and their packets decrypted: the delay is theirs, at that N. The others are not read and hold next
to nothing, as in `fanout`, so that what is measured is the forwarder and not this process.

`≥` where N met its limit (`--most`) before the forwarder met its own. It needs a machine with nothing else to do.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from tests.benchmarks.ears import Ear, Ears, median, percentile, stamped
from tests.benchmarks.fanout import Sockets, fills_at_once, new_key
from tests.benchmarks.naive import Plan, Process
from tests.benchmarks.naive import started as naive_process
from tests.sfu.worker.keys import GCM, session
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import AUDIO_SSRC, KEYFRAME, VIDEO_SSRC, Rig, rtp_packet, started, video_packet

Kind = Literal["audio", "video"]

_PER_SECOND = {"audio": 50, "video": 240}
_SIZES = {"audio": 120, "video": 1100}
_START = 25
_NARROW = 1.05
_READ = 4  # receivers whose packets are looked at
_TICK_S = 0.001
_QUIET_S = 0.1


class Crowd(Protocol):
    """A process that is measured."""

    ears: list[Ear]

    def send(self, packet: bytes) -> None:
        """Send it one packet of the stream."""

    async def sent(self) -> int:
        """Return how many packets it has sent on."""

    async def seat(self, count: int) -> None:
        """Have that many receivers."""


class Bulk:
    """The worker. Transports stay connected, and consumers come and go."""

    def __init__(self, rig: Rig, sender: Peer, producer_id: str, kind: Kind, stack: AsyncExitStack) -> None:
        """Begin without receivers. stack: ends what is opened."""
        self._rig, self._producer_id, self._kind, self._stack = rig, producer_id, kind, stack
        self._transports: list[str] = []
        self._consumers: list[str] = []
        self._sender = sender
        self.ears: list[Ear] = []

    def send(self, packet: bytes) -> None:
        """Send it by the producer's transport."""
        self._sender.send_rtp(packet)

    async def sent(self) -> int:
        """Return what its statistics say."""
        return int((await self._rig.call("stats"))["packetsOut"])

    async def seat(self, count: int) -> None:
        """Connect the receivers that are missing, and close the consumers that are too many."""
        while len(self._transports) < count:
            await self._connect()
        while len(self._consumers) > count:
            await self._rig.call("closeConsumer", consumerId=self._consumers.pop())
        while (number := len(self._consumers)) < count:
            transport_id = self._transports[number]
            consumer_id = await self._rig.consume(transport_id, self._producer_id, self._kind, number=number)
            self._consumers.append(consumer_id)

    async def _connect(self) -> None:
        transport_id, peer = await self._rig.connect("recv")
        kept = peer.stop_reading()
        self._stack.callback(kept.close)
        if len(self.ears) < _READ:
            self.ears.append(Ear(kept, peer.dtls._rx_srtp))
        else:
            fills_at_once(kept)
        self._transports.append(transport_id)


class Naive:
    """The naive design (`naive.py`): a new process for each number of receivers."""

    def __init__(self, kind: Kind) -> None:
        """Begin without receivers."""
        self._ssrc = AUDIO_SSRC if kind == "audio" else VIDEO_SSRC
        self._stack = AsyncExitStack()
        self.ears: list[Ear] = []
        self._process: Process
        self._sender: Callable[[bytes], None]

    def send(self, packet: bytes) -> None:
        """Send it to its only port."""
        self._sender(packet)

    async def sent(self) -> int:
        """Return what it says."""
        return await self._process.sent()

    async def seat(self, count: int) -> None:
        """Begin anew with that many receivers."""
        await self.close()
        sockets = self._stack.enter_context(Sockets())
        heard = [(sockets.heard(), new_key()) for _ in range(min(_READ, count))]
        self.ears = [Ear(each, session(bytes.fromhex(key), GCM, outgoing=False)) for each, key in heard]
        receivers = [(each.getsockname()[1], key) for each, key in heard]
        receivers += [(sockets.sink(), new_key()) for _ in range(count - len(receivers))]
        key = new_key()
        plan = Plan(receivers, [(self._ssrc, key, list(range(count)))])
        self._process = await self._stack.enter_async_context(naive_process(plan))
        self._sender = sockets.sender(self._process.port, key)

    async def close(self) -> None:
        """End the process."""
        await self._stack.aclose()


@asynccontextmanager
async def bulk(kind: Kind) -> AsyncIterator[Crowd]:
    """Yield a worker with one producer."""
    async with started("--consent-timeout", "3600") as rig, AsyncExitStack() as stack:
        send, sender = await rig.connect("send")
        yield Bulk(rig, sender, await rig.produce(send, kind), kind, stack)


@asynccontextmanager
async def naive(kind: Kind) -> AsyncIterator[Crowd]:
    """Yield the naive design."""
    crowd = Naive(kind)
    try:
        yield crowd
    finally:
        await crowd.close()


@dataclass
class Result:
    """The outcome of one number of receivers: a share, and ms."""

    count: int
    lost: float
    delay: float  # which 99 % did not exceed


class Measurement:
    """The measurement of one crowd of one kind, at any size."""

    def __init__(self, crowd: Crowd, kind: Kind, seconds: float, repeat: int) -> None:
        """Prepare it. seconds: of each run. repeat: runs of each size."""
        self._crowd, self._kind, self._seconds, self._repeat = crowd, kind, seconds, repeat
        self._number = self._run = 0

    async def at(self, count: int) -> Result:
        """Return the medians with that many receivers."""
        await self._crowd.seat(count)
        ears = Ears(self._crowd.ears[:count])
        try:
            runs = [await self._once(ears, count) for _ in range(self._repeat)]
        finally:
            ears.close()
        return Result(count, median([lost for lost, _ in runs]), median([delay for _, delay in runs]))

    async def _once(self, ears: Ears, count: int) -> tuple[float, float]:
        self._run += 1
        self._speak(begins=True)
        before = await self._settled(ears)
        spoken = self._go_on(ears)
        ears.listen_until_quiet(_TICK_S)
        sent = await self._crowd.sent() - before
        await self._settled(ears)
        return max(0.0, 1 - sent / (spoken * count)), percentile(ears.delays(self._run), 0.99)

    async def _settled(self, ears: Ears) -> int:
        """Return how many packets were sent on, once none is left to be sent."""
        sent = -1
        while sent != (sent := await self._crowd.sent()):
            ears.listen_until_quiet(_QUIET_S)
        return sent

    def _go_on(self, ears: Ears) -> int:
        spoken, rate, begun = 0, _PER_SECOND[self._kind], time.perf_counter()
        while (passed := time.perf_counter() - begun) < self._seconds:
            while spoken < passed * rate:
                self._speak()
                spoken += 1
            ears.listen(_TICK_S)
        return spoken

    def _speak(self, *, begins: bool = False) -> None:
        self._number += 1
        content = KEYFRAME if begins else b"\x00" + KEYFRAME[1:]
        payload = stamped(content, self._run, _SIZES[self._kind])
        self._crowd.send((rtp_packet if self._kind == "audio" else video_packet)(self._number, payload))


async def largest(measurement: Measurement, most: int, share: float) -> tuple[Result, bool]:
    """Return the largest crowd that loses less than `share`, and whether it could have been larger than `most`."""
    good, bad = Result(0, 0.0, float("nan")), 0
    while good.count < most and (not bad or bad > good.count * _NARROW + 1):
        count = (good.count + bad) // 2 if bad else min(most, max(_START, 2 * good.count))
        found = await measurement.at(count)
        if found.lost < share:
            good = found
        else:
            bad = count
    return good, not bad


async def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", nargs="+", choices=("audio", "video"), default=["audio", "video"])
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each size (default %(default)s)")
    parser.add_argument("--most", type=int, default=5000, help="receivers to try (default %(default)s)")
    parser.add_argument("--share", type=float, default=0.01, help="may get lost (default %(default)s)")
    options = parser.parse_args()
    most_descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_descriptors, most_descriptors))  # a receiver is a socket
    print(f"The largest 1 → N of which less than {options.share:.1%} gets lost: medians of {options.repeat} runs")
    print(f"{'':<6} {'':<8} {'N':>7} {'packets/s':>10} {'lost':>7} {'delay p99':>12}")
    for kind in options.kind:
        for name, design in (("worker", bulk), ("naive", naive)):
            async with design(kind) as crowd:
                measurement = Measurement(crowd, kind, options.seconds, options.repeat)
                found, open_ended = await largest(measurement, options.most, options.share)
            count = f"{'≥ ' if open_ended else ''}{found.count}"
            rate = found.count * _PER_SECOND[kind]
            print(f"{kind:<6} {name:<8} {count:>7} {rate:>10} {found.lost:>7.2%} {found.delay:>9.2f} ms", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
