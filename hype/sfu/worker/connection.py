"""The connection to one client: ICE, DTLS, and the packets in and out. The books of the server call it a transport."""

from __future__ import annotations

import asyncio
import struct
from typing import Any, Literal, Protocol

from hype.sfu.negotiation.ortc import ROUTER_SSRC
from hype.sfu.worker import feedback, rtcp, rtp
from hype.sfu.worker.context import WorkerContext
from hype.sfu.worker.datagrams import Slot
from hype.sfu.worker.dtls import Dtls, Keys
from hype.sfu.worker.ice import Path
from hype.sfu.worker.inbound_track import InboundTrack
from hype.sfu.worker.outbound_track import OutboundTrack
from hype.sfu.worker.resending import ResendBudget
from hype.sfu.worker.rtcp_handler import RtcpHandler
from hype.sfu.worker.stream import Stream

__all__ = ["ClientConnection", "ConnectionOwner", "Direction"]

Direction = Literal["send", "recv"]

_MAX_UNANNOUNCED_SSRCS = 64  # of RTP that no track of the client explains
_MAX_REMEMBERED_SSRCS = 256  # of RTCP, and of tracks that are closed
_UNKNOWN_BANDWIDTH = 1_500_000.0  # bits per second, until the client tells its estimate
_TICKS_PER_REPORT = 2
_ssrc_at = struct.Struct("!I").unpack_from


class ConnectionOwner(Protocol):
    """The router that a connection belongs to."""

    def connection_closed(self, connection: ClientConnection) -> None:
        """Take note that a connection has closed by itself."""

    def forward_report(self, track: InboundTrack, stream: Stream, info: rtcp.SenderInfo) -> int:
        """Send the sender report of a stream to every receiver of the stream. Return how many there are."""


