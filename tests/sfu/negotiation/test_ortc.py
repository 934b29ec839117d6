"""Tests of capability negotiation with what Chrome and mediasoup-client offer."""

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

EXAMPLES = Path(__file__).parents[3] / "fixtures" / "rtp"
CHROME: dict[str, Any] = json.loads(EXAMPLES.joinpath("chrome.json").read_text())


def chrome(name: str) -> dict[str, Any]:
    """Return a copy of what mediasoup-client sends from Chrome: `audio`, `video`, `simulcast` or `capabilities`."""
    return copy.deepcopy(CHROME[name])


def produced(name: str) -> tuple[Json, Json, Json]:
    """Return validated parameters, mapping and consumable parameters of one of Chrome's producers."""
    kind = "audio" if name == "audio" else "video"
    parameters = validate_rtp_parameters(chrome(name), kind)
    mapping = ortc.producer_mapping(parameters, kind)
    return parameters, mapping, ortc.consumable_rtp_parameters(parameters)


def feedback_of(codec: Json) -> set[str]:
    """Return a codec's feedback as `type parameter`."""
    return {f"{item['type']} {item['parameter']}".strip() for item in codec["rtcpFeedback"]}


def test_the_router_offers_what_it_routes() -> None:
    """The router offers Opus and VP8 with RTX, and the extension ids that it writes. Each answer is a copy."""
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
    """Chrome's payload type 111 becomes 100."""
    _, mapping, consumable = produced("audio")
    assert mapping["codecs"] == [{"payloadType": 111, "mappedPayloadType": 100}]
    assert consumable["codecs"][0]["parameters"] == {"minptime": 10, "useinbandfec": 1}
    assert {extension["uri"] for extension in consumable["headerExtensions"]} == {
        extensions.MID,
        extensions.ABS_SEND_TIME,
        extensions.AUDIO_LEVEL,
    }


def test_chromes_video_maps_with_its_rtx() -> None:
    """Chrome's payload type 96 and its RTX 97 become 101 and 102."""
    _, mapping, consumable = produced("video")
    assert mapping["codecs"] == [
        {"payloadType": 96, "mappedPayloadType": 101},
        {"payloadType": 97, "mappedPayloadType": 102},
    ]
    assert [codec["payloadType"] for codec in consumable["codecs"]] == [101, 102]


def test_simulcast_maps_its_codec() -> None:
    """The codec of all layers of Chrome's simulcast becomes 101, with RTX."""
    _, mapping, consumable = produced("simulcast")
    assert mapping["codecs"][0] == {"payloadType": 96, "mappedPayloadType": 101}
    assert [codec["payloadType"] for codec in consumable["codecs"]] == [101, 102]


def test_every_producer_has_a_name() -> None:
    """A producer has its own cname, or a new one where it has none, as Chrome's with simulcast."""
    assert produced("audio")[2]["rtcp"]["cname"] == chrome("audio")["rtcp"]["cname"]
    assert chrome("simulcast")["rtcp"]["cname"] == ""
    assert produced("simulcast")[2]["rtcp"]["cname"]


def test_the_clients_extension_ids_are_told_by_uri() -> None:
    """A client's extension ids are found by URI."""
    ids = ortc.extension_ids(produced("audio")[0])
    assert (ids[extensions.AUDIO_LEVEL], ids[extensions.TRANSPORT_CC], ids[extensions.MID]) == (1, 3, 4)


def test_a_consumer_gets_the_routers_numbers_and_streams_of_its_own() -> None:
    """A consumer has one encoding with RTX, the producer's cname, REMB and no transport-cc."""
    _, _, consumable = produced("simulcast")
    capabilities = validate_rtp_capabilities(chrome("capabilities"))
    first = ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    second = ortc.consumer_rtp_parameters(consumable, capabilities, "0001", (302, 303))
    assert [codec["payloadType"] for codec in first["codecs"]] == [101, 102]
    assert feedback_of(first["codecs"][0]) == {"nack", "nack pli", "ccm fir", "goog-remb"}
    assert (first["mid"], first["rtcp"]["cname"]) == ("0000", consumable["rtcp"]["cname"])
    assert ortc.extension_ids(first)[extensions.MID] == extensions.MID_ID
    assert [first["encodings"], second["encodings"]] == [
        [{"ssrc": 300, "rtx": {"ssrc": 301}}],
        [{"ssrc": 302, "rtx": {"ssrc": 303}}],
    ]


