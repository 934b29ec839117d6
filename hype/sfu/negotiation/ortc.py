"""Capability negotiation: pure functions over plain dicts in mediasoup-client's shapes, with mediasoup's meaning.

Payload types and header extension ids are the producer's own on the way in and the router's on the way out. Parameters
of a client pass the validators of `shapes` first. What the router does not support ends in `Unsupported`.
"""

from __future__ import annotations

import copy
import secrets
import string
from typing import Final

from hype.ids import base36
from hype.sfu import codecs
from hype.sfu.codecs.codec import TRANSPORT_CC, Codec
from hype.sfu.negotiation.extensions import EXTENSIONS, MID_SIZE
from hype.sfu.negotiation.shapes import Json, Unsupported

__all__ = [
    "ROUTER_SSRC",
    "can_consume",
    "consumable_rtp_parameters",
    "consumer_rtp_parameters",
    "consumer_ssrcs",
    "extension_ids",
    "is_rtx",
    "mid_text",
    "producer_mapping",
    "router_capabilities",
    "rtx_of",
]

ROUTER_SSRC: Final = 1
"""The SSRC of the router's own RTCP. No consumer has it."""


def router_capabilities() -> Json:
    """Return the answer of operation getRtpCapabilities (ruling R25); a fresh copy."""
    extensions = [
        {
            "kind": kind,
            "uri": extension.uri,
            "preferredId": extension.id,
            "preferredEncrypt": False,
            "direction": extension.direction,
        }
        for extension in EXTENSIONS
        for kind in extension.kinds
    ]
    return {
        "codecs": [capability for codec in codecs.CODECS for capability in codec.capabilities()],
        "headerExtensions": extensions,
    }


def is_rtx(codec: Json) -> bool:
    """Tell whether a codec in RtpParameters or RtpCapabilities is a retransmission format (RFC 4588)."""
    return str(codec["mimeType"]).lower().endswith("/rtx")


def rtx_of(described: list[Json], payload_type: int) -> Json | None:
    """Return the first of these codecs that retransmits the codec with that payload type; None: there is none."""
    return next((codec for codec in described if is_rtx(codec) and _apt(codec) == payload_type), None)


def _apt(codec: Json) -> object:
    apt = (codec.get("parameters") or {}).get("apt")
    return int(apt) if isinstance(apt, str) and apt.isascii() and apt.isdigit() else apt


def _sent_codecs(parameters: Json) -> tuple[list[Json], Codec]:
    """Return the codecs that a producer may send, as the producer describes them, and the router's codec for all.

    They are the ones that its encodings name, or else all that are listed. Raises Unsupported where the router does not
    forward one of them, and where an encoding or an RTX codec names a payload type that is not listed (amendment A9).
    """
    media = {codec["payloadType"]: codec for codec in parameters["codecs"] if not is_rtx(codec)}
    named = [each["codecPayloadType"] for each in parameters["encodings"] if "codecPayloadType" in each]
    repeated = [_apt(codec) for codec in parameters["codecs"] if is_rtx(codec)]
    if not media or any(payload_type not in media for payload_type in named + repeated):
        raise Unsupported("Cannot produce: an encoding or an RTX codec names a codec that is not listed")
    sent = [codec for payload_type, codec in media.items() if not named or payload_type in named]
    routed = [_routed(codec) for codec in sent]
    if any(codec is not routed[0] for codec in routed):
        raise Unsupported("Cannot produce: the codecs that may be sent are different ones")
    return sent, routed[0]


def _routed(description: Json) -> Codec:
    codec = codecs.find(description)
    if codec is None:
        raise Unsupported(f"Cannot produce: {description['mimeType']} is not routed")
    return codec


def producer_mapping(parameters: Json, kind: str) -> Json:
    """Map a producer's validated parameters to the router's.

    Returns {codecs: [{payloadType, mappedPayloadType}]}: the codecs that may be sent, and their RTX, if any. The worker
    takes them from here alone. Raises Unsupported when the router does not forward one of them.
    """
    sent, routed = _sent_codecs(parameters)
    if routed.kind != kind:
        raise Unsupported(f"Cannot produce: {sent[0]['mimeType']} is not {kind}")
    payload_types = [codec["payloadType"] for codec in sent]
    mapped = [{"payloadType": each, "mappedPayloadType": routed.payload_type} for each in payload_types]
    if routed.rtx_payload_type is not None:
        rtx = [each["payloadType"] for each in parameters["codecs"] if is_rtx(each) and _apt(each) in payload_types]
        mapped += [{"payloadType": each, "mappedPayloadType": routed.rtx_payload_type} for each in rtx]
    return {"codecs": mapped}


