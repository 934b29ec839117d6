"""One client's connection: ICE, DTLS, and what comes and goes by it."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from hype.sfu.worker import feedback, rtp
from hype.sfu.worker.datagrams import Slot
from hype.sfu.worker.dtls import Certificate, Dtls, Keys
from hype.sfu.worker.fan_out import Outlet
from hype.sfu.worker.ice import IceLite, Path
from hype.sfu.worker.inbound_track import ROUTER_SSRC, Producer
from hype.sfu.worker.outbound_track import Consumer
from hype.sfu.worker.port import Port
from hype.sfu.worker.rtcp_handler import Control
from hype.sfu.worker.stream import Stream

__all__ = ["Ground", "Timeouts", "Transport"]

_MAX_STRANGE_SSRCS = 64  # of RTP that no producer of the client's explains
_MAX_REMEMBERED_SSRCS = 256  # of RTCP, and of producers that are closed
_UNKNOWN_BANDWIDTH = 1_500_000.0  # bits per second that a receiver is thought to take before it says
_TICKS_PER_REPORT = 2
_ssrc_at = struct.Struct("!I").unpack_from


@dataclass(frozen=True, slots=True)
class Timeouts:
    """In seconds. A transport whose checks stop is closed, and one that does not connect (ruling R30).

    connect: from the client's DTLS parameters to the keys. Before the client gives them, the server's side of the SFU
    knows how long to wait (amendment A20).
    """

    connect: float = 30.0
    consent: float = 30.0


@dataclass(slots=True)
class Counters:
    """What a worker has seen since it started."""

    packets_in: int = 0
    rejected: int = 0  # wrong tag, replayed, or no keys yet
    unknown: int = 0  # streams that nobody announced


@dataclass(frozen=True, slots=True)
class Ground:
    """What every transport of a worker stands on."""

    ice: IceLite
    port: Port
    certificate: Certificate
    outlet: Outlet
    timeouts: Timeouts
    clock: Callable[[], float]  # monotonic seconds
    tell: Callable[..., None]  # event name, members
    counters: Counters = field(default_factory=Counters)
    goodbyes: set[asyncio.Task[None]] = field(default_factory=set)  # under way; the worker waits for them


class Transport:
    """Closes itself when its client is gone, and tells."""

    TICK_S = 0.05

    def __init__(self, transport_id: str, router_id: str, direction: str, ground: Ground) -> None:
        """direction: `send` or `recv`, the client's. Raises nothing; it waits for its client at once."""
        self.id = transport_id
        self.router_id = router_id
        self.direction = direction
        self.producers: dict[str, Producer] = {}
        self.consumers: dict[int, Consumer] = {}  # by SSRC
        self.closed = False
        self.available = _UNKNOWN_BANDWIDTH
        self.on_closed: Callable[[Transport], None] = _nothing
        self._ground = ground
        self._connecting_since: float | None = None
        self._agent = ground.ice.agent(ground.clock())
        self._agent.on_media = self._media
        self._agent.on_selected = self._selected
        self._dtls = Dtls(ground.certificate, self._agent, self._hung_up)
        self._keys: Keys | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reachable = asyncio.Event()
        self._streams: dict[int, tuple[Producer, Stream, bool]] = {}  # by SSRC; whether it repairs the stream
        self._strange: set[int] = set()
        self._remembered: dict[int, None] = {}  # SSRCs of no producer that libsrtp knows, the oldest first
        self._arrivals = feedback.ArrivalRecorder(ROUTER_SSRC)
        self._control = Control(self)
        self._ticks = 0

    def parameters(self) -> dict[str, Any]:
        """What mediasoup-client makes its own transport of (ruling R26), without the id."""
        return {
            "iceParameters": self._agent.parameters(),
            "iceCandidates": self._ground.port.candidates(),
            "dtlsParameters": {"role": "auto", "fingerprints": self._ground.certificate.fingerprints()},
        }

    def connect(self, parameters: dict[str, Any]) -> bool:
        """Begin the DTLS handshake as soon as the client is reachable; False when that was begun before."""
        if self._connecting is not None:
            return False
        self._connecting_since = self._ground.clock()
        self._connecting = asyncio.create_task(self._connect(parameters), name="media handshake")
        return True

    async def _connect(self, parameters: dict[str, Any]) -> None:
        await self._reachable.wait()
        keys = await self._dtls.handshake(parameters, self._ground.timeouts.connect)
        if self.closed:
            return
        if keys is None:
            self._give_up("dtls failed")
            return
        self._keys = keys
        self._ground.tell("transportConnected", transportId=self.id)
        self._start_consumers()

    def restart_ice(self) -> dict[str, Any]:
        """New ICE credentials; the old path is used until the client has found a new one."""
        self._agent.restart()
        return self._agent.parameters()

    @property
    def way(self) -> tuple[Keys, Path] | None:
        """How media reaches the client; None before it is connected."""
        path = self._agent.selected
        return (self._keys, path) if self._keys is not None and path is not None else None

    def _selected(self) -> None:
        self._reachable.set()
        for consumer in self.consumers.values():
            consumer.moved()
        self._start_consumers()

    def _start_consumers(self) -> None:
        now = self._ground.clock()
        for consumer in self.consumers.values():
            consumer.start(now)

    def add_producer(self, producer: Producer) -> None:
        """The client sends this."""
        self.producers[producer.id] = producer
        producer.send_control = self.send_control
        for stream in producer.streams:
            if stream.ssrc is not None:
                self._streams[stream.ssrc] = (producer, stream, False)
            if stream.repair_ssrc is not None:
                self._streams[stream.repair_ssrc] = (producer, stream, True)
        self._remember(*self._strange)
        self._strange.clear()

    def remove_producer(self, producer: Producer) -> None:
        """Not any more."""
        self.producers.pop(producer.id, None)
        closed = [ssrc for ssrc, entry in self._streams.items() if entry[0] is producer]
        for ssrc in closed:
            del self._streams[ssrc]
        self._remember(*closed)

    def sends(self, ssrc: int) -> bool:
        """Whether the client already sends a stream with this SSRC."""
        return ssrc in self._streams

    def add_consumer(self, consumer: Consumer) -> None:
        """The client receives this."""
        self.consumers[consumer.ssrc] = consumer
        consumer.start(self._ground.clock())

    def remove_consumer(self, consumer: Consumer) -> None:
        """Not any more."""
        consumer.stop()
        self.consumers.pop(consumer.ssrc, None)
        if self._keys is not None:
            self._keys.forget(consumer.ssrc)
            if consumer.rtx_ssrc is not None:
                self._keys.forget(consumer.rtx_ssrc)

    def stream(self, ssrc: int) -> Stream | None:
        """The incoming stream with this SSRC."""
        entry = self._streams.get(ssrc)
        return entry[1] if entry is not None and not entry[2] else None

    def _media(self, slot: Slot, size: int, now: float) -> None:
        keys, counters = self._keys, self._ground.counters
        if keys is None or size < 12:
            counters.rejected += 1
        elif slot.view[1] in rtp.RTCP_TYPES:
            (ssrc,) = _ssrc_at(slot.view, 4)
            control = keys.open_control(slot, size)
            if control is None:
                counters.rejected += 1
            else:
                self._remember(ssrc)
                self._control.take(control, now)
        else:
            self._packet(keys, slot, size, now)

    def _packet(self, keys: Keys, slot: Slot, size: int, now: float) -> None:
        counters, (ssrc,) = self._ground.counters, _ssrc_at(slot.view, 8)
        entry = self._streams.get(ssrc)
        if entry is None and not self._tolerates(ssrc):
            counters.unknown += 1
            return
        packet = keys.open(slot, size)
        header = rtp.parse(packet) if packet is not None else None
        if packet is None or header is None:
            counters.rejected += 1
            return
        counters.packets_in += 1
        entry = entry or self._identify(packet, header)
        if entry is None:
            counters.unknown += 1
        else:
            self._route(*entry, packet, header, now)

    def _remember(self, *ssrcs: int) -> None:
        """libsrtp has opened packets of these. Of too many that no producer explains the oldest is forgotten.

        It looks through all that it knows for each packet: a client with ever new ones would slow everybody's down.
        """
        for ssrc in ssrcs:
            if ssrc not in self._streams:
                self._remembered[ssrc] = None
        while len(self._remembered) > _MAX_REMEMBERED_SSRCS:
            oldest = next(iter(self._remembered))
            del self._remembered[oldest]
            if self._keys is not None and oldest not in self._streams:
                self._keys.forget_incoming(oldest)

    @property
    def remembered(self) -> int:
        """How many SSRCs that no producer explains it keeps in mind; there is an end to them."""
        return len(self._remembered) + len(self._strange)

    def _tolerates(self, ssrc: int) -> bool:
        """Whether to open a packet of an SSRC that no producer has announced: it may be one's whose MID it carries."""
        if ssrc in self._strange:
            return True
        if len(self._strange) >= _MAX_STRANGE_SSRCS:
            return False
        self._strange.add(ssrc)
        return True

    def _route(
        self, producer: Producer, stream: Stream, repairs: bool, packet: bytes, header: rtp.Header, now: float
    ) -> None:
        if producer.arrival_id:
            number = rtp.extension_number(packet, header, producer.arrival_id, 2)
            if number >= 0:
                self._arrivals.arrived(number, now)
        if repairs:
            stream.repaired(packet, header, now)
        else:
            stream.receive(packet, header, now)
        if stream.numbering.holes:
            producer.ask_missing(stream, now)

    def _identify(self, packet: bytes, header: rtp.Header) -> tuple[Producer, Stream, bool] | None:
        for producer in self.producers.values():
            found = producer.identify(packet, header)
            if found is not None:
                entry = self._streams[header.ssrc] = (producer, *found)
                return entry
        return None

    def send_control(self, packet: bytes) -> None:
        """Send RTCP, if the client is connected."""
        way = self.way
        sealed = way[0].seal_control(packet) if way is not None else None
        if way is not None and sealed is not None:
            way[1].send(sealed)

    def tick(self, now: float) -> None:
        """What a sender is due, to be called every `TICK_S` seconds."""
        self._ticks += 1
        for producer in self.producers.values():
            producer.tick(now)
        if self._ticks % _TICKS_PER_REPORT == 0 and self._streams:
            for report in self._arrivals.reports(next(iter(self._streams))):
                self.send_control(report)

    def look(self, now: float) -> None:
        """What everybody is due, to be called every second."""
        timeouts = self._ground.timeouts
        since = self._connecting_since
        if self._keys is None and since is not None and now - since > timeouts.connect:
            self._give_up("connect timeout")
            return
        if self._keys is not None and now - self._agent.last_check > timeouts.consent:
            self._give_up("consent")
            return
        self._control.report(now)
        for producer in self.producers.values():
            for stream in producer.streams:
                stream.measure(now)
        share = self.available / max(1, sum(each.producer.kind == "video" for each in self.consumers.values()))
        for consumer in self.consumers.values():
            consumer.choose_layer(share, now)

    def _hung_up(self) -> None:
        self._give_up("dtls closed")

    def _give_up(self, reason: str) -> None:
        if not self.closed:
            self.close()
            self.on_closed(self)
            self._ground.tell("transportClosed", transportId=self.id, reason=reason)

    def close(self) -> None:
        """Let the client go. The router closes what came and went by this transport."""
        if self.closed:
            return
        self.closed = True
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()
        goodbye = asyncio.create_task(self._say_goodbye(), name="media goodbye")
        self._ground.goodbyes.add(goodbye)
        goodbye.add_done_callback(self._ground.goodbyes.discard)

    async def _say_goodbye(self) -> None:
        await self._dtls.close()
        self._agent.close()
        self._keys = None


def _nothing(_transport: Transport) -> None:
    """Until a router wants to know."""
