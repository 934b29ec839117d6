"""Producers: made, refused, closed (ruling R28)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import KINDS, Party, opus, parameters, parties, vp8
from hype_contract.cases.voice.transports import UNKNOWN_TRANSPORT

UNKNOWN_PRODUCER = "no-such-producer"
NO_NAME = (400, 404)
"""What an id may be answered that is none: it breaks a rule for strings (R11), and names nothing (R10)."""


@case(
    "R28.produce",
    "audio, video and screen can be produced on one transport",
    source="Voice (/api/voice); ruling R28",
)
def produce(world: World) -> None:
    """Microphone, camera and screen at once, on one transport, connected or not."""
    (ann,) = parties(world, "ann")
    ids = set()
    for kind in KINDS:
        data = ann.produce(kind).data
        must.equal(data["kind"], kind, "kind")
        must.equal(data["producerId"], data["id"], "producerId, which is the id")
        ids.add(data["id"])
    must.equal(len(ids), len(KINDS), "the number of different ids")


@case("R28.one-of-each-kind", slow=True)
def one_of_each_kind(world: World) -> None:
    """A second of a kind is 409 while the first is open; another person's, or one elsewhere, does not count."""
    ann, bob = parties(world, "ann", "bob")
    for kind in KINDS:
        first = ann.producer(kind)
        ann.produce(kind, expect=409)
        bob.produce(kind)
        ann.stop(first)
        ann.produce(kind)
    elsewhere = Party(world, ann.person, world.channel(ann.person, "voice")["id"])
    elsewhere.produce("audio")


@case(
    "R28.wrong-transport",
    "an unknown transport is 404, somebody else's 403, a recv transport 400",
    source="Voice (/api/voice); ruling R28",
)
def wrong_transport(world: World) -> None:
    """Unknown transports are 404, other people's 403, a recv transport 400."""
    ann, bob = parties(world, "ann", "bob")
    ann.produce(transport_id=UNKNOWN_TRANSPORT, expect=404)
    ann.produce(transport_id=bob.sending, expect=403)
    ann.produce(transport_id=bob.receiving, expect=403)
    ann.produce(transport_id=ann.receiving, expect=400)
    ann.produce()


def _unroutable() -> dict[str, tuple[str, dict[str, Any]]]:
    """Name → the kind and parameters that no router can route, whatever codecs it has beside opus and VP8."""
    strange_sound, strange_picture, twins = opus(), vp8(), vp8()
    strange_sound["codecs"][0].update(mimeType="audio/no-such-codec", clockRate=8000, channels=1)
    strange_picture["codecs"][0].update(mimeType="video/no-such-codec")
    twins["codecs"][1]["payloadType"] = twins["codecs"][0]["payloadType"]
    return {
        "a codec that the router does not have": ("audio", strange_sound),
        "another codec that the router does not have": ("video", strange_picture),
        "video as audio": ("audio", vp8()),
        "audio as video": ("video", opus()),
        "audio as a screen": ("screen", opus()),
        "one payload type twice": ("video", twins),
        "no codec": ("audio", {**opus(), "codecs": []}),
        "no payload type": ("audio", _without(opus(), "payloadType")),
        "no clock rate": ("audio", _without(opus(), "clockRate")),
    }


def _without(rtp: dict[str, Any], member: str) -> dict[str, Any]:
    bare = deepcopy(rtp)
    del bare["codecs"][0][member]
    return bare


@case("R28.unroutable", "parameters that the router cannot route are 400", source="Voice (/api/voice); ruling R28")
def unroutable(world: World) -> None:
    """Parameters that the router cannot route are 400, and leave the kind free."""
    (ann,) = parties(world, "ann")
    for kind, rtp in _unroutable().values():
        ann.produce(kind, rtp, expect=400)
    for kind in KINDS:
        ann.produce(kind)


@case(
    "R28.members",
    "produce needs transportId, kind and rtpParameters of their types",
    source="Voice (/api/voice); ruling R28",
)
def members(world: World) -> None:
    """Each member has its type; a kind is one of three."""
    (ann,) = parties(world, "ann")
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
    world.rest.call("createProducer", token=ann.person.token, body={**good, "transportId": "a\x00"}, expect=NO_NAME)
    ann.produce("audio")


@case("R28.close", "a producer that was closed is gone", source="Voice (/api/voice); ruling R28")
def close(world: World) -> None:
    """Closing answers the id; then the producer is 404 to everybody."""
    ann, bob = parties(world, "ann", "bob")
    for kind in KINDS:
        producer = ann.producer(kind)
        must.equal(ann.stop(producer).data["id"], producer, "id")
        ann.stop(producer, expect=404)
        bob.consume(producer, expect=404)


@case(
    "R28.close-refused",
    "closing somebody else's producer is 403, an unknown one 404",
    source="Voice (/api/voice); ruling R28",
)
def close_refused(world: World) -> None:
    """Other people's producers are 403 and stay; unknown ones 404, ids that are none as well."""
    ann, bob = parties(world, "ann", "bob")
    producer = ann.producer()
    bob.stop(producer, expect=403)
    for unknown in (UNKNOWN_PRODUCER, "a\x00", "ä", "x" * 65):
        bob.stop(unknown, expect=404)
    bob.consume(producer)
    ann.stop(producer)


@case("R10.voice-precedence", "of several failures 404 comes first, then 403, 400 and 409", source="rulings R8 to R11")
def precedence(world: World) -> None:
    """What is named comes first (404), then whose it is (403), then what it can do (400), then what is taken (409)."""
    ann, bob = parties(world, "ann", "bob")
    unroutable = {**opus(), "codecs": vp8()["codecs"]}
    ann.produce("audio", unroutable, transport_id=UNKNOWN_TRANSPORT, expect=404)
    ann.produce("audio", unroutable, transport_id=bob.receiving, expect=403)
    ann.producer("audio")
    ann.produce("audio", unroutable, expect=400)
    ann.produce("audio", parameters("audio"), transport_id=ann.receiving, expect=400)
    bob.connect(bob.sending)
    ann.connect(bob.sending, expect=403)
