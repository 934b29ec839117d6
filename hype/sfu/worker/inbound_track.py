"""One thing that one client sends: a voice, a camera, a screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from hype.sfu.codecs import vp8
from hype.sfu.negotiation import extensions, ortc
from hype.sfu.worker import rtcp, rtp
from hype.sfu.worker.fan_out import Outlet
from hype.sfu.worker.levels import Speaking
from hype.sfu.worker.stream import Codec, Stream

__all__ = ["ROUTER_SSRC", "Producer"]

ROUTER_SSRC = 1  # whom the router's own RTCP comes from

SendControl = Callable[[bytes], None]
OnSpeaking = Callable[[str, bool], None]


class Producer:
    """A producer's streams: one, or one per simulcast layer, lowest first."""

    def __init__(
        self, producer_id: str, kind: str, params: Mapping[str, Any], outlet: Outlet, on_speaking: OnSpeaking
    ) -> None:
        """params: those of the link's `produce`. Raises KeyError, ValueError or TypeError when they make no sense."""
        self.id = producer_id
        self.kind = kind
        parameters, mapping = params["rtpParameters"], params["rtpMapping"]
        self._codec = _codec(kind, parameters, mapping)
        feedback = parameters["codecs"][0].get("rtcpFeedback") or []
        self._fir_only = not _has(feedback, "nack", "pli") and _has(feedback, "ccm", "fir")
        # What the producer calls the extension with the transport-wide number; 0: it wants no feedback on them.
        self.arrival_id = (
            self._codec.extensions.get(extensions.TRANSPORT_CC, 0) if _has(feedback, "transport-cc", "") else 0
        )
        self.mid: str | None = parameters.get("mid")
        self.cname = str((parameters.get("rtcp") or {}).get("cname") or "hype")
        self.streams: list[Stream] = []
        self.by_rid: dict[str, Stream] = {}
        self.paused = False
        self.closed = False
        self.send_control: SendControl = _nowhere
        self._speaking = Speaking()
        self._on_speaking = on_speaking
        self._commands = 0
        self._add_streams(parameters, mapping, outlet)
        if params.get("paused"):
            self.pause()

    def _add_streams(self, parameters: Mapping[str, Any], mapping: Mapping[str, Any], outlet: Outlet) -> None:
        uri, element = _PASSED_ON[self.kind]
        element_id = self._codec.extensions.get(uri, 0)
        sent = parameters.get("encodings") or [{}]
        layered_vp8 = len(sent) > 1 and parameters["codecs"][0]["mimeType"].lower() == "video/vp8"
        for encoding, mapped in zip(sent, mapping["encodings"], strict=False):
            stream = Stream(outlet, self._codec, int(mapped["mappedSsrc"]), element, element_id)
            if encoding.get("ssrc") is not None:
                stream.bind(int(encoding["ssrc"]))
                stream.repair_ssrc = (encoding.get("rtx") or {}).get("ssrc")
            if encoding.get("rid"):
                self.by_rid[encoding["rid"]] = stream
            if self.kind == "audio":
                stream.on_level = self._heard
            if layered_vp8:
                stream.pictures = vp8.Pictures()
            self.streams.append(stream)

    def pause(self) -> None:
        """Forward nothing more, until `resume`."""
        self.paused = True
        for stream in self.streams:
            stream.pause()

    def resume(self, now: float) -> None:
        """Forward again; video begins with a key frame."""
        self.paused = False
        for stream in self.streams:
            stream.resume()
            if stream.fan or stream.waiting:
                self.request_keyframe(stream, now)

    def request_keyframe(self, stream: Stream, now: float) -> None:
        """Ask the sender for a key frame, if it was not asked a moment ago."""
        if self.kind != "video" or not stream.may_ask_keyframe(now):
            return
        ssrc = stream.ssrc or 0
        if self._fir_only:
            self._commands = (self._commands + 1) & 0xFF
            self.send_control(rtcp.fir(ROUTER_SSRC, ssrc, self._commands))
        else:
            self.send_control(rtcp.pli(ROUTER_SSRC, ssrc))

    def ask_missing(self, stream: Stream, now: float) -> None:
        """Ask for what is missing of one of the streams, as far as it is time to."""
        asked = stream.missing.due(now)
        if asked and self._codec.nack and not self.paused:
            self.send_control(rtcp.nack(ROUTER_SSRC, stream.ssrc or 0, asked))
        if stream.missing.take_hopeless() and not self.paused:
            self.request_keyframe(stream, now)

    def identify(self, packet: bytes, header: rtp.Header) -> tuple[Stream, bool] | None:
        """The stream that a packet with an unknown SSRC belongs to, and whether it repairs it; binds the SSRC."""
        ids = self._codec.extensions
        if not self._is_ours(packet, header, ids.get(extensions.MID, 0)):
            return None
        if header.payload_type == self._codec.payload_type:
            stream = self._find(packet, header, ids.get(extensions.RID, 0))
            if stream is None or stream.ssrc is not None:
                return None
            stream.bind(header.ssrc)
            return stream, False
        if header.payload_type == self._codec.repair_payload_type:
            stream = self._find(packet, header, ids.get(extensions.REPAIRED_RID, 0))
            if stream is None or stream.repair_ssrc is not None:
                return None
            stream.repair_ssrc = header.ssrc
            return stream, True
        return None

    def _is_ours(self, packet: bytes, header: rtp.Header, mid_id: int) -> bool:
        mid = rtp.extension_text(packet, header, mid_id) if mid_id else None
        return mid is None or self.mid is None or mid == self.mid

    def _find(self, packet: bytes, header: rtp.Header, rid_id: int) -> Stream | None:
        rid = rtp.extension_text(packet, header, rid_id) if rid_id else None
        if rid is not None and self.by_rid:
            return self.by_rid.get(rid)
        return self.streams[0] if len(self.streams) == 1 and not self.by_rid else None

    def _heard(self, level: int, now: float) -> None:
        if self._speaking.heard(level, now):
            self._on_speaking(self.id, True)

    def tick(self, now: float) -> None:
        """To be called every 50 ms or so."""
        if self._speaking.lapsed(now) is False:
            self._on_speaking(self.id, False)
        for stream in self.streams:
            if stream.numbering.holes:
                self.ask_missing(stream, now)
            if stream.keyframe_wanted and not self.paused:
                self.request_keyframe(stream, now)


