"""Capability negotiation: pure functions over plain dicts in mediasoup-client's shapes, with mediasoup's meaning.

Payload types and header extension ids are the producer's own on the way in and the router's on the way out.
What comes from a client goes through the validators first; whatever it got wrong ends in `Unsupported`.
"""

from __future__ import annotations

import copy
import secrets
from collections.abc import Mapping

from hype.ids import base36
from hype.sfu.negotiation.extensions import EXTENSIONS, MID_SIZE
from hype.sfu.negotiation.shapes import Json, Unsupported

__all__ = [
    "can_consume",
    "consumable_rtp_parameters",
    "consumer_rtp_parameters",
    "consumer_ssrcs",
    "extension_ids",
    "mid_text",
    "producer_mapping",
    "router_capabilities",
]

_REPEAT, _PICTURE, _FULL_PICTURE = ("nack", ""), ("nack", "pli"), ("ccm", "fir")
_REMB, _TWCC = ("goog-remb", ""), ("transport-cc", "")
_VIDEO_FEEDBACK = (_REPEAT, _PICTURE, _FULL_PICTURE, _REMB, _TWCC)
_CODECS: tuple[Json, ...] = (
    {
        "kind": "audio",
        "mimeType": "audio/opus",
        "preferredPayloadType": 100,
        "clockRate": 48000,
        "channels": 2,
        "parameters": {},
        "rtcpFeedback": [{"type": _TWCC[0], "parameter": _TWCC[1]}],
    },
    {
        "kind": "video",
        "mimeType": "video/VP8",
        "preferredPayloadType": 101,
        "clockRate": 90000,
        "parameters": {},
        "rtcpFeedback": [{"type": name, "parameter": parameter} for name, parameter in _VIDEO_FEEDBACK],
    },
    {
        "kind": "video",
        "mimeType": "video/rtx",
        "preferredPayloadType": 102,
        "clockRate": 90000,
        "parameters": {"apt": 101},
        "rtcpFeedback": [],
    },
)


def router_capabilities() -> Json:
    """What operation getRtpCapabilities answers (ruling R25); a fresh copy."""
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
    return {"codecs": copy.deepcopy(list(_CODECS)), "headerExtensions": extensions}


def _is_rtx(codec: Json) -> bool:
    return str(codec["mimeType"]).lower().endswith("/rtx")


def _same(one: Json, other: Json) -> bool:
    """Whether two codecs are one: no codec of the router's needs more than this."""
    names = ("mimeType", "clockRate", "channels")
    return all(str(one.get(name)).lower() == str(other.get(name)).lower() for name in names)


def _router_codec(codec: Json) -> Json | None:
    return next((mine for mine in _CODECS if not _is_rtx(mine) and _same(mine, codec)), None)


def _router_rtx(payload_type: int) -> Json | None:
    return next((mine for mine in _CODECS if _is_rtx(mine) and mine["parameters"]["apt"] == payload_type), None)


def _sent_codec(parameters: Json) -> tuple[Json, Json]:
    """The one codec that a producer sends, as it and as the router names it."""
    named = {encoding.get("codecPayloadType") for encoding in parameters["encodings"]} - {None}
    codecs = [codec for codec in parameters["codecs"] if not _is_rtx(codec)]
    if named:
        codecs = [codec for codec in codecs if codec["payloadType"] in named]
    if not codecs or len(named) > 1:
        raise Unsupported("Cannot produce: encodings do not name one codec")
    mine = _router_codec(codecs[0])
    if mine is None:
        raise Unsupported(f"Cannot produce: {codecs[0]['mimeType']} is not routed")
    return codecs[0], mine


def _new_ssrcs(count: int) -> list[int]:
    """Different random SSRCs, none of them 0."""
    made: set[int] = set()
    while len(made) < count:
        made.add(secrets.randbelow(0xFFFFFFFE) + 1)
    return list(made)


def producer_mapping(parameters: Json, kind: str) -> Json:
    """How a producer's validated parameters map to the router's.

    {codecs: [{payloadType, mappedPayloadType}], encodings: [{ssrc?, rid?, mappedSsrc}]}: the codec that is sent and
    its RTX, if any; one encoding per simulcast layer, in the client's order (mediasoup-client's: lowest first).
    Raises Unsupported when the router does not route the codec.
    """
    codec, mine = _sent_codec(parameters)
    if mine["kind"] != kind:
        raise Unsupported(f"Cannot produce: {codec['mimeType']} is not {kind}")
    codecs = [{"payloadType": codec["payloadType"], "mappedPayloadType": mine["preferredPayloadType"]}]
    rtx = _router_rtx(mine["preferredPayloadType"])
    for other in parameters["codecs"]:
        if rtx and _is_rtx(other) and other["parameters"].get("apt") == codec["payloadType"]:
            codecs.append({"payloadType": other["payloadType"], "mappedPayloadType": rtx["preferredPayloadType"]})
            break
    layers = parameters["encodings"]
    encodings = [
        {**{name: layer[name] for name in ("ssrc", "rid") if name in layer}, "mappedSsrc": ssrc}
        for layer, ssrc in zip(layers, _new_ssrcs(len(layers)), strict=True)
    ]
    return {"codecs": codecs, "encodings": encodings}


