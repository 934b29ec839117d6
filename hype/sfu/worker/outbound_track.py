"""A track on its way to one client. The books of the server call it a consumer."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hype.sfu.codecs.codec import PictureNumbers, PictureShift
from hype.sfu.negotiation import ortc
from hype.sfu.worker import rtcp, rtp
from hype.sfu.worker.dtls import Keys
from hype.sfu.worker.fan_out import Receiver
from hype.sfu.worker.ice import Path
from hype.sfu.worker.inbound_track import InboundTrack
from hype.sfu.worker.layer_choice import LayerChoice
from hype.sfu.worker.resending import ResendBudget
from hype.sfu.worker.stream import Ring, Stream

__all__ = ["Client", "OutboundTrack"]

_RESEND_INTERVAL_S = 0.02
_MAX_RESENDS = 10  # of one packet
_MAX_REMEMBERED = 1024  # packets that were sent again
_MAX_SEGMENTS = 8
_NEW_REPORT_S = 0.1  # the age of a sender report from which on another one says more


class Client(Protocol):
    """The connection to the client that receives the track."""

    resends: ResendBudget

    @property
    def route(self) -> tuple[Keys, Path] | None:
        """The keys and the path to the client; None: the connection is not established."""

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP to the client. A connection that is not established drops it."""


@dataclass(slots=True)
class _Segment:
    """The packets between two pauses or layer changes. Their numbering is a mere addition."""

    stream: Stream
    receiver: Receiver
    last: int | None  # the last index; None: the segment goes on
    packets_before: int
    octets_before: int

    @property
    def newest(self) -> int:
        """Return the highest sequence number of the segment that the client may have, before wrapping."""
        last = self.last if self.last is not None else self.stream.numbering.highest
        return last + self.receiver.sequence_offset


