"""A participant who uses the voice API, and the parameters that mediasoup-client would send. No media flows."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.people import Person
from hype_contract.actors.world import World

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
KINDS = ("audio", "video", "screen")
FINGERPRINT = {"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}
DTLS = {"role": "client", "fingerprints": [FINGERPRINT]}
"""Well-formed DTLS parameters for a transport that no client connects to."""

# hypothesis resets the common generator to its seed, so its numbers could repeat.
_RANDOM = random.SystemRandom()

Expect = int | Sequence[int]
"""The status, or statuses, that the case demands."""

_VIDEO_FEEDBACK = [
    {"type": "goog-remb", "parameter": ""},
    {"type": "transport-cc", "parameter": ""},
    {"type": "ccm", "parameter": "fir"},
    {"type": "nack", "parameter": ""},
    {"type": "nack", "parameter": "pli"},
]


def opus(mid: str = "0", ssrc: int | None = None) -> dict[str, Any]:
    """Return `rtpParameters` of a microphone, with the payload type and extension ids that Chrome chooses."""
    return {
        "mid": mid,
        "codecs": [
            {
                "mimeType": "audio/opus",
                "payloadType": 111,
                "clockRate": 48000,
                "channels": 2,
                "parameters": {"minptime": 10, "useinbandfec": 1},
                "rtcpFeedback": [{"type": "transport-cc", "parameter": ""}],
            }
        ],
        "headerExtensions": [
            {"uri": MID, "id": 4, "encrypt": False, "parameters": {}},
            {"uri": AUDIO_LEVEL, "id": 1, "encrypt": False, "parameters": {}},
        ],
        "encodings": [{"ssrc": ssrc or new_ssrc(), "dtx": False}],
        "rtcp": {"cname": "contract", "reducedSize": True},
    }


def vp8(mid: str = "1", ssrc: int | None = None) -> dict[str, Any]:
    """Return `rtpParameters` of a camera or screen, with retransmission."""
    codec = {"clockRate": 90000, "parameters": {}, "rtcpFeedback": []}
    return {
        "mid": mid,
        "codecs": [
            {**codec, "mimeType": "video/VP8", "payloadType": 96, "rtcpFeedback": _VIDEO_FEEDBACK},
            {**codec, "mimeType": "video/rtx", "payloadType": 97, "parameters": {"apt": 96}},
        ],
        "headerExtensions": [{"uri": MID, "id": 4, "encrypt": False, "parameters": {}}],
        "encodings": [{"ssrc": ssrc or new_ssrc(), "rtx": {"ssrc": new_ssrc()}, "dtx": False}],
        "rtcp": {"cname": "contract", "reducedSize": True},
    }


def parameters(kind: str) -> dict[str, Any]:
    """Return `rtpParameters` for a producer of this kind, with a `mid` that no other kind has."""
    return opus("0") if kind == "audio" else vp8(str(KINDS.index(kind)))


def new_ssrc() -> int:
    """Return a random SSRC, which no other stream of this run is likely to have."""
    return _RANDOM.randrange(1, 2**32)


@dataclass(frozen=True)
class Participant:
    """A user at one voice channel, who uses the voice API by REST: no transport is connected, no packet flows.

    The methods call one operation each. expect: the status, or statuses, that the case demands.
    """

    world: World
    person: Person
    channel: str

    @cached_property
    def capabilities(self) -> dict[str, Any]:
        """The capabilities of the user's device: all that the router offers."""
        offered: dict[str, Any] = self._call("getRtpCapabilities", expect=200).data
        return offered

    def transport(self, direction: str = "send", expect: Expect | None = 201) -> Reply:
        """Create a transport. direction: send or recv."""
        return self._call(f"create{direction.capitalize()}Transport", body={"channelId": self.channel}, expect=expect)

    @cached_property
    def sending(self) -> str:
        """The id of the send transport, which is created on first use."""
        return str(self.transport("send").data["id"])

    @cached_property
    def receiving(self) -> str:
        """The id of the recv transport, which is created on first use."""
        return str(self.transport("recv").data["id"])

    def connect(self, transport_id: str, dtls: Any = DTLS, expect: Expect = 200) -> Reply:
        """Give a transport the DTLS parameters of the client."""
        body = {"transportId": transport_id, "dtlsParameters": dtls}
        return self._call("connectTransport", body=body, expect=expect)

    def produce(
        self,
        kind: str = "audio",
        rtp: Mapping[str, Any] | None = None,
        *,
        transport_id: str | None = None,
        expect: Expect = 201,
    ) -> Reply:
        """Create a producer, by default on the send transport and with `parameters(kind)`."""
        body = {
            "transportId": transport_id or self.sending,
            "kind": kind,
            "rtpParameters": rtp or parameters(kind),
            "appData": {"source": kind},
        }
        return self._call("createProducer", body=body, expect=expect)

    def producer(self, kind: str = "audio") -> str:
        """Create a producer; return its id."""
        return str(self.produce(kind).data["id"])

    def stop(self, producer_id: str, expect: int = 200) -> Reply:
        """Close a producer."""
        return self._call("closeProducer", path={"id": producer_id}, expect=expect)

    def consume(
        self,
        producer_id: str,
        *,
        capabilities: Mapping[str, Any] | None = None,
        transport_id: str | None = None,
        expect: int = 201,
    ) -> Reply:
        """Create a consumer, by default on the recv transport and with all capabilities."""
        body = {
            "transportId": transport_id or self.receiving,
            "producerId": producer_id,
            "rtpCapabilities": self.capabilities if capabilities is None else capabilities,
        }
        return self._call("createConsumer", body=body, expect=expect)

    def _call(self, operation: str, **request: Any) -> Reply:
        return self.world.rest.call(operation, token=self.person.token, **request)


def participants(world: World, *names: str, **members: Any) -> list[Participant]:
    """Make guests and a voice channel that none of them is in yet. members: more members of the new channel."""
    people = world.guests(*names)
    channel = str(world.channel(people[0], "voice", **members)["id"])
    return [Participant(world, person, channel) for person in people]
