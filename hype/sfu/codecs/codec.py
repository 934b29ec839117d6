"""The questions that the router asks of a codec. Each codec answers them in a file of its own, beside this one.

The negotiation takes from it what the router offers, the worker how packets are read. Media is never decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

__all__ = [
    "TRANSPORT_CC",
    "VIDEO_FEEDBACK",
    "Buffer",
    "Codec",
    "Feedback",
    "PictureNumbers",
    "PictureShift",
    "Pictures",
]

Buffer: TypeAlias = bytes | bytearray | memoryview
Json: TypeAlias = dict[str, Any]
Feedback: TypeAlias = tuple[str, str]
"""A kind of RTCP feedback: its type and its parameter (`""`: none)."""

PictureNumbers: TypeAlias = tuple[int, ...]
"""The numbers by which receivers tell pictures apart, as the codec has them. Empty: none."""

TRANSPORT_CC: Feedback = ("transport-cc", "")
NACK, PLI, FIR, REMB = ("nack", ""), ("nack", "pli"), ("ccm", "fir"), ("goog-remb", "")
VIDEO_FEEDBACK: tuple[Feedback, ...] = (NACK, PLI, FIR, REMB, TRANSPORT_CC)
"""The feedback that the router honours for every codec of video (ruling R25)."""


class PictureShift(Protocol):
    """A number that is added to each number of a picture. Shifts that add the same are equal, and have one hash."""

    def of_numbers(self, numbers: PictureNumbers) -> PictureNumbers:
        """Return the numbers, shifted."""
        ...

    def of_packet(self, packet: bytes, payload: int) -> bytes:
        """Return the packet, whose payload begins at offset `payload`, with its numbers shifted."""
        ...


class Pictures(Protocol):
    """A follower of the pictures of one stream, which is a layer of simulcast."""

    @property
    def newest(self) -> PictureNumbers:
        """The highest numbers of all packets that were noted."""
        ...

    def note(self, packet: Buffer, payload: int, end: int) -> None:
        """Note a packet of the stream, whose payload is at `payload`..`end`."""

    def shift_behind(self, shown: PictureNumbers) -> PictureShift | None:
        """Return the shift that makes the picture of the last packet the successor of `shown`; None: no shift."""
        ...


@dataclass(frozen=True)
class Codec:
    """A codec as the router forwards it.

    payload_type, rtx_payload_type: the router's own (RFC 3551, RFC 4588), unique among its codecs; None: the codec is
    not retransmitted. clock_rate: timestamp units per second. parameters: the settings that the router offers (`fmtp`).
    """

    kind: Literal["audio", "video"]
    mime_type: str
    payload_type: int
    clock_rate: int
    feedback: tuple[Feedback, ...]
    channels: int | None = None
    rtx_payload_type: int | None = None
    parameters: Mapping[str, str | int] = field(default_factory=dict)

    needs_keyframe: ClassVar[bool] = False
    """Whether a receiver can begin at a key frame only."""

    def accepts(self, description: Mapping[str, Any]) -> bool:
        """Tell whether a codec in RtpParameters or RtpCapabilities is this one."""
        ours = (self.mime_type.lower(), self.clock_rate, self.channels)
        return ours == (str(description["mimeType"]).lower(), description["clockRate"], description.get("channels"))

    def is_keyframe(self, packet: Buffer, payload: int, end: int) -> bool:
        """Tell whether the payload at `payload`..`end` of a packet is the first one of a key frame."""
        raise NotImplementedError

    def pictures(self) -> Pictures | None:
        """Return a follower of one stream's pictures; None: their numbers may jump when a receiver changes layers."""
        return None

    def capabilities(self) -> list[Json]:
        """Return the codec, and its RTX, as RtpCapabilities name them. The lists and objects are new."""
        return [
            {
                "kind": self.kind,
                "preferredPayloadType": described.pop("payloadType"),
                **described,
            }
            for described in self.rtp_parameters(self.parameters)
        ]

    def rtp_parameters(self, settings: Mapping[str, Any]) -> list[Json]:
        """Return the codec, and its RTX, as RtpParameters name them. settings: the codec's parameters."""
        feedback = [{"type": name, "parameter": parameter} for name, parameter in self.feedback]
        channels = {} if self.channels is None else {"channels": self.channels}
        codec = self._described(self.mime_type, self.payload_type, settings) | channels | {"rtcpFeedback": feedback}
        if self.rtx_payload_type is None:
            return [codec]
        return [codec, self._described(f"{self.kind}/rtx", self.rtx_payload_type, {"apt": self.payload_type})]

    def _described(self, mime_type: str, payload_type: int, parameters: Mapping[str, Any]) -> Json:
        return {
            "mimeType": mime_type,
            "payloadType": payload_type,
            "clockRate": self.clock_rate,
            "parameters": dict(parameters),
            "rtcpFeedback": [],
        }
