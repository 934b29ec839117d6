"""Tests of the validators: Chrome's parameters pass, and malformed ones are refused."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hype.sfu.negotiation import ortc
from hype.sfu.negotiation.shapes import (
    Json,
    Unsupported,
    validate_dtls_parameters,
    validate_rtp_capabilities,
    validate_rtp_parameters,
)
from tests.sfu.negotiation.test_ortc import chrome

FINGERPRINT = {"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def paths_of(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every member of a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(deeper for key, member in inner for deeper in paths_of(member, (*path, key)))]


@st.composite
def spoiled(draw: st.DrawFn, name: str) -> object:
    """Draw one of Chrome's values, with a few members replaced or removed."""
    value: Any = chrome(name)
    for _ in range(draw(st.integers(1, 3))):
        *path, last = draw(st.sampled_from(paths_of(value)[1:]))
        holder = value
        for key in path:
            holder = holder[key]
        if draw(st.booleans()) and isinstance(holder, dict):
            del holder[last]
        else:
            holder[last] = draw(json_values)
        if not paths_of(value)[1:]:
            break
    return value


@pytest.mark.parametrize("name", ["audio", "video", "simulcast"])
def test_chromes_parameters_pass_and_nothing_else_travels_on(name: str) -> None:
    """The copy of Chrome's parameters has the known members only, and passes again as it is."""
    offered = chrome(name) | {"surprise": [1]}
    kind = "audio" if name == "audio" else "video"
    clean = validate_rtp_parameters(offered, kind)
    assert "surprise" not in clean
    assert clean["mid"] == offered["mid"]
    assert len(clean["codecs"]) == len(offered["codecs"])
    assert validate_rtp_parameters(clean, kind) == clean


def test_chromes_capabilities_and_fingerprints_pass() -> None:
    """Capabilities and DTLS parameters of mediasoup-client pass."""
    clean = validate_rtp_capabilities(chrome("capabilities"))
    assert {codec["kind"] for codec in clean["codecs"]} == {"audio", "video"}
    assert validate_dtls_parameters(chrome("dtls")) == chrome("dtls")
    assert validate_dtls_parameters({"role": "client", "fingerprints": [FINGERPRINT]}) == {
        "role": "client",
        "fingerprints": [FINGERPRINT],
    }
    assert validate_dtls_parameters({"fingerprints": [FINGERPRINT]})["role"] == "auto"


CODEC = {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 90000}
ENCODINGS = [{"ssrc": 1}]


@pytest.mark.parametrize(
    "change",
    [
        {"codecs": []},
        {"codecs": [CODEC, CODEC]},
        {"codecs": [CODEC | {"mimeType": "audio/opus"}]},
        {"codecs": [CODEC | {"payloadType": 128}]},
        {"codecs": [CODEC | {"payloadType": True}]},
        {"codecs": [CODEC | {"payloadType": 96.5}]},
        {"codecs": [CODEC | {"parameters": {"x": "1\r\na=candidate:1"}}]},
        {"codecs": [CODEC | {"parameters": {"x\n": "1"}}]},
        {"codecs": [CODEC | {"parameters": {"x": [1]}}]},
        {"codecs": [CODEC | {"parameters": {"x": float("nan")}}]},
        {"codecs": [CODEC | {"parameters": {"x": 10**400}}]},
        {"codecs": [CODEC] * 101},
        {"encodings": []},
        {"codecs": [CODEC | {"payloadType": 64}]},
        {"codecs": [CODEC | {"payloadType": 95}]},
        {"encodings": [{}]},
        {"encodings": [{"ssrc": 1}, {"ssrc": 1}]},
        {"encodings": [{"ssrc": 1, "rtx": {"ssrc": 1}}]},
        {"encodings": [{"ssrc": 0}]},
        {"encodings": [{"ssrc": 2**32}]},
        {"encodings": [{"rid": "a"}, {"rid": "a"}]},
        {"encodings": [{"rid": "not a rid"}]},
        {"encodings": [{"ssrc": number} for number in range(1, 10)]},
        {"headerExtensions": [{"uri": "a", "id": 1}, {"uri": "b", "id": 1}]},
        {"headerExtensions": [{"uri": "a", "id": 1}, {"uri": "a", "id": 2}]},
        {"headerExtensions": [{"uri": "a", "id": 0}]},
        {"headerExtensions": [{"uri": "a", "id": 1, "encrypt": True}]},
        {"headerExtensions": {}},
        {"rtcp": [1]},
        {"rtcp": {"cname": "a\nb"}},
        {"mid": 5},
    ],
    ids=lambda change: json.dumps(change)[:50],
)
def test_wrong_parameters_are_refused(change: Json) -> None:
    """Parameters with one wrong member are refused, such as one that breaks the SDP of others."""
    valid: Json = {"codecs": [CODEC], "encodings": ENCODINGS}
    validate_rtp_parameters(valid, "video")
    with pytest.raises(Unsupported):
        validate_rtp_parameters(valid | change, "video")


@pytest.mark.parametrize(
    "parameters",
    [
        None,
        {},
        {"fingerprints": []},
        {"fingerprints": [{"algorithm": "md5", "value": FINGERPRINT["value"]}]},
        {"fingerprints": [FINGERPRINT | {"value": "AB:CD"}]},
        {"fingerprints": [FINGERPRINT | {"algorithm": "sha-1"}, FINGERPRINT | {"algorithm": "sha-224"}]},
        {"fingerprints": [FINGERPRINT], "role": "boss"},
    ],
)
def test_wrong_dtls_parameters_are_refused(parameters: object) -> None:
    """DTLS parameters without a fingerprint that can be compared are refused."""
    with pytest.raises(Unsupported):
        validate_dtls_parameters(parameters)


def test_numbers_may_have_a_point() -> None:
    """The number 96.0 is read as 96."""
    parameters = {"codecs": [CODEC | {"payloadType": 96.0}], "encodings": ENCODINGS}
    assert validate_rtp_parameters(parameters, "video")["codecs"][0]["payloadType"] == 96


@settings(max_examples=300)
@given(st.sampled_from(["audio", "video", "simulcast"]).flatmap(lambda name: spoiled(name) | json_values))
def test_no_parameters_harm_the_negotiation(value: object) -> None:
    """Any parameters are refused with a reason, or negotiated whole and fit for JSON."""
    for kind in ("audio", "video"):
        with contextlib.suppress(Unsupported):
            parameters = validate_rtp_parameters(value, kind)
            mapping = ortc.producer_mapping(parameters, kind)
            consumable = ortc.consumable_rtp_parameters(parameters)
            answer = ortc.consumer_rtp_parameters(consumable, ortc.router_capabilities(), "0000", (300, 301))
            json.dumps([parameters, mapping, answer], allow_nan=False)


@settings(max_examples=300)
@given(spoiled("capabilities") | json_values)
def test_no_capabilities_harm_the_negotiation(value: object) -> None:
    """Any capabilities can consume or get the one text of ruling R29."""
    parameters = validate_rtp_parameters(chrome("video"), "video")
    consumable = ortc.consumable_rtp_parameters(parameters)
    refusal = "Cannot consume"
    try:
        capabilities = validate_rtp_capabilities(value)
        if ortc.can_consume(consumable, capabilities):
            ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    except Unsupported as failure:
        refusal = failure.error
    assert refusal == "Cannot consume"


@given(json_values)
def test_no_dtls_parameters_harm_the_negotiation(value: object) -> None:
    """Any value but DTLS parameters is refused."""
    with pytest.raises(Unsupported):
        validate_dtls_parameters(value)
