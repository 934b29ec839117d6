"""An RTP stream of an inbound track, which is a layer of its simulcast: the numbering, the packets, the receivers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from hype.sfu.codecs.codec import Codec, Pictures
from hype.sfu.worker import rtp
from hype.sfu.worker.fan_out import FanOut
from hype.sfu.worker.feedback import Reception
from hype.sfu.worker.nack import NackSchedule
from hype.sfu.worker.numbering import Numbering
from hype.sfu.worker.outgoing import Arena, OutgoingSocket
from hype.sfu.worker.rtcp import SenderInfo

__all__ = ["Format", "LevelListener", "Ring", "Stream", "Subscriber"]

_KEYFRAME_INTERVAL_S = 0.3
_MAX_MEASURED_S = 5.0
_MAX_PAYLOAD = Arena.MAX_PACKET - rtp.HEADER_SIZE


@dataclass(frozen=True, slots=True)
class Format:
    """The format in which a client sends a track.

    payload_types: those that the client may send, of which payload_type is one. rtx_payload_types: those of their RTX.
    extensions: the client's ids of header extensions by URI. element: the header extension of one byte that is passed
    on, by the router's id and the client's (0: there is none). nack: whether the client answers NACKs.
    """

    codec: Codec
    payload_type: int
    payload_types: frozenset[int]
    rtx_payload_types: frozenset[int]
    nack: bool
    element: tuple[int, int]
    extensions: dict[str, int] = field(default_factory=dict)


class LevelListener(Protocol):
    """A track of sound, as its stream sees it."""

    def level_received(self, level: int, now: float) -> None:
        """Take the audio level of a packet, as RFC 6464 has it. now: monotonic seconds."""


class Subscriber(Protocol):
    """An outbound track, as the stream that it waits for sees it."""

    id: str

    def begin(self, stream: Stream, index: int, timestamp: int, now: float) -> None:
        """Receive the stream from the packet with that index and timestamp on. now: monotonic seconds."""


class Ring:
    """The last packets of a stream as they went out, for receivers that ask for them again."""

    SIZE = 1024

    def __init__(self) -> None:
        self._packets: list[tuple[int, bytes] | None] = [None] * self.SIZE

    def put(self, index: int, packet: bytes) -> None:
        """Keep a packet, and forget the one that is `SIZE` older."""
        self._packets[index % self.SIZE] = (index, packet)

    def get(self, index: int) -> bytes | None:
        """Return the packet with that index; None: the ring has it no more, or never had it."""
        entry = self._packets[index % self.SIZE]
        return entry[1] if entry is not None and entry[0] == index else None


class Stream:
    """An incoming stream. The router learns its SSRC from the client's parameters or from its first packet."""

    def __init__(
        self, form: Format, socket: OutgoingSocket, *, levels: LevelListener | None, pictures: Pictures | None
    ) -> None:
        """Begin without a packet.

        socket: carries the packets to receivers. levels: takes the audio level of each packet that is forwarded.
        pictures: follows the stream for receivers that come from another layer.
        """
        self.format = form
        self.ssrc: int | None = None  # None: no packet has come yet (simulcast by rid)
        self.rtx_ssrc: int | None = None
        self.ring = Ring()
        self.fan_out = FanOut(socket)
        self.numbering = Numbering()
        self.nacks = NackSchedule(self.numbering)
        self.reception: Reception | None = None
        self.report: tuple[SenderInfo, float] | None = None  # the sender's last one, and when it came
        self.pictures = pictures
        self.paused = False
        self.packets = self.octets = 0
        self.last_timestamp, self.last_at = 0, 0.0
        self.bitrate = 0.0  # bits per second; 0: the client does not send this layer
        self.keyframe_wanted = False
        self._levels = levels
        self._socket = socket
        self._payload_types = form.payload_types
        self._routed_payload_type = form.codec.payload_type
        self._element, self._element_id = form.element
        self._measured, self._measured_at = 0, 0.0
        self._keyframe_requested_at = float("-inf")
        self._waiting: dict[str, Subscriber] = {}  # by id

    def bind(self, ssrc: int) -> None:
        """Take the client's SSRC of this stream."""
        self.ssrc = ssrc
        self.report = None
        self.reception = Reception(ssrc, self.format.codec.clock_rate)

    def bind_rtx(self, ssrc: int) -> None:
        """Take the client's SSRC of the stream that retransmits this one (RFC 4588)."""
        self.rtx_ssrc = ssrc

    def receive(self, packet: bytes, header: rtp.Header, now: float) -> None:
        """Forward a packet of the stream itself, if it is new or still missing. now: monotonic seconds."""
        if self.reception is not None:
            self.reception.arrived(header.sequence, header.timestamp, now)
        numbering = self.numbering
        if self.paused or header.end == header.payload or header.payload_type not in self._payload_types:
            self._skip(header, now)
            return
        if self._is_oversized(header):
            self._skip(header, now)
            return
        index = numbering.number(header.sequence, now)
        if index is not None and index > numbering.highest - Ring.SIZE:
            self._send(packet, header, index, now)

    def receive_rtx(self, packet: bytes, header: rtp.Header, now: float) -> None:
        """Forward the packet that an RTX packet repeats, if it is still missing. now: monotonic seconds.

        The client chooses the original sequence number, and the replay protection of SRTP does not cover it. So the
        packet fills an open hole or is dropped: a repetition of a packet that arrived is a bandwidth probe.
        """
        if header.payload_type not in self.format.rtx_payload_types or self.ssrc is None or not self.numbering.holes:
            return
        original = rtp.unwrap_rtx(packet, header, self.format.payload_type, self.ssrc)
        again = rtp.parse(original) if original is not None else None
        if original is None or again is None:
            return
        index = self.numbering.fill(again.sequence)
        if again.end == again.payload or self._is_oversized(again):
            self._fill_empty(again, index, now)
        elif index is not None and index > self.numbering.highest - Ring.SIZE:
            self._send(original, again, index, now)

    def _skip(self, header: rtp.Header, now: float) -> None:
        """Forward no packet, or padding where receivers wait for a packet that came late and cannot be forwarded."""
        self._fill_empty(header, self.numbering.skip(header.sequence, now), now)

    def _fill_empty(self, header: rtp.Header, index: int | None, now: float) -> None:
        """Send padding under an index that receivers miss, if there is one: else they would ask for it in vain."""
        if index is None or index <= self.numbering.highest - Ring.SIZE:
            return
        routed = rtp.outgoing_padding(header, self._routed_payload_type, rtp.abs_send_time(now))
        self._forward(routed, header, index, 0, now)

    def _is_oversized(self, header: rtp.Header) -> bool:
        """Tell whether a packet is too large to be sent on, and count it. It must not take a new index."""
        oversized = header.end - header.payload > _MAX_PAYLOAD
        self._socket.oversized += oversized
        return oversized

    def _send(self, packet: bytes, header: rtp.Header, index: int, now: float) -> None:
        value = rtp.extension_number(packet, header, self._element_id, 1) if self._element_id else -1
        if value >= 0 and self._levels is not None:
            self._levels.level_received(value, now)
        if self.pictures is not None:
            self.pictures.note(packet, header.payload, header.end)
        if self._waiting and self._may_begin(packet, header, index):
            self._begin_waiting(index, header.timestamp, now)
        element = self._element if value >= 0 else 0
        head = rtp.outgoing_header(header, self._routed_payload_type, rtp.abs_send_time(now), element, value)
        routed = head + packet[header.payload : header.end]
        self._forward(routed, header, index, header.end - header.payload, now)

    def _forward(self, routed: bytes, header: rtp.Header, index: int, octets: int, now: float) -> None:
        self.ring.put(index, routed)
        self.packets += 1
        self.octets += octets
        if index == self.numbering.highest:
            self.last_timestamp, self.last_at = header.timestamp, now
        self.fan_out.send(routed, index, header.timestamp)

    def wait(self, subscriber: Subscriber) -> None:
        """Have the subscriber begin with the next packet, or with the next key frame where the codec needs one."""
        self._waiting[subscriber.id] = subscriber

    def stop_waiting(self, subscriber: Subscriber) -> None:
        """Have the subscriber not begin, if it waits."""
        self._waiting.pop(subscriber.id, None)

    @property
    def wanted(self) -> bool:
        """Whether the stream has a receiver or a subscriber that waits."""
        return bool(self.fan_out or self._waiting)

    def _may_begin(self, packet: bytes, header: rtp.Header, index: int) -> bool:
        codec = self.format.codec
        if codec.needs_keyframe:
            return codec.is_keyframe(packet, header.payload, header.end)
        return index == self.numbering.highest

    def _begin_waiting(self, index: int, timestamp: int, now: float) -> None:
        self.keyframe_wanted = False
        waiting, self._waiting = self._waiting, {}
        for subscriber in waiting.values():
            subscriber.begin(self, index, timestamp, now)

    def pause(self) -> None:
        """Forward no packet. Receivers see no hole when the stream goes on."""
        self.paused = True
        self.numbering.pause()

    def resume(self) -> None:
        """Forward packets again."""
        self.paused = False

    def may_request_keyframe(self, now: float) -> bool:
        """Tell whether to request a key frame now: at most every 300 ms; a request that has to wait is remembered.

        now: monotonic seconds.
        """
        self.keyframe_wanted = True
        if self.ssrc is None or now - self._keyframe_requested_at < _KEYFRAME_INTERVAL_S:
            return False
        self._keyframe_requested_at = now
        self.keyframe_wanted = bool(self._waiting)  # requested again until it comes
        return True

    def measure(self, now: float) -> bool:
        """Compute the bit rate since the last call that returned True; to be called once a second.

        Returns whether a packet has come since. Without one the rate stays, as a slow camera sends none for seconds.
        now: monotonic seconds.
        """
        if self.octets == self._measured:
            return False
        if self._measured_at and now > self._measured_at:
            self.bitrate = (self.octets - self._measured) * 8 / min(now - self._measured_at, _MAX_MEASURED_S)
        self._measured, self._measured_at = self.octets, now
        return True
