"""A track that a client sends: a voice, a camera or a screen. The books of the server call it a producer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from hype.sfu import codecs
from hype.sfu.negotiation import extensions, ortc
from hype.sfu.worker import rtcp, rtp
from hype.sfu.worker.levels import SpeechDetector
from hype.sfu.worker.outgoing import OutgoingSocket
from hype.sfu.worker.sender_cap import SenderCap
from hype.sfu.worker.stream import Format, Stream

__all__ = ["InboundTrack", "RtcpSender", "SpeechListener"]

Params = Mapping[str, Any]

_BURST_S = 1.0
_TOLD_AGAIN_S = 10.0
_MISSED_SECONDS = 2
_NACKED_AT_ONCE = 250  # sequence numbers, which fit into one datagram however far apart they are

# The header extension of one byte that goes on to receivers: its URI and the router's id, by the kind of the track.
_PASSED_ON = {
    "audio": (extensions.AUDIO_LEVEL, extensions.AUDIO_LEVEL_ID),
    "video": (extensions.VIDEO_ORIENTATION, extensions.VIDEO_ORIENTATION_ID),
}


class RtcpSender(Protocol):
    """The connection to a client, as a track sees it."""

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP to the client. A connection that is not established drops it."""


class SpeechListener(Protocol):
    """The router of a track."""

    def speaking_changed(self, track_id: str, speaking: bool) -> None:
        """Take note that the speaker of a track begins or ends speaking (ruling R40)."""