class OutboundTrack:
    """A receiver of one of an inbound track's streams at a time. It changes streams at key frames."""

    def __init__(self, track_id: str, inbound: InboundTrack, client: Client, params: Mapping[str, Any]) -> None:
        """Begin stopped. params: of the link's `consume`.

        Raises KeyError, ValueError or TypeError when the params make no sense.
        """
        parameters = params["rtpParameters"]
        encoding = parameters["encodings"][0]
        self.id = track_id
        self.inbound = inbound
        self.ssrc = int(encoding["ssrc"])
        self.rtx_ssrc: int | None = (encoding.get("rtx") or {}).get("ssrc")
        self.paused = bool(params.get("paused"))
        self._client = client
        self._rtx_payload_type = _rtx_payload_type(parameters) if self.rtx_ssrc is not None else -1
        self._rtx_sequence = random.getrandbits(15)  # no secret
        self._tail = rtp.stamp_tail(self.ssrc, str(parameters.get("mid") or "0000"))
        self._cname = str((parameters.get("rtcp") or {}).get("cname") or inbound.cname)
        # Low, so that the receiver cannot guess a wrong roll-over count if it misses the first packets.
        self._next = random.getrandbits(14)  # no secret
        self._shown: PictureNumbers = ()  # the last picture that the client was sent of a layer
        self._segments: deque[_Segment] = deque(maxlen=_MAX_SEGMENTS)
        self._target = inbound.streams[0]
        self._choice = LayerChoice()
        self._resent: dict[int, tuple[int, float]] = {}
        self._packets = self._octets = 0
        self._earned = 0, 0  # the packets and bytes for which the budget of retransmissions has grown

    @property
    def _current(self) -> _Segment | None:
        return self._segments[-1] if self._segments and self._segments[-1].last is None else None

    def start(self, now: float) -> None:
        """Begin, or go on, with the next packet or, for video, key frame. now: monotonic seconds.

        A track that is paused, or whose client has no route, stays stopped.
        """
        if not self.paused and self._client.route is not None and self._current is None:
            self._wait_for(self._target, now)

    def stop(self) -> None:
        """Send no packet until `start`."""
        self.inbound.estimates.pop(self.id, None)
        self._end_segment()
        self._stop_waiting()

    def pause(self) -> None:
        """Send no packet until `resume`."""
        self.paused = True
        self.stop()

    def resume(self, now: float) -> None:
        """Go on. now: monotonic seconds."""
        self.paused = False
        self.start(now)

    def _stop_waiting(self) -> None:
        for stream in self.inbound.streams:
            stream.stop_waiting(self)

    def _wait_for(self, stream: Stream, now: float) -> None:
        self._stop_waiting()
        stream.wait(self)
        self.inbound.request_keyframe(stream, now)

    def begin(self, stream: Stream, index: int, timestamp: int, now: float) -> None:
        """Receive the stream from the packet with that index and timestamp on, and no other stream.

        now: monotonic seconds.
        """
        route = self._client.route
        if route is None or self.paused:
            return
        offset = self._timestamp_offset_to(stream, timestamp, now)
        self._end_segment()
        pictures = self._picture_shift_to(stream)
        receiver = Receiver(*route, self._tail, index, self._next - index, offset, pictures)
        self._segments.append(_Segment(stream, receiver, None, stream.packets, stream.octets))
        stream.fan_out.add(self.id, receiver)
        self._tell_clock(stream, now)

    def _tell_clock(self, stream: Stream, now: float) -> None:
        """Send the sender's last report, and one for this moment, so that the client plays its tracks in step at once.

        The sender's next one comes in seconds. A receiver learns a clock from two (RFC 3550 6.4.1).
        """
        if stream.report is None:
            return
        info, came_at = stream.report
        self.send_report(stream, info)
        age = now - came_at
        if age >= _NEW_REPORT_S:
            ntp = (info.ntp + int(age * (1 << 32))) & 0xFFFFFFFFFFFFFFFF
            timestamp = info.timestamp + int(age * stream.format.codec.clock_rate)
            self.send_report(stream, info._replace(ntp=ntp, timestamp=timestamp & 0xFFFFFFFF))

    def _timestamp_offset_to(self, stream: Stream, timestamp: int, now: float) -> int:
        """Return what makes the timestamps of a stream go on behind those of the present one.

        The first one, `timestamp`, is as far behind the last one sent as the packets are apart, and never before it
        (RFC 3550 5.1), however long the packets of either layer were on their way. now: monotonic seconds.
        """
        previous = self._segments[-1] if self._segments else None
        if previous is None or previous.stream is stream:
            return previous.receiver.timestamp_offset if previous is not None else 0
        apart = int((now - previous.stream.last_at) * stream.format.codec.clock_rate)
        newest = previous.stream.last_timestamp + previous.receiver.timestamp_offset
        return newest + max(1, apart) - timestamp

    def _picture_shift_to(self, stream: Stream) -> PictureShift | None:
        """Return what makes the picture that begins now follow the last one: each layer has its own numbers."""
        return None if stream.pictures is None else stream.pictures.shift_behind(self._shown)

    def _end_segment(self) -> None:
        current = self._current
        if current is None:
            return
        stream, receiver = current.stream, current.receiver
        stream.fan_out.remove(self.id)
        current.last = stream.numbering.highest
        if stream.pictures is not None:
            newest = stream.pictures.newest
            self._shown = newest if receiver.pictures is None else receiver.pictures.of_numbers(newest)
        self._next = max(self._next, current.last + receiver.sequence_offset + 1)
        self._packets += stream.packets - current.packets_before
        self._octets += stream.octets - current.octets_before

    def path_changed(self) -> None:
        """Send by the path that the client has now."""
        current, route = self._current, self._client.route
        if current is not None and route is not None:
            current.stream.fan_out.move(self.id, route[1])

    def request_keyframe(self, now: float) -> None:
        """Ask the sender for a key frame, because the client needs one. now: monotonic seconds."""
        current = self._current
        self.inbound.request_keyframe(current.stream if current is not None else self._target, now)

    def requests_left(self) -> int:
        """Return how many packets the client may ask for now, of this track and all others."""
        packets, octets = self._sent()
        self._client.resends.earn(packets - self._earned[0], octets - self._earned[1])
        self._earned = packets, octets
        return self._client.resends.numbers

    def _sent(self) -> tuple[int, int]:
        """Return the packets and the bytes of payload that the client was sent, without repetitions."""
        current = self._current
        if current is None:
            return self._packets, self._octets
        stream = current.stream
        return (
            self._packets + stream.packets - current.packets_before,
            self._octets + stream.octets - current.octets_before,
        )

    def resend(self, sequences: Sequence[int], now: float) -> None:
        """Send these packets again, as far as the router has them and did not just send them again.

        The client has a budget for it (`ResendBudget`): what is over is ignored.
        sequences: 16 bits each. now: monotonic seconds.
        """
        self.requests_left()
        for sequence in sequences[: self._client.resends.ask(len(sequences))]:
            segment, number = self._find(sequence)
            if segment is None:
                continue
            receiver = segment.receiver
            index = number - receiver.sequence_offset
            packet = segment.stream.ring.get(index)
            if packet is not None and self._may_resend(number, len(packet), now):
                segment.stream.fan_out.flush()  # the packet may wait there for its first time
                self._send_again(receiver, bytes(receiver.stamp(packet, index)), now)

    def _find(self, sequence: int) -> tuple[_Segment | None, int]:
        """Find the segment of a sequence number, and the number before wrapping."""
        current = self._current
        newest = current.newest if current is not None else self._next - 1
        number = newest + rtp.sequence_distance(sequence, newest & 0xFFFF)
        # libsrtp sees the low 16 bits only. It could take a much older packet for one that is yet to come.
        if number > newest - Ring.SIZE:
            for segment in reversed(self._segments):
                if segment.receiver.first + segment.receiver.sequence_offset <= number <= segment.newest:
                    return segment, number
        return None, 0

    def _may_resend(self, number: int, size: int, now: float) -> bool:
        times, last = self._resent.pop(number, (0, float("-inf")))
        due = times < _MAX_RESENDS and now - last >= _RESEND_INTERVAL_S
        allowed = due and self._client.resends.spend(size)
        self._resent[number] = (times + 1, now) if allowed else (times, last)
        if len(self._resent) > _MAX_REMEMBERED:
            del self._resent[next(iter(self._resent))]
        return allowed

    def _send_again(self, receiver: Receiver, packet: bytes, now: float) -> None:
        if self.rtx_ssrc is not None and self._rtx_payload_type >= 0:
            out = bytearray(len(packet) + 2)
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            sent_at = rtp.abs_send_time(now)
            rtp.write_rtx(out, packet, self._rtx_payload_type, self._rtx_sequence, self.rtx_ssrc, sent_at)
            packet = bytes(out)
        sealed = receiver.keys.seal(packet)
        if sealed is not None:
            receiver.path.send(sealed)

    def send_report(self, stream: Stream, info: rtcp.SenderInfo) -> None:
        """Send the client the sender report of a stream, if it is the stream that the client receives."""
        current = self._current
        if current is None or current.stream is not stream:
            return
        stream.fan_out.flush()  # the report counts the packets that wait there
        packets, octets = self._sent()
        own = rtcp.SenderInfo(
            self.ssrc,
            info.ntp,
            (info.timestamp + current.receiver.timestamp_offset) & 0xFFFFFFFF,
            packets & 0xFFFFFFFF,
            octets & 0xFFFFFFFF,
        )
        self._client.send_rtcp(rtcp.sender_report(own) + rtcp.source_description(self.ssrc, self._cname))

    def note_bandwidth(self, estimate: float) -> None:
        """Take note of what the client can take, so that the sender is told in time. estimate: bits per second.

        It is infinite if the client has not told one.
        """
        if self._current is not None:
            self.inbound.estimates[self.id] = estimate

    def choose_layer(self, available: float, now: float, *, told: bool = False) -> None:
        """Take the simulcast layer that `LayerChoice` finds best; to be called once a second.

        available: bits per second for this track. told: whether the client has told them. now: monotonic seconds.
        """
        live = [stream for stream in self.inbound.streams if stream.bitrate > 0]
        if len(self.inbound.streams) < 2 or not live or self.paused:
            return
        present = self._current.stream if self._current is not None else None
        best = self._choice.best(live, present, available, told, now)
        if best is present:
            self._target = best
            self._stop_waiting()
        elif best is not self._target:
            self._target = best
            if self._client.route is not None:
                self._wait_for(best, now)


def _rtx_payload_type(parameters: Mapping[str, Any]) -> int:
    return next((int(each["payloadType"]) for each in parameters["codecs"] if ortc.is_rtx(each)), -1)
