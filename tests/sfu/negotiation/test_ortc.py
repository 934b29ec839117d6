"""Capability negotiation: what Chrome and mediasoup-client offer, what comes of it, and what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.negotiation import extensions, ortc
from hype.sfu.negotiation.shapes import Json, Unsupported, validate_rtp_capabilities, validate_rtp_parameters
from hype.sfu.worker import rtp
from hype.sfu.worker.inbound_track import ROUTER_SSRC

EXAMPLES = Path(__file__).parents[3] / "fixtures" / "rtp"
CHROME: dict[str, Any] = json.loads(EXAMPLES.joinpath("chrome.json").read_text())


def chrome(name: str) -> dict[str, Any]:
    """A copy of what mediasoup-client sends from Chrome: audio, video, simulcast (rtpParameters), capabilities."""
    return copy.deepcopy(CHROME[name])


def produced(name: str) -> tuple[Json, Json, Json]:
    """(validated parameters, mapping, consumable parameters) of one of Chrome's producers."""
    kind = "audio" if name == "audio" else "video"
    parameters = validate_rtp_parameters(chrome(name), kind)
    mapping = ortc.producer_mapping(parameters, kind)
    return parameters, mapping, ortc.consumable_rtp_parameters(kind, parameters, mapping)


def feedback_of(codec: Json) -> set[str]:
    """A codec's feedback as `type parameter`."""
    return {f"{item['type']} {item['parameter']}".strip() for item in codec["rtcpFeedback"]}


def test_the_router_offers_what_it_routes() -> None:
    """Opus and VP8 with RTX; extension ids agree with those that `rtp` writes; each answer is the caller's own."""
    capabilities = ortc.router_capabilities()
    assert [(codec["mimeType"], codec["preferredPayloadType"]) for codec in capabilities["codecs"]] == [
        ("audio/opus", 100),
        ("video/VP8", 101),
        ("video/rtx", 102),
    ]
    assert feedback_of(capabilities["codecs"][1]) == {"nack", "nack pli", "ccm fir", "goog-remb", "transport-cc"}
    ids = {extension["uri"]: extension["preferredId"] for extension in capabilities["headerExtensions"]}
    assert ids == {each.uri: each.id for each in extensions.EXTENSIONS}
    assert ids[extensions.MID] == extensions.MID_ID
    assert len(set(ids.values())) == len(ids)
    capabilities["codecs"][0]["parameters"]["mine"] = 1
    assert ortc.router_capabilities()["codecs"][0]["parameters"] == {}


def test_chromes_audio_maps_to_the_routers() -> None:
    """Payload type 111 becomes 100; the stream keeps its SSRC's name in the mapping."""
    parameters, mapping, consumable = produced("audio")
    assert mapping["codecs"] == [{"payloadType": 111, "mappedPayloadType": 100}]
    [encoding] = mapping["encodings"]
    assert encoding["ssrc"] == parameters["encodings"][0]["ssrc"]
    assert consumable["encodings"] == [{"ssrc": encoding["mappedSsrc"]}]
    assert consumable["codecs"][0]["parameters"] == {"minptime": 10, "useinbandfec": 1}
    assert {extension["uri"] for extension in consumable["headerExtensions"]} == {
        extensions.MID,
        extensions.ABS_SEND_TIME,
        extensions.AUDIO_LEVEL,
    }


def test_chromes_video_maps_with_its_rtx() -> None:
    """96 and its RTX 97 become 101 and 102."""
    _, mapping, consumable = produced("video")
    assert mapping["codecs"] == [
        {"payloadType": 96, "mappedPayloadType": 101},
        {"payloadType": 97, "mappedPayloadType": 102},
    ]
    assert [codec["payloadType"] for codec in consumable["codecs"]] == [101, 102]


def test_simulcast_maps_each_layer() -> None:
    """Layers are known by RID, in order, each with an SSRC of its own on the way out."""
    _, mapping, consumable = produced("simulcast")
    assert [encoding["rid"] for encoding in mapping["encodings"]] == ["r0", "r1", "r2"]
    assert len({encoding["mappedSsrc"] for encoding in mapping["encodings"]}) == 3
    assert len(consumable["encodings"]) == 3


def test_every_producer_has_a_name() -> None:
    """Its own; Chrome gives none with simulcast, so that one is made up."""
    assert produced("audio")[2]["rtcp"]["cname"] == chrome("audio")["rtcp"]["cname"]
    assert chrome("simulcast")["rtcp"]["cname"] == ""
    assert produced("simulcast")[2]["rtcp"]["cname"]


def test_the_clients_extension_ids_are_told_by_uri() -> None:
    """What the data plane looks for in a producer's packets."""
    ids = ortc.extension_ids(produced("audio")[0])
    assert (ids[extensions.AUDIO_LEVEL], ids[extensions.TRANSPORT_CC], ids[extensions.MID]) == (1, 3, 4)