class InboundTrack:
    """The streams of a track, which is one, or one per simulcast layer, lowest first."""

    def __init__(
        self,
        track_id: str,
        params: Params,
        client: RtcpSender,
        listener: SpeechListener,
        socket: OutgoingSocket,
    ) -> None:
        """Begin without a packet. params: of the link's `produce`. client: sends the track.

        Raises KeyError, ValueError or TypeError when the params make no sense.
        """
        self.id = track_id
        self.kind = str(params["kind"])
        parameters = params["rtpParameters"]
        self._format = _format(self.kind, parameters, params["rtpMapping"])
        feedback = _sent(parameters, params["rtpMapping"]).get("rtcpFeedback") or []
        self._fir_only = not _has(feedback, "nack", "pli") and _has(feedback, "ccm", "fir")
        # The client's id of the extension with the transport-wide number; 0: the client wants no feedback on it.
        number_id = self._format.extensions.get(extensions.TRANSPORT_CC, 0)
        self.arrival_id = number_id if _has(feedback, "transport-cc", "") else 0
        self.cname = str((parameters.get("rtcp") or {}).get("cname") or "hype")
        self.paused = False
        self._mid: str | None = parameters.get("mid")
        self._client = client
        self._listener = listener
        self._speech = SpeechDetector()
        self._commands = 0  # FIRs
        most = params.get("bitsPerSecond")
        self._seconds_per_byte = 8 / most if most else 0.0
        self._within_rate_at = 0.0  # the moment when what came so far has come at no more than that rate
        self._over_rate_told_at = float("-inf")
        self._by_rid: dict[str, Stream] = {}
        self.streams = self._streams(parameters, socket)
        self.estimates: dict[str, float] = {}  # bits per second that receivers can take, by the outbound track's id
        self._cap = SenderCap()
        self._missed = [0] * len(self.streams)  # seconds in which other layers came
        if params.get("paused"):
            self.pause()

    def _streams(self, parameters: Params, socket: OutgoingSocket) -> list[Stream]:
        encodings = parameters.get("encodings") or [{}]
        streams = []
        for encoding in encodings:
            stream = Stream(
                self._format,
                socket,
                levels=self if self.kind == "audio" else None,
                pictures=self._format.codec.pictures() if len(encodings) > 1 else None,
            )
            if encoding.get("ssrc") is not None:
                stream.bind(int(encoding["ssrc"]))
                if encoding.get("rtx"):
                    stream.bind_rtx(encoding["rtx"]["ssrc"])
            if encoding.get("rid"):
                self._by_rid[encoding["rid"]] = stream
            streams.append(stream)
        return streams

    def admits(self, size: int, now: float) -> bool:
        """Return whether to take a datagram; False where the track is over its bit rate (amendment A13).

        What comes within a second may come at once. size: in bytes. now: monotonic seconds.
        """
        within_at = max(now, self._within_rate_at) + size * self._seconds_per_byte
        if within_at > now + _BURST_S:
            return False
        self._within_rate_at = within_at
        return True

    def tells_over_rate(self, now: float) -> bool:
        """Return whether to tell now that the track is over its bit rate: once in 10 s. now: monotonic seconds."""
        if now - self._over_rate_told_at < _TOLD_AGAIN_S:
            return False
        self._over_rate_told_at = now
        return True

    def pause(self) -> None:
        """Forward no packet until `resume`. Speech ends with it: what is loud later begins it anew."""
        self.paused = True
        if self._speech.stop():
            self._listener.speaking_changed(self.id, False)
        for stream in self.streams:
            stream.pause()

    def resume(self, now: float) -> None:
        """Forward packets again; video begins with a key frame. now: monotonic seconds."""
        self.paused = False
        for stream in self.streams:
            stream.resume()
            if stream.wanted:
                self.request_keyframe(stream, now)

    def request_keyframe(self, stream: Stream, now: float) -> None:
        """Ask the client for a key frame, if it was not asked a moment ago. now: monotonic seconds."""
        if not self._format.codec.needs_keyframe or not stream.may_request_keyframe(now):
            return
        ssrc = stream.ssrc or 0
        if self._fir_only:
            self._commands = (self._commands + 1) & 0xFF
            self._client.send_rtcp(rtcp.fir(ortc.ROUTER_SSRC, ssrc, self._commands))
        else:
            self._client.send_rtcp(rtcp.pli(ortc.ROUTER_SSRC, ssrc))

    def request_missing(self, stream: Stream, now: float) -> None:
        """Ask the client for the missing packets of a stream that are due. now: monotonic seconds."""
        due = stream.nacks.due(now)
        if due and self._format.nack and not self.paused:
            for at in range(0, len(due), _NACKED_AT_ONCE):
                some = due[at : at + _NACKED_AT_ONCE]
                self._client.send_rtcp(rtcp.nack(ortc.ROUTER_SSRC, stream.ssrc or 0, some))
        if stream.numbering.take_given_up() and not self.paused:
            self.request_keyframe(stream, now)

    def identify(self, packet: bytes, header: rtp.Header) -> tuple[Stream, bool] | None:
        """Find the stream of a packet with an unknown SSRC, and bind the SSRC to it.

        Returns the stream and whether the packet is of its RTX; None: the packet is not of this track.
        """
        ids = self._format.extensions
        if not self._has_mid_of(packet, header, ids.get(extensions.MID, 0)):
            return None
        if header.payload_type in self._format.payload_types:
            stream = self._with_rid_of(packet, header, ids.get(extensions.RID, 0))
            if stream is None or stream.ssrc is not None:
                return None
            stream.bind(header.ssrc)
            return stream, False
        if header.payload_type in self._format.rtx_payload_types:
            stream = self._with_rid_of(packet, header, ids.get(extensions.REPAIRED_RID, 0))
            if stream is None or stream.rtx_ssrc is not None:
                return None
            stream.bind_rtx(header.ssrc)
            return stream, True
        return None

    def _has_mid_of(self, packet: bytes, header: rtp.Header, mid_id: int) -> bool:
        mid = rtp.extension_text(packet, header, mid_id) if mid_id else None
        return mid is None or self._mid is None or mid == self._mid

    def _with_rid_of(self, packet: bytes, header: rtp.Header, rid_id: int) -> Stream | None:
        rid = rtp.extension_text(packet, header, rid_id) if rid_id else None
        if rid is not None and self._by_rid:
            return self._by_rid.get(rid)
        return self.streams[0] if len(self.streams) == 1 and not self._by_rid else None

    def level_received(self, level: int, now: float) -> None:
        """Take the audio level of a packet that is forwarded. now: monotonic seconds."""
        if self._speech.heard(level, now):
            self._listener.speaking_changed(self.id, True)

    def measure(self, now: float) -> None:
        """Compute the bit rates of the layers; to be called once a second. now: monotonic seconds.

        A layer has none when it misses two of the seconds in which other layers came. One may be a coincidence: the
        layers of a picture come one after the other, and a slow camera has a picture in seconds.
        """
        came = [stream.measure(now) for stream in self.streams]
        if not any(came):
            return
        for at, stream in enumerate(self.streams):
            self._missed[at] = 0 if came[at] else self._missed[at] + 1
            if self._missed[at] >= _MISSED_SECONDS:
                stream.bitrate = 0.0

    def cap(self, now: float) -> float | None:
        """Return the bits per second that the sender is to stay below, or None; to be called once a second.

        A sender of several layers is not told: its receivers take the layers that fit. now: monotonic seconds.
        """
        if self.kind != "video" or len(self.streams) > 1 or self.paused:
            return None
        return self._cap.update(max(self.estimates.values(), default=float("inf")), self.streams[0].bitrate, now)

    def tick(self, now: float) -> None:
        """Do what is due; to be called every 50 ms or so. now: monotonic seconds."""
        if self._speech.ended(now):
            self._listener.speaking_changed(self.id, False)
        for stream in self.streams:
            if stream.numbering.holes:
                self.request_missing(stream, now)
            if stream.keyframe_wanted and not self.paused:
                self.request_keyframe(stream, now)


def _sent(parameters: Params, mapping: Params) -> dict[str, Any]:
    """Return the client's description of the codec that it sends: of several, the first one of the mapping."""
    payload_type = mapping["codecs"][0]["payloadType"]
    return next(dict(each) for each in parameters["codecs"] if each["payloadType"] == payload_type)


def _format(kind: str, parameters: Params, mapping: Params) -> Format:
    routed = {int(each["payloadType"]): int(each["mappedPayloadType"]) for each in mapping["codecs"]}
    payload_type = next(iter(routed))
    codec = codecs.of_payload_type(routed[payload_type])
    ids = ortc.extension_ids(dict(parameters))
    uri, element = _PASSED_ON[kind]
    return Format(
        codec=codec,
        payload_type=payload_type,
        payload_types=frozenset(each for each in routed if routed[each] == codec.payload_type),
        rtx_payload_types=frozenset(each for each in routed if routed[each] == codec.rtx_payload_type),
        nack=_has(_sent(parameters, mapping).get("rtcpFeedback") or [], "nack", ""),
        element=(element, ids.get(uri, 0)),
        extensions=ids,
    )


def _has(feedback: list[dict[str, str]], kind: str, parameter: str) -> bool:
    return any(each.get("type") == kind and (each.get("parameter") or "") == parameter for each in feedback)