def test_a_consumer_without_rtx_and_extensions_gets_none() -> None:
    """A consumer gets no RTX and no extension that its client does not know."""
    _, _, consumable = produced("video")
    vp8 = {"kind": "video", "mimeType": "video/vp8", "preferredPayloadType": 120, "clockRate": 90000}
    capabilities = validate_rtp_capabilities({"codecs": [vp8]})
    parameters = ortc.consumer_rtp_parameters(consumable, capabilities, "0000", (300, 301))
    assert [codec["payloadType"] for codec in parameters["codecs"]] == [101]
    assert parameters["codecs"][0]["rtcpFeedback"] == []
    assert parameters["headerExtensions"] == []
    assert "rtx" not in parameters["encodings"][0]


def test_a_client_without_the_codec_cannot_consume() -> None:
    """A client with another codec, no codec or mono Opus cannot consume."""
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
    """A producer with a codec that the router does not forward is refused."""
    parameters = validate_rtp_parameters(chrome("video") | {"codecs": [codec]}, "video")
    with pytest.raises(Unsupported, match="Cannot produce"):
        ortc.producer_mapping(parameters, "video")


def test_the_codec_that_encodings_name_is_the_one() -> None:
    """A client may list several codecs. The one that its encodings name is mapped."""
    offered = chrome("video")
    offered["codecs"].insert(0, {"mimeType": "video/H264", "payloadType": 103, "clockRate": 90000})
    offered["encodings"][0]["codecPayloadType"] = 96
    mapping = ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")
    assert mapping["codecs"][0] == {"payloadType": 96, "mappedPayloadType": 101}


def test_the_order_of_codecs_does_not_matter() -> None:
    """A producer whose RTX codec stands first is mapped like one whose RTX codec stands last."""
    offered = chrome("video")
    mapping = ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")
    offered["codecs"].reverse()
    assert ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video") == mapping


@pytest.mark.parametrize("mime", ["video/red", "video/ulpfec", "video/H264"])
def test_a_codec_that_may_be_sent_and_is_not_routed_is_refused(mime: str) -> None:
    """A producer that lists a codec beside VP8 could send it. It is refused, because it would not be forwarded."""
    offered = chrome("video")
    offered["codecs"].append({"mimeType": mime, "payloadType": 103, "clockRate": 90000})
    with pytest.raises(Unsupported, match=f"{mime} is not routed"):
        ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")


def test_each_payload_type_of_a_codec_is_mapped() -> None:
    """A client that lists VP8 twice, each with RTX, may send either."""
    offered = chrome("video")
    vp8, rtx = offered["codecs"]
    offered["codecs"] += [{**vp8, "payloadType": 120}, {**rtx, "payloadType": 121, "parameters": {"apt": 120}}]
    mapping = ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")
    mapped = {each["payloadType"]: each["mappedPayloadType"] for each in mapping["codecs"]}
    assert mapped == {vp8["payloadType"]: 101, 120: 101, rtx["payloadType"]: 102, 121: 102}


@pytest.mark.parametrize("where", ["codecPayloadType", "apt"])
def test_a_payload_type_that_is_not_listed_is_refused(where: str) -> None:
    """A producer with an encoding or an RTX codec of a missing codec is refused (amendment A9)."""
    offered = chrome("video")
    if where == "apt":
        offered["codecs"][1]["parameters"] = {"apt": 50}
    else:
        offered["encodings"][0]["codecPayloadType"] = 50
    with pytest.raises(Unsupported, match="not listed"):
        ortc.producer_mapping(validate_rtp_parameters(offered, "video"), "video")


@given(st.integers(0, 26 * 36**3 - 1), st.integers(0, 26 * 36**3 - 1))
def test_mids_are_as_wide_as_their_place(first: int, second: int) -> None:
    """A mid has four characters, the first a letter (SDP libraries read digits as numbers); each number another mid."""
    assert len(ortc.mid_text(first)) == extensions.MID_SIZE
    assert ortc.mid_text(first)[0].isalpha()
    assert (ortc.mid_text(first) == ortc.mid_text(second)) == (first == second)
    rtp.stamp_tail(1, ortc.mid_text(first))


@given(st.integers(0, 0xFFFFFFFF), st.integers(0, 1 << 30), st.integers(1, 1 << 30))
def test_no_ssrc_comes_twice_on_a_transport(first: int, number: int, later: int) -> None:
    """No SSRC or RTX SSRC comes twice on a transport, and none is the router's."""
    ssrcs = [*ortc.consumer_ssrcs(first, number), *ortc.consumer_ssrcs(first, number + later)]
    assert len(set(ssrcs)) == 4
    assert all(ortc.ROUTER_SSRC < ssrc < 1 << 32 for ssrc in ssrcs)