def _as_parameters(capability: Json, settings: Mapping[str, object]) -> Json:
    """A codec of the router's in the form it has in RtpParameters."""
    codec: Json = {name: capability[name] for name in ("mimeType", "clockRate", "channels") if name in capability}
    feedback = copy.deepcopy(capability["rtcpFeedback"])
    return {
        **codec,
        "payloadType": capability["preferredPayloadType"],
        "parameters": dict(settings),
        "rtcpFeedback": feedback,
    }


def consumable_rtp_parameters(kind: str, parameters: Json, mapping: Json) -> Json:
    """The router's view of a producer: its payload types, its extension ids, the mapped SSRCs.

    RTX is offered to consumers whether or not the producer has it: it is made here from the ring.
    A name is made up where there is none (Chrome gives none with simulcast): mediasoup-client calls the stream so.
    """
    codec, mine = _sent_codec(parameters)
    codecs = [_as_parameters(mine, codec["parameters"])]
    rtx = _router_rtx(mine["preferredPayloadType"])
    if rtx is not None:
        codecs.append(_as_parameters(rtx, rtx["parameters"]))
    extensions = [
        {"uri": extension.uri, "id": extension.id, "encrypt": False, "parameters": {}}
        for extension in EXTENSIONS
        if kind in extension.kinds and extension.direction == "sendrecv"
    ]
    return {
        "codecs": codecs,
        "headerExtensions": extensions,
        "encodings": [{"ssrc": encoding["mappedSsrc"]} for encoding in mapping["encodings"]],
        "rtcp": {
            "cname": parameters["rtcp"]["cname"] or secrets.token_hex(8),
            "reducedSize": True,
            "mux": True,
        },
    }


def _capability_for(codec: Json, capabilities: Json) -> Json | None:
    return next((one for one in capabilities["codecs"] if not _is_rtx(one) and _same(one, codec)), None)


def can_consume(consumable: Json, capabilities: Json) -> bool:
    """Whether a client with these validated capabilities can receive the producer."""
    return _capability_for(consumable["codecs"][0], capabilities) is not None


def _consumer_codecs(consumable: Json, capabilities: Json) -> list[Json]:
    codec, *repeats = copy.deepcopy(consumable["codecs"])
    capability = _capability_for(codec, capabilities)
    if capability is None:
        raise Unsupported("Cannot consume")
    known = {(item["type"], item["parameter"]) for item in capability["rtcpFeedback"]} - {_TWCC}
    codec["rtcpFeedback"] = [item for item in codec["rtcpFeedback"] if (item["type"], item["parameter"]) in known]
    own_type = capability["preferredPayloadType"]
    takes_rtx = any(_is_rtx(one) and one["parameters"].get("apt") == own_type for one in capabilities["codecs"])
    return [codec, *repeats] if takes_rtx else [codec]


def consumer_rtp_parameters(consumable: Json, capabilities: Json, mid: str, ssrcs: tuple[int, int]) -> Json:
    """Make a new consumer's RtpParameters: one encoding with an SSRC (and an RTX SSRC), the producer's cname.

    mid, ssrcs: unique on its transport, see `mid_text` and `consumer_ssrcs`. The answer's payload types and extension
    ids are the router's.
    Raises Unsupported("Cannot consume") when `can_consume` is False (ruling R29).
    """
    codecs = _consumer_codecs(consumable, capabilities)
    ssrc, rtx_ssrc = ssrcs
    encoding: Json = {"ssrc": ssrc}
    if len(codecs) > 1:
        encoding["rtx"] = {"ssrc": rtx_ssrc}
    wanted = {extension["uri"] for extension in capabilities["headerExtensions"]}
    extensions = [extension for extension in consumable["headerExtensions"] if extension["uri"] in wanted]
    return {
        "mid": mid,
        "codecs": codecs,
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
    """Return the mid of a transport's consumer number `number` (from 0, wraps at 1,679,616): MID_SIZE of base 36."""
    return base36(number, MID_SIZE)


def extension_ids(parameters: Json) -> dict[str, int]:
    """uri → id of the header extensions in RtpParameters: the client's own ids for a producer's."""
    return {extension["uri"]: extension["id"] for extension in parameters["headerExtensions"]}
