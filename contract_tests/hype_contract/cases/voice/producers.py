"""Producers: created, refused, closed (ruling R28)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import KINDS, Participant, opus, parameters, participants, vp8
from hype_contract.cases.voice.transports import UNKNOWN_TRANSPORT

UNKNOWN_PRODUCER = "no-such-producer"
MALFORMED_ID = (400, 404)
"""The statuses for an id with U+0000: it breaks a rule for strings (R11), and no object has it (R10)."""


@case(
    "R28.produce",
    "one transport can send audio, video and screen at the same time",
    source="sfuService.ts › Data Structures; Voice (/api/voice) › POST /produce",
    level="documented",
)
def produce(world: World) -> None:
    """Create a producer of each kind on a transport that is not connected yet."""
    (ann,) = participants(world, "ann")
    ids = set()
    for kind in KINDS:
        data = ann.produce(kind).data
        must.equal(data["kind"], kind, "kind")
        must.equal(data["producerId"], data["id"], "producerId, which is the id")
        ids.add(data["id"])
    must.equal(len(ids), len(KINDS), "the number of different ids")


@case("R28.one-of-each-kind", slow=True)
def one_of_each_kind(world: World) -> None:
    """Create a second producer of each kind (409), one as another user, one after closing, one in another channel."""
    ann, bob = participants(world, "ann", "bob")
    for kind in KINDS:
        first = ann.producer(kind)
        ann.produce(kind, expect=409)
        bob.produce(kind)
        ann.stop(first)
        ann.produce(kind)
    elsewhere = Participant(world, ann.person, world.channel(ann.person, "voice")["id"])
    elsewhere.produce("audio")


@case(
    "R28.wrong-transport",
    "createProducer is 404 with an unknown transport, 403 with another user's, 400 with a recv transport",
    source="openapi.yaml#/paths/~1api~1voice~1produce/post",
)
def wrong_transport(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    ann.produce(transport_id=UNKNOWN_TRANSPORT, expect=404)
    ann.produce(transport_id=bob.sending, expect=403)
    ann.produce(transport_id=bob.receiving, expect=403)
    ann.produce(transport_id=ann.receiving, expect=400)
    ann.produce()


_NOT_THERE = 98
"""A payload type that no codec of `opus()` and `vp8()` has."""


def _unroutable() -> dict[str, tuple[str, dict[str, Any]]]:
    """Return name → a kind and parameters that no router can route, whatever codecs it has beside opus and VP8."""
    unknown_audio, unknown_video, same_type = opus(), vp8(), vp8()
    unknown_audio["codecs"][0].update(mimeType="audio/no-such-codec", clockRate=8000, channels=1)
    unknown_video["codecs"][0].update(mimeType="video/no-such-codec")
    same_type["codecs"][1]["payloadType"] = same_type["codecs"][0]["payloadType"]
    no_such_codec, repairs_nothing, one_ssrc, one_extension_id = vp8(), vp8(), vp8(), opus()
    no_such_codec["encodings"][0]["codecPayloadType"] = _NOT_THERE
    repairs_nothing["codecs"][1]["parameters"]["apt"] = _NOT_THERE
    one_ssrc["encodings"][0]["rtx"]["ssrc"] = one_ssrc["encodings"][0]["ssrc"]
    one_extension_id["headerExtensions"][1]["id"] = one_extension_id["headerExtensions"][0]["id"]
    return {
        "an audio codec that the router does not have": ("audio", unknown_audio),
        "a video codec that the router does not have": ("video", unknown_video),
        "video as audio": ("audio", vp8()),
        "audio as video": ("video", opus()),
        "audio as a screen": ("screen", opus()),
        "one payload type twice": ("video", same_type),
        "an encoding of a payload type that is not there": ("video", no_such_codec),
        "retransmission of a payload type that is not there": ("screen", repairs_nothing),
        "one SSRC twice": ("video", one_ssrc),
        "one id of a header extension twice": ("audio", one_extension_id),
        "no codec": ("audio", {**opus(), "codecs": []}),
        "no payload type": ("audio", _without(opus(), "payloadType")),
        "no clock rate": ("audio", _without(opus(), "clockRate")),
    }


def _without(rtp: dict[str, Any], member: str) -> dict[str, Any]:
    bare = deepcopy(rtp)
    del bare["codecs"][0][member]
    return bare


@case(
    "R28.unroutable",
    "createProducer is 400 with rtpParameters that the router cannot route",
    source="openapi.yaml#/components/schemas/RtpParameters; ruling R28; amendment A9",
)
def unroutable(world: World) -> None:
    """Create a producer of each kind at the end: the refused requests have created none."""
    (ann,) = participants(world, "ann")
    for kind, rtp in _unroutable().values():
        ann.produce(kind, rtp, expect=400)
    for kind in KINDS:
        ann.produce(kind)


@case(
    "R28.rtcp-payload-types",
    "createProducer is 400 with a payload type of 64 to 95, whose packets cannot be told from RTCP",
    source="openapi.yaml#/components/schemas/RtpParameters; ruling R28; amendment A20; RFC 5761, section 4",
    strength="should",
)
def rtcp_payload_types(world: World) -> None:
    """Try the first, one in the middle, and the last; then a neighbour, which is taken."""
    (ann,) = participants(world, "ann")
    for payload_type in (64, 72, 95):
        ann.produce("audio", _with_payload_type(opus(), payload_type), expect=400)
    ann.produce("audio", _with_payload_type(opus(), 96))


def _with_payload_type(rtp: dict[str, Any], payload_type: int) -> dict[str, Any]:
    rtp["codecs"][0]["payloadType"] = payload_type
    return rtp


@case(
    "R28.members",
    "createProducer is 400 unless transportId, kind and rtpParameters are present and have their types",
    source="openapi.yaml#/paths/~1api~1voice~1produce/post",
)
def members(world: World) -> None:
    """Leave out each member, give it other types and values, and put U+0000 into the id, which may be 404, too."""
    (ann,) = participants(world, "ann")
    good: dict[str, Any] = {"transportId": ann.sending, "kind": "audio", "rtpParameters": opus()}
    no_rtp: list[Any] = [None, [], "opus", {}, {"codecs": [None]}, {"codecs": {}}]
    wrong: list[dict[str, Any]] = [
        *({name: value for name, value in good.items() if name != left_out} for left_out in good),
        *({**good, "kind": kind} for kind in ("AUDIO", "", "data", 1, None)),
        *({**good, "rtpParameters": rtp} for rtp in no_rtp),
        *({**good, "transportId": transport} for transport in (1, None)),
        {**good, "appData": "text"},
    ]
    for body in wrong:
        world.rest.call("createProducer", token=ann.person.token, body=body, expect=400)
    body = {**good, "transportId": "a\x00"}
    world.rest.call("createProducer", token=ann.person.token, body=body, expect=MALFORMED_ID)
    ann.produce("audio")


@case(
    "R28.close",
    "closeProducer answers the producer's id; then the producer is 404 to every user",
    source="openapi.yaml#/paths/~1api~1voice~1produce~1{id}/delete",
)
def close(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    for kind in KINDS:
        producer = ann.producer(kind)
        must.equal(ann.stop(producer).data["id"], producer, "id")
        ann.stop(producer, expect=404)
        bob.consume(producer, expect=404)


@case(
    "R28.close-refused",
    "closeProducer is 403 with another user's producer, and 404 with an unknown producer",
    source="openapi.yaml#/paths/~1api~1voice~1produce~1{id}/delete",
)
def close_refused(world: World) -> None:
    """Consume and close the producer at the end: the refused requests have not closed it."""
    ann, bob = participants(world, "ann", "bob")
    producer = ann.producer()
    bob.stop(producer, expect=403)
    for unknown in (UNKNOWN_PRODUCER, "a\x00", "ä", "x" * 65):
        bob.stop(unknown, expect=404)
    bob.consume(producer)
    ann.stop(producer)


@case(
    "R10.voice-precedence",
    "a request with several failures is answered by the first of 404, 403, 400 and 409",
    source="openapi.yaml#/info/description › Order of failures",
)
def precedence(world: World) -> None:
    """Send requests that break two rules each: 404 comes before 400, 403 before 400 and 409, 400 before 409."""
    ann, bob = participants(world, "ann", "bob")
    unroutable = {**opus(), "codecs": vp8()["codecs"]}
    ann.produce("audio", unroutable, transport_id=UNKNOWN_TRANSPORT, expect=404)
    ann.produce("audio", unroutable, transport_id=bob.receiving, expect=403)
    ann.producer("audio")
    ann.produce("audio", unroutable, expect=400)
    ann.produce("audio", parameters("audio"), transport_id=ann.receiving, expect=400)
    bob.connect(bob.sending)
    ann.connect(bob.sending, expect=403)
