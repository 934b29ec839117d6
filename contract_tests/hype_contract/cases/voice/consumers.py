"""Consumers: created and refused; and the extensions: close a consumer, restart ICE, list producers (ruling R29)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import UNKNOWN_CHANNEL
from hype_contract.cases.registry import case
from hype_contract.cases.voice.events import participants_in_call
from hype_contract.cases.voice.producers import MALFORMED_ID, UNKNOWN_PRODUCER
from hype_contract.cases.voice.signalling import KINDS, Participant, participants
from hype_contract.cases.voice.transports import UNKNOWN_TRANSPORT


@case(
    "R29.consume",
    "a consumer names its producer, kind and SSRC, and has only codecs of the device's capabilities",
    source="openapi.yaml#/components/schemas/ConsumerOptions",
)
def consume(world: World) -> None:
    """Consume a producer of each kind: the answers are what mediasoup-client's `transport.consume()` takes.

    Both users are in the call, not muted: the producers are not paused.
    """
    (ann, _), (bob, _) = participants_in_call(world, "ann", "bob")
    ssrcs = set()
    for kind in KINDS:
        producer = ann.producer(kind)
        data = bob.consume(producer).data
        media = "audio" if kind == "audio" else "video"
        expected = {"producerId": producer, "consumerId": data["id"], "kind": media, "producerPaused": False}
        must.members(data, expected, f"the consumer of {kind}")
        _receivable(bob.capabilities, data["rtpParameters"], media)
        ssrcs.add(_ssrc(data["rtpParameters"]))
    must.equal(len(ssrcs), len(KINDS), "the number of different SSRCs")


@case(
    "R29.mid-is-no-number",
    "the mid of a consumer is not made of digits alone, which SDP libraries may read as a number",
    source="ruling R29",
    level="extension",
)
def mid_is_no_number(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    for kind in KINDS:
        mid = bob.consume(ann.producer(kind)).data["rtpParameters"].get("mid", "")
        must.hold(not mid.isdigit(), "a mid that is no number", mid)


@case(
    "R29.device",
    "a consumer has no RTX and no header extension that the device's capabilities lack",
    source="openapi.yaml#/components/schemas/ConsumerOptions",
    strength="should",
)
def device(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    codecs = [codec for codec in bob.capabilities["codecs"] if not codec["mimeType"].lower().endswith("/rtx")]
    plain = {"codecs": codecs, "headerExtensions": []}
    for kind in KINDS:
        rtp = bob.consume(ann.producer(kind), capabilities=plain).data["rtpParameters"]
        _receivable(plain, rtp, "audio" if kind == "audio" else "video")
        must.equal(rtp["encodings"][0].get("rtx"), None, "the encoding's rtx for a device without RTX")


def _ssrc(rtp: dict[str, Any]) -> int:
    """Return the first SSRC of the encodings, which a receiver needs to tell the streams apart."""
    ssrcs = [encoding["ssrc"] for encoding in rtp.get("encodings", []) if "ssrc" in encoding]
    must.hold(len(ssrcs) > 0, "encodings that name an SSRC", rtp.get("encodings"))
    return int(ssrcs[0])


def _receivable(capabilities: dict[str, Any], rtp: dict[str, Any], media: str) -> None:
    """Demand that the payload types and header extension ids are those of the device's capabilities."""
    known = {codec["preferredPayloadType"]: codec["mimeType"].lower() for codec in capabilities["codecs"]}
    for codec in rtp["codecs"]:
        payload_type = codec["payloadType"]
        must.equal(codec["mimeType"].lower(), known.get(payload_type), f"the codec of payload type {payload_type}")
        must.hold(codec["mimeType"].startswith(media), f"a codec of {media}", codec["mimeType"])
    offered = {
        (extension["uri"], extension["preferredId"])
        for extension in capabilities.get("headerExtensions", [])
        if extension["kind"] == media
    }
    used = {(extension["uri"], extension["id"]) for extension in rtp.get("headerExtensions", [])}
    must.hold(used <= offered, "header extensions of the capabilities", sorted(used - offered))


@case(
    "R29.own",
    "a user can consume their own producer, and several users can consume the same producer",
    source="openapi.yaml#/paths/~1api~1voice~1consume/post",
)
def own(world: World) -> None:
    ann, bob, eve = participants(world, "ann", "bob", "eve")
    producer = ann.producer("video")
    ids = {participant.consume(producer).data["id"] for participant in (ann, bob, eve)}
    must.equal(len(ids), 3, "the number of different consumers")