class ClientConnection:
    """A connection that closes itself when its client is gone, and tells its owner and the server."""

    TICK_S = 0.05

    def __init__(
        self, connection_id: str, direction: Direction, context: WorkerContext, owner: ConnectionOwner
    ) -> None:
        """Wait for the client's checks. direction: the client's."""
        self.id = connection_id
        self.direction = direction
        self.inbound: dict[str, InboundTrack] = {}  # by id
        self.outbound: dict[int, OutboundTrack] = {}  # by SSRC
        self.closed = False
        self.resends = ResendBudget()
        self._context = context
        self._owner = owner
        self._bandwidth = _UNKNOWN_BANDWIDTH
        self._bandwidth_told = False
        self._connecting_since: float | None = None
        self._agent = context.ice.agent(self, context.clock())
        self._dtls = Dtls(context.certificate, self._agent, self._dtls_closed)
        self._keys: Keys | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._reachable = asyncio.Event()
        self._streams: dict[int, tuple[InboundTrack, Stream, bool]] = {}  # by SSRC; whether it is the stream's RTX
        self._unannounced: set[int] = set()
        self._remembered: dict[int, None] = {}  # SSRCs of no track that libsrtp knows, the oldest first
        self._arrivals = feedback.ArrivalRecorder(ROUTER_SSRC)
        self._rtcp = RtcpHandler(self, owner)
        self._ticks = 0

    def parameters(self) -> dict[str, Any]:
        """Return the members, without the id, of which mediasoup-client makes its transport (ruling R26)."""
        return {
            "iceParameters": self._agent.parameters(),
            "iceCandidates": self._context.port.candidates(),
            "dtlsParameters": {"role": "auto", "fingerprints": self._context.certificate.fingerprints()},
        }

    def connect(self, parameters: dict[str, Any]) -> bool:
        """Begin the DTLS handshake as soon as the client is reachable; False: it was begun before.

        parameters: the client's dtlsParameters.
        """
        if self._connecting is not None:
            return False
        self._connecting_since = self._context.clock()
        self._connecting = asyncio.create_task(self._connect(parameters), name="media handshake")
        return True

    async def _connect(self, parameters: dict[str, Any]) -> None:
        await self._reachable.wait()
        keys = await self._dtls.handshake(parameters, self._context.timeouts.connect)
        if self.closed:
            return
        if keys is None:
            self._give_up("dtls failed")
            return
        self._keys = keys
        self._agent.shaken_hands()
        self._context.events.emit("transportConnected", transportId=self.id)
        self._start_outbound()

    def restart_ice(self) -> dict[str, Any]:
        """Return new ICE credentials. The old path is used until the client has found a new one."""
        self._agent.restart()
        return self._agent.parameters()

    @property
    def route(self) -> tuple[Keys, Path] | None:
        """The keys and the path to the client; None: the connection is not established."""
        path = self._agent.selected
        return (self._keys, path) if self._keys is not None and path is not None else None

    def path_selected(self) -> None:
        """Take the path that leads to the client now."""
        self._reachable.set()
        for track in self.outbound.values():
            track.path_changed()
        self._start_outbound()

    def path_lost(self) -> None:
        """Send nothing until another path leads to the client."""
        for track in self.outbound.values():
            track.stop()

    def _start_outbound(self) -> None:
        now = self._context.clock()
        for track in self.outbound.values():
            track.start(now)

    def add_inbound(self, track: InboundTrack) -> None:
        """Take the packets of a track that the client sends."""
        self.inbound[track.id] = track
        for stream in track.streams:
            if stream.ssrc is not None:
                self._streams[stream.ssrc] = (track, stream, False)
            if stream.rtx_ssrc is not None:
                self._streams[stream.rtx_ssrc] = (track, stream, True)
        self._remember(*self._unannounced)
        self._unannounced.clear()

    def remove_inbound(self, track: InboundTrack) -> None:
        """Take no more packets of a track."""
        self.inbound.pop(track.id, None)
        closed = [ssrc for ssrc, entry in self._streams.items() if entry[0] is track]
        for ssrc in closed:
            del self._streams[ssrc]
        self._remember(*closed)

    def sends(self, ssrc: int) -> bool:
        """Tell whether the client already sends a stream with this SSRC."""
        return ssrc in self._streams

    def add_outbound(self, track: OutboundTrack) -> None:
        """Send a track to the client."""
        self.outbound[track.ssrc] = track
        track.start(self._context.clock())

    def remove_outbound(self, track: OutboundTrack) -> None:
        """Send a track no more."""
        track.stop()
        self.outbound.pop(track.ssrc, None)
        if self._keys is not None:
            self._keys.forget(track.ssrc)
            if track.rtx_ssrc is not None:
                self._keys.forget(track.rtx_ssrc)

    def find_stream(self, ssrc: int) -> tuple[InboundTrack, Stream] | None:
        """Return the stream that the client sends with this SSRC, and its track; None: there is none."""
        entry = self._streams.get(ssrc)
        return entry[:2] if entry is not None and not entry[2] else None

    def set_bandwidth(self, bits_per_second: float) -> None:
        """Take the client's estimate of what it can receive."""
        self._bandwidth = bits_per_second
        self._bandwidth_told = True

    def media_received(self, slot: Slot, size: int, path: Path, now: float) -> None:
        """Take a datagram of SRTP or SRTCP, which is in the slot's first `size` bytes. now: monotonic seconds."""
        keys, counters = self._keys, self._context.counters
        self.spend(1)
        if keys is None or size < 12:
            counters.rejected += 1
        elif slot.view[1] in rtp.RTCP_TYPES:
            (ssrc,) = _ssrc_at(slot.view, 4)
            packet = keys.open_rtcp(slot, size)
            if packet is None:
                counters.rejected += 1
            else:
                self._authentic(path, now)
                self._remember(ssrc)
                self._rtcp.handle(packet, now)
        else:
            self._packet(keys, slot, size, path, now)

    def _authentic(self, path: Path, now: float) -> None:
        if path is self._agent.selected:
            path.heard_at = now
        else:
            self._agent.heard(path, now)

    def _packet(self, keys: Keys, slot: Slot, size: int, path: Path, now: float) -> None:
        counters, (ssrc,) = self._context.counters, _ssrc_at(slot.view, 8)
        entry = self._streams.get(ssrc)
        if entry is None and not self._tolerates(ssrc):
            counters.unknown += 1
            return
        # Before it is decrypted, so that a flood costs little. To the client it is lost: its congestion control slows.
        if entry is not None and not entry[0].admits(size, now):
            counters.over_rate += 1
            if entry[0].tells_over_rate(now):
                self._context.events.emit("overRate", producerId=entry[0].id)
            return
        packet = keys.open(slot, size)
        header = rtp.parse(packet) if packet is not None else None
        if packet is None or header is None:
            counters.rejected += 1
            return
        self._authentic(path, now)
        counters.packets_in += 1
        counters.octets_in += size
        entry = entry or self._identify(packet, header)
        if entry is None:
            counters.unknown += 1
        else:
            self._route(*entry, packet, header, now)

    def _remember(self, *ssrcs: int) -> None:
        """Remember SSRCs whose packets libsrtp has opened. Of too many that no track explains, forget the oldest.

        libsrtp looks through all that it knows for each packet: a client with ever new ones would slow all clients.
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
        """The number of SSRCs that the connection keeps though no track explains them. It is bounded."""
        return len(self._remembered) + len(self._unannounced)

    def _tolerates(self, ssrc: int) -> bool:
        """Tell whether to open a packet whose SSRC no track has announced: its MID may name a track."""
        if ssrc in self._unannounced:
            return True
        if len(self._unannounced) >= _MAX_UNANNOUNCED_SSRCS:
            return False
        self._unannounced.add(ssrc)
        return True

    def _route(
        self, track: InboundTrack, stream: Stream, is_rtx: bool, packet: bytes, header: rtp.Header, now: float
    ) -> None:
        if track.arrival_id:
            number = rtp.extension_number(packet, header, track.arrival_id, 2)
            if number >= 0:
                self._arrivals.arrived(number, now)
        if is_rtx:
            stream.receive_rtx(packet, header, now)
        else:
            stream.receive(packet, header, now)
        self.spend(len(stream.fan_out))
        if stream.numbering.holes:
            track.request_missing(stream, now)

    def _identify(self, packet: bytes, header: rtp.Header) -> tuple[InboundTrack, Stream, bool] | None:
        for track in self.inbound.values():
            found = track.identify(packet, header)
            if found is not None:
                entry = self._streams[header.ssrc] = (track, *found)
                return entry
        return None

    def spend(self, packets: int) -> None:
        """Take packets that the client has caused off its share of the worker."""
        self._agent.share.spend(packets)

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP to the client. A connection that is not established drops it."""
        route = self.route
        sealed = route[0].seal_rtcp(packet) if route is not None else None
        if route is not None and sealed is not None:
            route[1].send(sealed)

    def tick(self, now: float) -> None:
        """Send what is due to a sender; to be called every `TICK_S` seconds. now: monotonic seconds."""
        self._ticks += 1
        for track in self.inbound.values():
            track.tick(now)
        if self._ticks % _TICKS_PER_REPORT == 0 and self._streams:
            for report in self._arrivals.reports(next(iter(self._streams))):
                self.send_rtcp(report)

    def check(self, now: float) -> None:
        """Close a connection whose time is over, or send what is due; to be called every second. now: monotonic."""
        timeouts = self._context.timeouts
        since = self._connecting_since
        if self._keys is None and since is not None and now - since > timeouts.connect:
            self._give_up("connect timeout")
            return
        if self._keys is not None and now - self._agent.last_check > timeouts.consent:
            self._give_up("consent")
            return
        self._context.counters.lost += self._rtcp.send_reports(now)
        for inbound in self.inbound.values():
            inbound.measure(now)
        share = self._bandwidth / max(1, sum(each.inbound.kind == "video" for each in self.outbound.values()))
        for outbound in self.outbound.values():
            outbound.note_bandwidth(share if self._bandwidth_told else float("inf"))
            outbound.choose_layer(share, now, told=self._bandwidth_told)

    def _dtls_closed(self) -> None:
        self._give_up("dtls closed")

    def _give_up(self, reason: str) -> None:
        if not self.closed:
            self.close()
            self._owner.connection_closed(self)
            self._context.events.emit("transportClosed", transportId=self.id, reason=reason)

    def close(self) -> None:
        """Close the connection. Its owner closes the tracks."""
        if self.closed:
            return
        self.closed = True
        if self._connecting is not None and self._connecting is not asyncio.current_task():
            self._connecting.cancel()
        closing = asyncio.create_task(self._close_dtls(), name="media close")
        self._context.closing.add(closing)
        closing.add_done_callback(self._context.closing.discard)

    async def _close_dtls(self) -> None:
        await self._dtls.close()
        self._agent.close()
        self._keys = None
