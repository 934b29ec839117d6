"""One RTP stream of a producer (one simulcast layer of it): what came, what is missing, and everybody who gets it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hype.sfu.codecs import vp8
from hype.sfu.worker import rtp
from hype.sfu.worker.fan_out import Fan, Outlet
from hype.sfu.worker.feedback import Reception
from hype.sfu.worker.nack import Missing
from hype.sfu.worker.numbering import Numbering
from hype.sfu.worker.rtcp import SenderInfo

__all__ = ["Codec", "Ring", "Stream"]

_KEYFRAME_EVERY_S = 0.3


@dataclass(frozen=True, slots=True)
class Codec:
    """How a producer sends, and what the router makes of it."""

    payload_type: int
    repair_payload_type: int  # of its RTX; -1: none
    routed_payload_type: int
    clock_rate: int
    video: bool
    nack: bool  # the producer answers NACKs
    extensions: dict[str, int] = field(default_factory=dict)  # its own ids


class Ring:
    """The last packets of a stream as they went out, for those who ask again."""

    SIZE = 1024

    def __init__(self) -> None:
        self._packets: list[tuple[int, bytes] | None] = [None] * self.SIZE

    def put(self, index: int, packet: bytes) -> None:
        """Keep a packet, and forget the one that is `SIZE` older."""
        self._packets[index % self.SIZE] = (index, packet)

    def get(self, index: int) -> bytes | None:
        """The packet with this index, if it is still here."""
        entry = self._packets[index % self.SIZE]
        return entry[1] if entry is not None and entry[0] == index else None


class Stream:
    """One incoming stream and its fan."""

    def __init__(self, outlet: Outlet, codec: Codec, routed_ssrc: int, element: int, element_id: int) -> None:
        """routed_ssrc: the mapping's, unique in the router.

        element, element_id: of the one header extension whose byte is passed on the router's id and the producer's
        (0: none).
        """
        self.codec = codec
        self.routed_ssrc = routed_ssrc
        self.ssrc: int | None = None  # None: not heard of yet (simulcast by rid)
        self.repair_ssrc: int | None = None
        self.ring = Ring()
        self.fan = Fan(outlet)
        self.numbering = Numbering()
        self.missing = Missing(self.numbering)
        self.reception: Reception | None = None
        self.on_report: Callable[[Stream, SenderInfo], None] | None = None
        self.pictures: vp8.Pictures | None = None  # followed for those who come from another layer
        self.paused = False
        self.packets = self.octets = 0
        self.last_timestamp, self.last_at = 0, 0.0
        self.bitrate = 0.0
        self._measured, self._measured_at = 0, 0.0
        self._element, self._element_id = element, element_id
        self._keyframe_asked_at = float("-inf")
        self.keyframe_wanted = False
        self.on_level: Callable[[int, float], None] | None = None
        self.waiting: dict[object, Callable[[int], None]] = {}  # called when they may begin, with that packet's index

    def bind(self, ssrc: int) -> None:
        """The producer sends this stream with that SSRC."""
        self.ssrc = ssrc
        self.reception = Reception(ssrc, self.codec.clock_rate)

    def receive(self, packet: bytes, header: rtp.Header, now: float) -> None:
        """Forward a packet of the stream itself, if it is new or still missing. now: monotonic seconds."""
        if header.payload_type != self.codec.payload_type:
            return
        if self.reception is not None:
            self.reception.arrived(header.sequence, header.timestamp, now)
        numbering = self.numbering
        if self.paused or header.end == header.payload:
            numbering.skip(header.sequence, now)
            return
        index = numbering.number(header.sequence, now)
        if index is not None and index > numbering.highest - Ring.SIZE:
            self._send(packet, header, index, now)

    def repaired(self, packet: bytes, header: rtp.Header, now: float) -> None:
        """Forward the packet that a packet of its RTX stream repeats, if that is still missing.

        The client chooses the original sequence number, and the replay protection of SRTP does not cover it. So it
        fills an open hole, or it counts for nothing: a repetition of a packet that arrived is a bandwidth probe.
        """
        if header.payload_type != self.codec.repair_payload_type or self.ssrc is None or not self.numbering.holes:
            return
        original = rtp.unwrap_rtx(packet, header, self.codec.payload_type, self.ssrc)
        again = rtp.parse(original) if original is not None else None
        if original is None or again is None:
            return
        if again.end == again.payload:
            self.numbering.close(again.sequence)
            return
        index = self.numbering.fill(again.sequence)
        if index is not None and index > self.numbering.highest - Ring.SIZE:
            self._send(original, again, index, now)

    def _send(self, packet: bytes, header: rtp.Header, index: int, now: float) -> None:
        value = rtp.extension_number(packet, header, self._element_id, 1) if self._element_id else -1
        if value >= 0 and self.on_level is not None:
            self.on_level(value, now)
        if self.pictures is not None:
            self.pictures.note(packet, header.payload, header.end)
        if self.waiting and self._may_begin(packet, header, index):
            self._release(index)
        element = self._element if value >= 0 else 0
        head = rtp.outgoing_header(header, self.codec.routed_payload_type, rtp.abs_send_time(now), element, value)
        routed = head + packet[header.payload : header.end]
        self.ring.put(index, routed)
        self.packets += 1
        self.octets += header.end - header.payload
        if index == self.numbering.highest:
            self.last_timestamp, self.last_at = header.timestamp, now
        self.fan.send(routed, index, header.timestamp)

    def _may_begin(self, packet: bytes, header: rtp.Header, index: int) -> bool:
        if self.codec.video:
            return vp8.is_keyframe(packet, header.payload, header.end)
        return index == self.numbering.highest

    def _release(self, index: int) -> None:
        self.keyframe_wanted = False
        waiting, self.waiting = self.waiting, {}
        for begin in waiting.values():
            begin(index)

    def pause(self) -> None:
        """Forward nothing; receivers see no hole when it goes on."""
        self.paused = True
        self.numbering.pause()

    def resume(self) -> None:
        """Forward again."""
        self.paused = False

    def may_ask_keyframe(self, now: float) -> bool:
        """Whether to ask for a key frame now: at most one request every 300 ms, the others are remembered."""
        self.keyframe_wanted = True
        if self.ssrc is None or now - self._keyframe_asked_at < _KEYFRAME_EVERY_S:
            return False
        self._keyframe_asked_at = now
        self.keyframe_wanted = bool(self.waiting)  # asked again until it comes
        return True

    def measure(self, now: float) -> None:
        """Learn the bit rate since the last call, about a second ago."""
        if self._measured_at and now > self._measured_at:
            self.bitrate = (self.octets - self._measured) * 8 / (now - self._measured_at)
        self._measured, self._measured_at = self.octets, now