@case(
    "R29.cannot-consume",
    "createConsumer is 400 if the capabilities lack the producer's codec, or the transport is a send transport",
    source="openapi.yaml#/paths/~1api~1voice~1consume/post",
    slow=True,
)
def cannot_consume(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    for kind in KINDS:
        producer = ann.producer(kind)
        media = "audio" if kind == "audio" else "video"
        others = [codec for codec in bob.capabilities["codecs"] if codec["kind"] != media]
        for codecs in ([], others):
            bob.consume(producer, capabilities={**bob.capabilities, "codecs": codecs}, expect=400)
        bob.consume(producer, capabilities={}, expect=400)
        bob.consume(producer, transport_id=bob.sending, expect=400)
        bob.consume(producer)


@case(
    "R29.refused",
    "createConsumer is 404 with an unknown transport or a producer not in the channel, 403 with another's transport",
    source="openapi.yaml#/paths/~1api~1voice~1consume/post",
)
def refused(world: World) -> None:
    """Consume the producer after the refused requests, which have changed nothing."""
    ann, bob = participants(world, "ann", "bob")
    producer = ann.producer()
    elsewhere = Participant(world, bob.person, world.channel(bob.person, "voice")["id"])
    bob.consume(UNKNOWN_PRODUCER, expect=404)
    bob.consume(producer, transport_id=UNKNOWN_TRANSPORT, expect=404)
    bob.consume(producer, transport_id=ann.receiving, expect=403)
    bob.consume(UNKNOWN_PRODUCER, transport_id=ann.receiving, expect=404)
    bob.consume(producer)
    elsewhere.consume(producer, expect=404)


@case(
    "R29.members",
    "createConsumer is 400 unless transportId, producerId and rtpCapabilities are present and have their types",
    source="openapi.yaml#/paths/~1api~1voice~1consume/post",
)
def members(world: World) -> None:
    """Leave out each member, give it other types, and put U+0000 into the ids, which may be 404, too."""
    ann, bob = participants(world, "ann", "bob")
    good = {"transportId": bob.receiving, "producerId": ann.producer(), "rtpCapabilities": bob.capabilities}
    no_capabilities: list[Any] = [None, [], {"codecs": {}}, {"codecs": [{"kind": "smell"}]}]
    wrong: list[dict[str, Any]] = [
        *({name: value for name, value in good.items() if name != left_out} for left_out in good),
        *({**good, name: value} for name in ("transportId", "producerId") for value in (None, 1)),
        *({**good, "rtpCapabilities": caps} for caps in no_capabilities),
    ]
    for body in wrong:
        world.rest.call("createConsumer", token=bob.person.token, body=body, expect=400)
    for name in ("transportId", "producerId"):
        body = {**good, name: "a\x00"}
        world.rest.call("createConsumer", token=bob.person.token, body=body, expect=MALFORMED_ID)


@case("R29.close-consumer", "only the owner of a consumer can close it, and only once", level="extension")
def close_consumer(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    consumer = str(bob.consume(ann.producer()).data["id"])

    def close(participant: Participant, expect: int) -> Reply:
        return world.rest.call("closeConsumer", token=participant.person.token, path={"id": consumer}, expect=expect)

    close(ann, 403)
    must.equal(close(bob, 200).data["id"], consumer, "id")
    close(bob, 404)


@case("R29.consumer-closes-with-producer", "a consumer closes when its producer closes", level="extension")
def consumer_closes_with_producer(world: World) -> None:
    """Close one of two producers, then close both consumers: 404 for the one, 200 for the other."""
    ann, bob = participants(world, "ann", "bob")
    producers = {kind: ann.producer(kind) for kind in ("audio", "video")}
    consumers = {kind: str(bob.consume(producer).data["id"]) for kind, producer in producers.items()}
    ann.stop(producers["audio"])
    for kind, status in (("audio", 404), ("video", 200)):
        path = {"id": consumers[kind]}
        world.rest.call("closeConsumer", token=bob.person.token, path=path, expect=status)


@case("R29.restart-ice", "restartIce gives the owner of a transport new ICE credentials", level="extension")
def restart_ice(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    before = ann.transport("send").data

    def restart(participant: Participant, transport: str, expect: int) -> Reply:
        body = {"transportId": transport}
        return world.rest.call("restartIce", token=participant.person.token, body=body, expect=expect)

    after = restart(ann, before["id"], 200).data["iceParameters"]
    must.equal(after["iceLite"], True, "iceLite")
    for name in ("usernameFragment", "password"):
        must.hold(after[name] != before["iceParameters"][name], f"a new {name}")
    restart(bob, before["id"], 403)
    restart(ann, UNKNOWN_TRANSPORT, 404)


@case(
    "R29.list-producers",
    "listChannelProducers lists the open producers of a voice channel to every user, oldest first",
    level="extension",
)
def list_producers(world: World) -> None:
    ann, bob = participants(world, "ann", "bob")
    for channel, status in ((world.channel(ann.person)["id"], 400), (UNKNOWN_CHANNEL, 404)):
        path = {"channelId": channel}
        world.rest.call("listChannelProducers", token=bob.person.token, path=path, expect=status)

    def listed() -> list[tuple[str, str, str]]:
        path = {"channelId": ann.channel}
        replies = [
            world.rest.call("listChannelProducers", token=participant.person.token, path=path, expect=200)
            for participant in (ann, bob)
        ]
        first, second = (reply.data for reply in replies)
        must.equal(first, second, "the list as it is shown to two users", seen=replies[0].pair)
        for entry in first:
            must.members(entry, {"id": entry["producerId"], "channelId": ann.channel}, "an open producer")
        return [(entry["userId"], entry["producerId"], entry["kind"]) for entry in first]

    must.equal(listed(), [], "the producers of a new channel")
    made = {kind: ann.producer(kind) for kind in ("video", "audio", "screen")}
    oldest_first = [(ann.person.id, producer, kind) for kind, producer in made.items()]
    must.equal(listed(), oldest_first, "the producers, oldest first")
    ann.stop(made["audio"])
    must.equal(listed(), [oldest_first[0], oldest_first[2]], "the producers after one of them was closed")