_PASSED_ON = {
    "audio": (extensions.AUDIO_LEVEL, extensions.AUDIO_LEVEL_ID),
    "video": (extensions.VIDEO_ORIENTATION, extensions.VIDEO_ORIENTATION_ID),
}


def _codec(kind: str, parameters: Mapping[str, Any], mapping: Mapping[str, Any]) -> Codec:
    codec = parameters["codecs"][0]
    routed = {each["payloadType"]: each["mappedPayloadType"] for each in mapping["codecs"]}
    payload_type = int(codec["payloadType"])
    repair = next(
        (
            int(each["payloadType"])
            for each in parameters["codecs"]
            if each["mimeType"].lower().endswith("/rtx") and (each.get("parameters") or {}).get("apt") == payload_type
        ),
        -1,
    )
    return Codec(
        payload_type=payload_type,
        repair_payload_type=repair,
        routed_payload_type=int(routed[payload_type]),
        clock_rate=int(codec["clockRate"]),
        video=kind == "video",
        nack=_has(codec.get("rtcpFeedback") or [], "nack", ""),
        extensions=ortc.extension_ids(dict(parameters)),
    )


def _has(feedback: list[dict[str, str]], kind: str, parameter: str) -> bool:
    return any(each.get("type") == kind and (each.get("parameter") or "") == parameter for each in feedback)


def _nowhere(_packet: bytes) -> None:
    """Until the producer's transport takes it."""