def consumable_rtp_parameters(parameters: Json) -> Json:
    """Return the router's view of a producer, in its payload types and extension ids: {codecs, headerExtensions, rtcp}.

    Consumers are offered RTX whether or not the producer has it: the router makes it from the packets that it keeps.
    A cname is made up where there is none (Chrome gives none with simulcast): mediasoup-client names the stream by it.
    """
    (sent, *_), codec = _sent_codecs(parameters)
    extensions = [
        {"uri": extension.uri, "id": extension.id, "encrypt": False, "parameters": {}}
        for extension in EXTENSIONS
        if codec.kind in extension.kinds and extension.direction == "sendrecv"
    ]
    return {
        "codecs": codec.rtp_parameters(sent["parameters"]),
        "headerExtensions": extensions,
        "rtcp": {
            "cname": parameters["rtcp"]["cname"] or secrets.token_hex(8),
            "reducedSize": True,
            "mux": True,
        },
    }


def _capability_for(consumable: Json, capabilities: Json) -> Json | None:
    codec = codecs.find(consumable["codecs"][0])
    return next((each for each in capabilities["codecs"] if codec is not None and codec.accepts(each)), None)


def can_consume(consumable: Json, capabilities: Json) -> bool:
    """Tell whether a client with these validated capabilities can receive the producer."""
    return _capability_for(consumable, capabilities) is not None


def _consumer_codecs(consumable: Json, capabilities: Json) -> list[Json]:
    codec, *rtx = copy.deepcopy(consumable["codecs"])
    capability = _capability_for(consumable, capabilities)
    if capability is None:
        raise Unsupported("Cannot consume")
    known = {(item["type"], item["parameter"]) for item in capability["rtcpFeedback"]} - {TRANSPORT_CC}
    codec["rtcpFeedback"] = [item for item in codec["rtcpFeedback"] if (item["type"], item["parameter"]) in known]
    takes_rtx = rtx_of(capabilities["codecs"], capability["preferredPayloadType"]) is not None
    return [codec, *rtx] if takes_rtx else [codec]


def consumer_rtp_parameters(consumable: Json, capabilities: Json, mid: str, ssrcs: tuple[int, int]) -> Json:
    """Make a new consumer's RtpParameters: one encoding with an SSRC (and an RTX SSRC), the producer's cname.

    mid, ssrcs: unique on its transport, see `mid_text` and `consumer_ssrcs`. The answer's payload types and extension
    ids are the router's.
    Raises Unsupported("Cannot consume") when `can_consume` is False (ruling R29).
    """
    consumed = _consumer_codecs(consumable, capabilities)
    ssrc, rtx_ssrc = ssrcs
    encoding: Json = {"ssrc": ssrc}
    if len(consumed) > 1:
        encoding["rtx"] = {"ssrc": rtx_ssrc}
    wanted = {extension["uri"] for extension in capabilities["headerExtensions"]}
    extensions = [extension for extension in consumable["headerExtensions"] if extension["uri"] in wanted]
    return {
        "mid": mid,
        "codecs": consumed,
        "headerExtensions": copy.deepcopy(extensions),
        "encodings": [encoding],
        "rtcp": dict(consumable["rtcp"]),
    }


def consumer_ssrcs(first: int, number: int) -> tuple[int, int]:
    """Return the SSRC and the RTX SSRC of a transport's consumer number `number` (from 0).

    first: any number, one for a transport. No SSRC comes twice among 2^31 - 256 consumers: a worker forgets the SRTP
    index of a closed consumer, so a second stream with its SSRC and key would use each index again (RFC 3711 9.1).
    The router's own SSRCs are below 256.
    """
    ssrc = (first + 2 * number) % (2**32 - 512) + 256
    return ssrc, ssrc + 1


def mid_text(number: int) -> str:
    """Return the mid of a transport's consumer number `number` (from 0, wraps at 1,213,056): MID_SIZE characters.

    The first is a letter, because some SDP libraries read a mid of digits as a number.
    """
    rest = MID_SIZE - 1
    return string.ascii_lowercase[number // 36**rest % 26] + base36(number, rest)


def extension_ids(parameters: Json) -> dict[str, int]:
    """Return the ids of the header extensions in RtpParameters by URI: the client's own ids for a producer's."""
    return {extension["uri"]: extension["id"] for extension in parameters["headerExtensions"]}
