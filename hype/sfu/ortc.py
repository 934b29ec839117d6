"""Capability negotiation: pure functions over plain dicts in mediasoup-client's shapes, with mediasoup's meaning.

Payload types and header extension ids are the producer's own on the way in and the router's on the way out.
Whatever a client got wrong ends in `Unsupported`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from hype import errors

Json: TypeAlias = dict[str, Any]

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"
REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"
ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"

# The router's ids: what every consumer sees.
ROUTER_EXTENSION_IDS: Mapping[str, int] = {
    MID: 1,
    RID: 2,
    REPAIRED_RID: 3,
    ABS_SEND_TIME: 4,
    TRANSPORT_CC: 5,
    AUDIO_LEVEL: 10,
    VIDEO_ORIENTATION: 11,
}

ROUTER_CAPABILITIES: Json = {"codecs": [], "headerExtensions": []}


class Unsupported(errors.BadRequest):
    """The router cannot route these parameters (rulings R28 and R29): 400, the text says why."""


def router_capabilities() -> Json:
    """What operation getRtpCapabilities answers (ruling R25); a fresh copy."""
    raise NotImplementedError


def validate_rtp_parameters(value: object, kind: str) -> Json:
    """A client's RtpParameters as a clean copy without what we do not know; kind: "audio" or "video"."""
    raise NotImplementedError


def validate_rtp_capabilities(value: object) -> Json:
    """A client's RtpCapabilities as a clean copy."""
    raise NotImplementedError


def validate_dtls_parameters(value: object) -> Json:
    """A client's DtlsParameters: {role: auto|client|server, fingerprints: [{algorithm, value}]}."""
    raise NotImplementedError


def producer_mapping(parameters: Json, kind: str) -> Json:
    """How a producer's validated parameters map to the router's.

    {codecs: [{payloadType, mappedPayloadType}], encodings: [{ssrc?, rid?, mappedSsrc}]}; one encoding per simulcast
    layer, lowest first. Raises Unsupported when no codec of the router's matches.
    """
    raise NotImplementedError


def consumable_rtp_parameters(kind: str, parameters: Json, mapping: Json) -> Json:
    """The router's view of a producer: its payload types, its extension ids, the mapped SSRCs."""
    raise NotImplementedError


def can_consume(consumable: Json, capabilities: Json) -> bool:
    """Whether a client with these validated capabilities can receive the producer."""
    raise NotImplementedError


def consumer_rtp_parameters(consumable: Json, capabilities: Json, mid: str) -> Json:
    """A new consumer's RtpParameters: one encoding with a fresh SSRC (and RTX SSRC), the producer's cname.

    mid: exactly 4 characters, unique on its transport (see `mid_text`). Raises Unsupported when `can_consume` is False.
    """
    raise NotImplementedError


def mid_text(number: int) -> str:
    """The mid of a transport's consumer number `number` (0..1,679,615): 4 characters of base 36."""
    raise NotImplementedError


def extension_ids(parameters: Json) -> dict[str, int]:
    """uri → id of the header extensions in RtpParameters: the client's own ids for a producer's."""
    raise NotImplementedError
