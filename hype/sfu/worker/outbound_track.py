"""One client's receiving of one producer."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from hype.sfu.codecs import vp8
from hype.sfu.worker import rtcp, rtp
from hype.sfu.worker.dtls import Keys
from hype.sfu.worker.fan_out import Leg
from hype.sfu.worker.ice import Path
from hype.sfu.worker.inbound_track import Producer
from hype.sfu.worker.stream import Ring, Stream

__all__ = ["Consumer", "Exit"]

_RESEND_EVERY_S = 0.02
_RESEND_MOST = 10
_REMEMBERED = 1024  # packets that were sent again
_STRETCHES = 8
_UPGRADE_ROOM = 1.1  # a higher layer must fit with this much to spare


class Exit(Protocol):
    """The consumer's way to its client; a transport."""

    @property
    def way(self) -> tuple[Keys, Path] | None:
        """The keys and the path; None as long as there are none."""

    def send_control(self, packet: bytes) -> None:
        """Send RTCP."""


@dataclass(slots=True)
class _Stretch:
    """Between two pauses or layer changes numbering is a mere addition."""

    stream: Stream
    leg: Leg
    last: int | None  # the last index; None: it goes on
    packets_before: int
    octets_before: int

    @property
    def newest(self) -> int:
        """Return the highest sequence number that the client may have of it, before wrapping."""
        return (self.last if self.last is not None else self.stream.numbering.highest) + self.leg.shift


