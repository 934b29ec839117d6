"""Validators of what clients say of their media: RtpParameters, RtpCapabilities, DtlsParameters.

The shapes are mediasoup-client's. A validator returns a copy with the known members only, so that no other one goes on
to other clients. A wrong value ends in `Unsupported`. Sizes are bounded far above what browsers send.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from hype.errors import BadRequest

Json: TypeAlias = dict[str, Any]
T = TypeVar("T")

MAX_ITEMS = 100
MAX_TEXT = 255
MAX_NUMBER = 1 << 53
MAX_LAYERS = 8
RTCP_LIKE = range(64, 96)
"""Payload types whose packets, with the marker set, cannot be told from RTCP (RFC 5761 4; amendment A20)."""

_MIME = re.compile(r"(audio|video)/[a-z0-9.+_-]{1,64}", re.IGNORECASE | re.ASCII)
_RID = re.compile(r"[A-Za-z0-9_-]{1,16}", re.ASCII)
_ALGORITHM = re.compile(r"sha-(1|224|256|384|512)")
STRONG_HASHES = ("sha-256", "sha-384", "sha-512")
"""The algorithms of fingerprints that a certificate is compared with (amendment A20)."""
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){15,63}", re.ASCII)


class Unsupported(BadRequest):
    """The router does not support these parameters (rulings R28 and R29): 400. The text says why."""


def _object(value: object, name: str) -> Json:
    if not isinstance(value, dict):
        raise Unsupported(f"{name} is not an object")
    return value


def _list(value: object, name: str, check: Callable[[object], T]) -> list[T]:
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise Unsupported(f"{name} is not a list of at most {MAX_ITEMS}")
    return [check(item) for item in value]


def _number(value: object, name: str, low: int, high: int) -> int:
    # JSON has one kind of number: 96.0 is 96.
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise Unsupported(f"{name} is not a number from {low} to {high}")
    return value


def _text(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= MAX_TEXT or not value.isascii() or not value.isprintable():
        raise Unsupported(f"{name} is not a short text")
    return value


def _matching(value: object, name: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise Unsupported(f"{name} is not valid")
    return value


def _is_setting(value: object) -> bool:
    """Tell whether this may stand in the SDP of other clients, on a line of its own."""
    if isinstance(value, str):
        return len(value) <= MAX_TEXT and value.isascii() and (not value or value.isprintable()) and ";" not in value
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < MAX_NUMBER


def _settings(value: object, name: str) -> dict[str, str | int | float]:
    """Return codec settings (`fmtp`): short names, short values."""
    members = {} if value is None else _object(value, name)
    settings = {key: "" if member is None else member for key, member in members.items()}
    if len(settings) > MAX_ITEMS or not all(map(_is_setting, [*settings, *settings.values()])):
        raise Unsupported(f"{name} are not short texts and numbers")
    return settings


def _feedback(value: object) -> Json:
    item = _object(value, "rtcpFeedback")
    parameter = item.get("parameter") or ""
    return {
        "type": _text(item.get("type"), "rtcpFeedback.type"),
        "parameter": parameter and _text(parameter, "parameter"),
    }


def _codec(value: object, payload_type: str) -> Json:
    codec = _object(value, "codec")
    mime = _matching(codec.get("mimeType"), "codec.mimeType", _MIME)
    copy = {
        "mimeType": mime,
        payload_type: _number(codec.get(payload_type), f"codec.{payload_type}", 0, 127),
        "clockRate": _number(codec.get("clockRate"), "codec.clockRate", 1, 10_000_000),
        "parameters": _settings(codec.get("parameters"), "codec.parameters"),
        "rtcpFeedback": _list(codec.get("rtcpFeedback"), "codec.rtcpFeedback", _feedback),
    }
    if mime.lower().startswith("audio/"):
        channels = codec.get("channels")
        copy["channels"] = 1 if channels is None else _number(channels, "codec.channels", 1, 255)
    return copy


def _media_codec(value: object) -> Json:
    codec = _codec(value, "payloadType")
    if codec["payloadType"] in RTCP_LIKE:
        raise Unsupported(f"codec.payloadType is one of {RTCP_LIKE[0]} to {RTCP_LIKE[-1]}")
    return codec


def _capability(value: object) -> Json:
    codec = _codec(value, "preferredPayloadType")
    return {"kind": codec["mimeType"].lower().partition("/")[0], **codec}


def _extension(value: object) -> Json:
    extension = _object(value, "headerExtension")
    if extension.get("encrypt"):
        raise Unsupported("encrypted header extensions cannot be read")
    return {
        "uri": _text(extension.get("uri"), "headerExtension.uri"),
        "id": _number(extension.get("id"), "headerExtension.id", 1, 255),
    }


def _extension_capability(value: object) -> Json:
    extension = _object(value, "headerExtension")
    kind = extension.get("kind")
    if kind not in ("audio", "video", "", None):
        raise Unsupported("headerExtension.kind is neither audio nor video")
    return {"kind": kind or "", "uri": _text(extension.get("uri"), "headerExtension.uri")}


def _ssrc(value: object) -> int:
    return _number(value, "ssrc", 1, 0xFFFFFFFF)


def _encoding(value: object) -> Json:
    encoding = _object(value, "encoding")
    copy: Json = {}
    if encoding.get("ssrc") is not None:
        copy["ssrc"] = _ssrc(encoding["ssrc"])
    if encoding.get("rid"):
        copy["rid"] = _matching(encoding["rid"], "encoding.rid", _RID)
    if encoding.get("rtx") is not None:
        copy["rtx"] = {"ssrc": _ssrc(_object(encoding["rtx"], "encoding.rtx").get("ssrc"))}
    if encoding.get("codecPayloadType") is not None:
        copy["codecPayloadType"] = _number(encoding["codecPayloadType"], "encoding.codecPayloadType", 0, 127)
    return copy


def _unique(values: list[object], what: str) -> None:
    if len(set(values)) < len(values):
        raise Unsupported(f"{what} is there twice")


def _check_streams(encodings: list[Json]) -> None:
    """Raise Unsupported unless each stream has an SSRC or a RID that no other stream has."""
    if not 0 < len(encodings) <= MAX_LAYERS:
        raise Unsupported(f"encodings are not 1 to {MAX_LAYERS}")
    if not all("ssrc" in encoding or "rid" in encoding for encoding in encodings):
        raise Unsupported("an encoding has neither ssrc nor rid")
    own: list[object] = [encoding["ssrc"] for encoding in encodings if "ssrc" in encoding]
    repeated: list[object] = [encoding["rtx"]["ssrc"] for encoding in encodings if "rtx" in encoding]
    _unique(own + repeated, "an ssrc")
    _unique([encoding["rid"] for encoding in encodings if "rid" in encoding], "a rid")


def validate_rtp_parameters(value: object, kind: str) -> Json:
    """Return a clean copy of a client's RtpParameters: {mid?, codecs, headerExtensions, encodings, rtcp}.

    kind: "audio" or "video" (a screen is video). Raises Unsupported.
    """
    parameters = _object(value, "rtpParameters")
    codecs = _list(parameters.get("codecs"), "codecs", _media_codec)
    if not codecs or any(not codec["mimeType"].lower().startswith(f"{kind}/") for codec in codecs):
        raise Unsupported(f"codecs are not of kind {kind}")
    extensions = _list(parameters.get("headerExtensions"), "headerExtensions", _extension)
    encodings = _list(parameters.get("encodings"), "encodings", _encoding)
    _unique([codec["payloadType"] for codec in codecs], "a payload type")
    _unique([extension["id"] for extension in extensions], "a header extension id")
    _unique([extension["uri"] for extension in extensions], "a header extension")
    _check_streams(encodings)
    rtcp = _object(parameters.get("rtcp") or {}, "rtcp")
    cname = rtcp.get("cname") or ""
    copy: Json = {
        "codecs": codecs,
        "headerExtensions": extensions,
        "encodings": encodings,
        "rtcp": {"cname": cname and _text(cname, "rtcp.cname"), "reducedSize": rtcp.get("reducedSize") is not False},
    }
    if parameters.get("mid"):
        copy["mid"] = _text(parameters["mid"], "mid")
    return copy


def validate_rtp_capabilities(value: object) -> Json:
    """Return a clean copy of a client's RtpCapabilities: {codecs, headerExtensions}.

    Raises Unsupported with the one text of ruling R29: a client whose capabilities are malformed can take no producer.
    """
    try:
        capabilities = _object(value, "rtpCapabilities")
        codecs = _list(capabilities.get("codecs"), "codecs", _capability)
        extensions = _list(capabilities.get("headerExtensions"), "headerExtensions", _extension_capability)
    except Unsupported as failure:
        raise Unsupported("Cannot consume") from failure
    return {"codecs": codecs, "headerExtensions": extensions}


def _fingerprint(value: object) -> Json:
    fingerprint = _object(value, "fingerprint")
    return {
        "algorithm": _matching(fingerprint.get("algorithm"), "fingerprint.algorithm", _ALGORITHM),
        "value": _matching(fingerprint.get("value"), "fingerprint.value", _FINGERPRINT),
    }


def validate_dtls_parameters(value: object) -> Json:
    """Return a clean copy of a client's DtlsParameters: {role, fingerprints: [{algorithm, value}]}. Raises Unsupported.

    role: auto, client or server.
    """
    parameters = _object(value, "dtlsParameters")
    role = parameters.get("role") or "auto"
    if role not in ("auto", "client", "server"):
        raise Unsupported("dtlsParameters.role is neither auto, client nor server")
    fingerprints = _list(parameters.get("fingerprints"), "fingerprints", _fingerprint)
    if not any(each["algorithm"] in STRONG_HASHES for each in fingerprints):
        raise Unsupported(f"dtlsParameters.fingerprints have none of {', '.join(STRONG_HASHES)}")
    return {"role": role, "fingerprints": fingerprints}