def test_a_consumer_gets_the_routers_numbers_and_streams_of_its_own() -> None:
    """One encoding, RTX beside it, the producer's name, REMB and no transport-wide congestion control."""
    _, _, consumable = produced("simulcast")
    capabilities = validate_rtp_capabilities(chrome("capabilities"))
    one = ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    two = ortc.consumer_rtp_parameters(consumable, capabilities, "0001", (302, 303))
    assert [codec["payloadType"] for codec in one["codecs"]] == [101, 102]
    assert feedback_of(one["codecs"][0]) == {"nack", "nack pli", "ccm fir", "goog-remb"}
    assert (one["mid"], one["rtcp"]["cname"]) == ("0000", consumable["rtcp"]["cname"])
    assert ortc.extension_ids(one)[extensions.MID] == extensions.MID_ID
    assert [one["encodings"], two["encodings"]] == [
        [{"ssrc": 300, "rtx": {"ssrc": 301}}],
        [{"ssrc": 302, "rtx": {"ssrc": 303}}],
    ]


def test_a_consumer_without_rtx_and_extensions_gets_none() -> None:
    """Only what the client can take is offered."""
    _, _, consumable = produced("video")
    vp8 = {"kind": "video", "mimeType": "video/vp8", "preferredPayloadType": 120, "clockRate": 90000}
    capabilities = validate_rtp_capabilities({"codecs": [vp8]})
    parameters = ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    assert [codec["payloadType"] for codec in parameters["codecs"]] == [101]
    assert parameters["codecs"][0]["rtcpFeedback"] == []
    assert parameters["headerExtensions"] == []
    assert "rtx" not in parameters["encodings"][0]


def test_who_cannot_take_the_codec_cannot_consume() -> None:
    """Another codec, no codec, and mono Opus, which WebRTC does not have."""
    _, _, consumable = produced("audio")
    for codecs in (
        [],
        [{"mimeType": "audio/PCMU", "preferredPayloadType": 0, "clockRate": 8000}],
        [{"mimeType": "audio/opus", "preferredPayloadType": 100, "clockRate": 48000, "channels": 1}],
    ):
        capabilities = validate_rtp_capabilities({"codecs": codecs})
        assert not ortc.can_consume(consumable, capabilities)
        with pytest.raises(Unsupported, match=r"^Cannot consume$"):
            ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    assert ortc.can_consume(consumable, validate_rtp_capabilities(chrome("capabilities")))


@pytest.mark.parametrize(
    "codec",
    [
        {"mimeType": "video/H264", "payloadType": 103, "clockRate": 90000},
        {"mimeType": "video/rtx", "payloadType": 97, "clockRate": 90000, "parameters": {"apt": 96}},
        {"mimeType": "video/VP8", "payloadType": 96, "clockRate": 48000},
    ],
    ids=["another codec", "rtx alone", "another clock"],
)
def test_what_the_router_does_not_route_is_refused(codec: Json) -> None:
    """The codec has to be one that receivers are promised."""
    parameters = validate_rtp_parameters(chrome("video") | {"codecs": [codec]}, "video")
    with pytest.raises(Unsupported, match="Cannot produce"):
        ortc.producer_mapping(parameters, "video")


def test_the_codec_that_encodings_name_is_the_one() -> None:
    """A client may list several and send one of them."""
    offered = chrome("video")
    offered["codecs"].insert(0, {"mimeType": "video/H264", "payloadType": 103, "clockRate": 90000})
    offered["encodings"][0]["codecPayloadType"] = 96
    mapping = ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")
    assert mapping["codecs"][0] == {"payloadType": 96, "mappedPayloadType": 101}


@given(st.integers(0, 36**4 - 1), st.integers(0, 36**4 - 1))
def test_mids_are_as_wide_as_their_place(one: int, other: int) -> None:
    """Four characters, another one for each number."""
    assert len(ortc.mid_text(one)) == extensions.MID_SIZE
    assert (ortc.mid_text(one) == ortc.mid_text(other)) == (one == other)
    rtp.stamp_tail(1, ortc.mid_text(one))


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 1 << 30), st.integers(1, 1 << 30))
def test_no_ssrc_comes_twice_on_a_transport(first: int, number: int, later: int) -> None:
    """Neither as a stream's nor as its RTX's, however many consumers were closed; none is one of the router's."""
    ssrcs = [*ortc.consumer_ssrcs(first, number), *ortc.consumer_ssrcs(first, number + later)]
    assert len(set(ssrcs)) == 4
    assert all(ROUTER_SSRC < ssrc < 1 << 32 for ssrc in ssrcs)