class Consumer:
    """Gets one of its producer's streams at a time; changes at key frames."""

    def __init__(self, consumer_id: str, producer: Producer, exit_: Exit, parameters: Mapping[str, Any]) -> None:
        """parameters: its rtpParameters. Raises KeyError, ValueError or TypeError when they make no sense."""
        encoding = parameters["encodings"][0]
        self.id = consumer_id
        self.producer = producer
        self.exit = exit_
        self.ssrc = int(encoding["ssrc"])
        self.rtx_ssrc: int | None = (encoding.get("rtx") or {}).get("ssrc")
        self._rtx_payload_type = _rtx_payload_type(parameters) if self.rtx_ssrc is not None else -1
        self._rtx_sequence = random.getrandbits(15)  # no secret
        self._tail = rtp.stamp_tail(self.ssrc, str(parameters.get("mid") or "0000"))
        self._cname = str((parameters.get("rtcp") or {}).get("cname") or producer.cname)
        # Low, so that the receiver cannot guess a wrong roll-over count if it misses the first packets.
        self._next = random.getrandbits(14)  # no secret
        self._shown = vp8.Numbers(-1, -1)  # the last picture that the client was sent of a layer
        self.paused = False
        self._stretches: deque[_Stretch] = deque(maxlen=_STRETCHES)
        self._target = producer.streams[0]
        self._resent: dict[int, tuple[int, float]] = {}
        self._packets = self._octets = 0
        self.retransmitted = 0

    @property
    def _current(self) -> _Stretch | None:
        return self._stretches[-1] if self._stretches and self._stretches[-1].last is None else None

    def start(self, now: float) -> None:
        """Begin, or go on, as soon as there is a way to the client, with the next packet or, for video, key frame."""
        if not self.paused and self.exit.way is not None and self._current is None:
            self._await(self._target, now)

    def _cease_waiting(self) -> None:
        for stream in self.producer.streams:
            stream.waiting.pop(self.id, None)

    def _await(self, stream: Stream, now: float) -> None:
        self._cease_waiting()
        stream.waiting[self.id] = lambda index: self._begin(stream, index)
        self.producer.request_keyframe(stream, now)

    def _begin(self, stream: Stream, index: int) -> None:
        way = self.exit.way
        if way is None or self.paused:
            return
        drift = self._drift_to(stream)
        self._end()
        leg = Leg(way[0], way[1], self._tail, index, self._next - index, drift, self._pictures_of(stream))
        self._stretches.append(_Stretch(stream, leg, None, stream.packets, stream.octets))
        stream.fan.add(self.id, leg)

    def _drift_to(self, stream: Stream) -> int:
        """What to add to the stream's timestamps so that they go on where the present ones are."""
        previous = self._stretches[-1] if self._stretches else None
        if previous is None or previous.stream is stream:
            return previous.leg.drift if previous is not None else 0
        rate = stream.codec.clock_rate
        apart = int((stream.last_at - previous.stream.last_at) * rate) if stream.last_at else 0
        return previous.stream.last_timestamp + previous.leg.drift + apart - stream.last_timestamp

    def _pictures_of(self, stream: Stream) -> vp8.Numbers | None:
        """What makes the picture that begins now follow the last one: layers are numbered each on its own."""
        if stream.pictures is None:
            return None
        shift = vp8.shift_behind(self._shown, stream.pictures.present)
        return shift if any(shift) else None

    def _end(self) -> None:
        current = self._current
        if current is None:
            return
        current.stream.fan.remove(self.id)
        current.last = current.stream.numbering.highest
        if current.stream.pictures is not None:
            self._shown = vp8.shifted(current.stream.pictures.newest, current.leg.pictures or vp8.Numbers(0, 0))
        self._next = max(self._next, current.last + current.leg.shift + 1)
        self._packets += current.stream.packets - current.packets_before
        self._octets += current.stream.octets - current.octets_before

    def stop(self) -> None:
        """Send nothing until `start`."""
        self._end()
        self._cease_waiting()

    def moved(self) -> None:
        """The client is reached by another path now."""
        current, way = self._current, self.exit.way
        if current is not None and way is not None:
            current.leg.path = way[1]
            current.stream.fan.add(self.id, current.leg)

    def request_keyframe(self, now: float) -> None:
        """The client cannot go on without one."""
        current = self._current
        self.producer.request_keyframe(current.stream if current is not None else self._target, now)

    def resend(self, sequences: Sequence[int], now: float) -> None:
        """Send these packets again, as far as they are still here and were not just sent again."""
        for sequence in sequences:
            stretch, number = self._placed(sequence)
            packet = stretch.stream.ring.get(number - stretch.leg.shift) if stretch is not None else None
            if stretch is not None and packet is not None and self._may_resend(number, now):
                self._send_again(stretch.leg, bytes(stretch.leg.stamp(packet, number - stretch.leg.shift)), now)

    def _placed(self, sequence: int) -> tuple[_Stretch | None, int]:
        current = self._current
        newest = current.newest if current is not None else self._next - 1
        number = newest + rtp.sequence_distance(sequence, newest & 0xFFFF)
        # libsrtp sees the low 16 bits only. It could take a much older packet for one that is yet to come.
        if number > newest - Ring.SIZE:
            for stretch in reversed(self._stretches):
                if stretch.leg.first + stretch.leg.shift <= number <= stretch.newest:
                    return stretch, number
        return None, 0

    def _may_resend(self, number: int, now: float) -> bool:
        times, last = self._resent.pop(number, (0, float("-inf")))
        allowed = times < _RESEND_MOST and now - last >= _RESEND_EVERY_S
        self._resent[number] = (times + 1, now) if allowed else (times, last)
        if len(self._resent) > _REMEMBERED:
            del self._resent[next(iter(self._resent))]
        return allowed

    def _send_again(self, leg: Leg, packet: bytes, now: float) -> None:
        if self.rtx_ssrc is not None and self._rtx_payload_type >= 0:
            out = bytearray(len(packet) + 2)
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            sent_at = rtp.abs_send_time(now)
            rtp.write_rtx(out, packet, self._rtx_payload_type, self._rtx_sequence, self.rtx_ssrc, sent_at)
            packet = bytes(out)
        sealed = leg.keys.seal(packet)
        if sealed is not None:
            self.retransmitted += 1
            leg.path.send(sealed)

    def report(self, stream: Stream, info: rtcp.SenderInfo) -> None:
        """Tell the client what the sender says of a stream's clock."""
        current = self._current
        if current is None or current.stream is not stream:
            return
        packets = self._packets + stream.packets - current.packets_before
        octets = self._octets + stream.octets - current.octets_before
        own = rtcp.SenderInfo(
            self.ssrc,
            info.ntp,
            (info.timestamp + current.leg.drift) & 0xFFFFFFFF,
            packets & 0xFFFFFFFF,
            octets & 0xFFFFFFFF,
        )
        self.exit.send_control(rtcp.sender_report(own) + rtcp.source_description(self.ssrc, self._cname))

    def choose_layer(self, available: float, now: float) -> None:
        """Take the best simulcast layer that fits into `available` bits per second, or the lowest that is sent."""
        live = [stream for stream in self.producer.streams if stream.bitrate > 0]
        if len(self.producer.streams) < 2 or not live or self.paused:
            return
        present = self._current.stream if self._current is not None else None
        best = live[0]
        for stream in live[1:]:
            if stream.bitrate * (1.0 if stream is present else _UPGRADE_ROOM) <= available:
                best = stream
        if best is present:
            self._target = best
            self._cease_waiting()
        elif best is not self._target:
            self._target = best
            if self.exit.way is not None:
                self._await(best, now)


def _rtx_payload_type(parameters: Mapping[str, Any]) -> int:
    found = (each for each in parameters["codecs"] if each["mimeType"].lower().endswith("/rtx"))
    return next((int(each["payloadType"]) for each in found), -1)
