"""Consumers: made, refused; and what the reference adds (ruling R29)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import UNKNOWN_CHANNEL
from hype_contract.cases.registry import case
from hype_contract.cases.voice.producers import NO_NAME, UNKNOWN_PRODUCER
from hype_contract.cases.voice.signalling import KINDS, Party, parties
from hype_contract.cases.voice.transports import UNKNOWN_TRANSPORT


@case(
    "R29.consume",
    "a consumer is what mediasoup-client takes, by the device's capabilities",
    source="Voice (/api/voice); ruling R29",
)
def consume(world: World) -> None:
    """What `transport.consume()` takes: a codec of the right kind that the device knows, and an SSRC of its own."""
    ann, bob = parties(world, "ann", "bob")
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
    "R29.device",
    "a consumer has nothing that the device's capabilities do not know",
    source="Voice (/api/voice); ruling R29",
    strength="should",
)
def device(world: World) -> None:
    """A device that knows neither retransmission nor header extensions is offered neither."""
    ann, bob = parties(world, "ann", "bob")
    codecs = [one for one in bob.capabilities["codecs"] if not one["mimeType"].lower().endswith("/rtx")]
    plain = {"codecs": codecs, "headerExtensions": []}
    for kind in KINDS:
        rtp = bob.consume(ann.producer(kind), capabilities=plain).data["rtpParameters"]
        _receivable(plain, rtp, "audio" if kind == "audio" else "video")
        must.equal(rtp["encodings"][0].get("rtx"), None, "the encoding's rtx for a device that knows none")


def _ssrc(rtp: dict[str, Any]) -> int:
    """The one stream's SSRC, without which nobody can tell what comes."""
    ssrcs = [one["ssrc"] for one in rtp.get("encodings", []) if "ssrc" in one]
    must.hold(len(ssrcs) > 0, "encodings that name an SSRC", rtp.get("encodings"))
    return int(ssrcs[0])


def _receivable(capabilities: dict[str, Any], rtp: dict[str, Any], media: str) -> None:
    """Payload types and extension ids are those of the device's capabilities."""
    known = {one["preferredPayloadType"]: one["mimeType"].lower() for one in capabilities["codecs"]}
    for codec in rtp["codecs"]:
        payload_type = codec["payloadType"]
        must.equal(codec["mimeType"].lower(), known.get(payload_type), f"the codec of payload type {payload_type}")
        must.hold(codec["mimeType"].startswith(media), f"a codec of {media}", codec["mimeType"])
    extensions = {
        (one["uri"], one["preferredId"]) for one in capabilities.get("headerExtensions", []) if one["kind"] == media
    }
    used = {(one["uri"], one["id"]) for one in rtp.get("headerExtensions", [])}
    must.hold(used <= extensions, "header extensions of the capabilities", sorted(used - extensions))


@case(
    "R29.own",
    "one's own producer, and one that others consume, can be consumed",
    source="Voice (/api/voice); ruling R29",
)
def own(world: World) -> None:
    """One's own stream may be consumed, and several people may consume one."""
    ann, bob, eve = parties(world, "ann", "bob", "eve")
    producer = ann.producer("video")
    ids = {party.consume(producer).data["id"] for party in (ann, bob, eve)}
    must.equal(len(ids), 3, "the number of different consumers")


@case(
    "R29.cannot-consume",
    "capabilities that cannot take the producer, or a send transport, are 400",
    source="Voice (/api/voice); ruling R29",
    slow=True,
)
def cannot_consume(world: World) -> None:
    """Capabilities without the producer's codec, and a send transport, are 400."""
    ann, bob = parties(world, "ann", "bob")
    for kind in KINDS:
        producer = ann.producer(kind)
        media = "audio" if kind == "audio" else "video"
        others = [one for one in bob.capabilities["codecs"] if one["kind"] != media]
        for codecs in ([], others):
            bob.consume(producer, capabilities={**bob.capabilities, "codecs": codecs}, expect=400)
        bob.consume(producer, capabilities={}, expect=400)
        bob.consume(producer, transport_id=bob.sending, expect=400)
        bob.consume(producer)


@case(
    "R29.refused",
    "an unknown producer or transport, or another channel's, is 404, another's transport 403",
    source="Voice (/api/voice); ruling R29",
)
def refused(world: World) -> None:
    """What is not there is 404, a producer of another channel too; other people's transports are 403."""
    ann, bob = parties(world, "ann", "bob")
    producer = ann.producer()
    elsewhere = Party(world, bob.person, world.channel(bob.person, "voice")["id"])
    bob.consume(UNKNOWN_PRODUCER, expect=404)
    bob.consume(producer, transport_id=UNKNOWN_TRANSPORT, expect=404)
    bob.consume(producer, transport_id=ann.receiving, expect=403)
    bob.consume(UNKNOWN_PRODUCER, transport_id=ann.receiving, expect=404)
    elsewhere.consume(producer, expect=404)
    bob.consume(producer)


@case(
    "R29.members",
    "consume needs transportId, producerId and rtpCapabilities of their types",
    source="Voice (/api/voice); ruling R29",
)
def members(world: World) -> None:
    """Each member has its type."""
    ann, bob = parties(world, "ann", "bob")
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
        world.rest.call("createConsumer", token=bob.person.token, body=body, expect=NO_NAME)


@case("R29.close-consumer", "a consumer can be closed by its owner", level="extension")
def close_consumer(world: World) -> None:
    """A consumer is closed by its owner, once."""
    ann, bob = parties(world, "ann", "bob")
    consumer = str(bob.consume(ann.producer()).data["id"])

    def close(party: Party, expect: int) -> Reply:
        return world.rest.call("closeConsumer", token=party.person.token, path={"id": consumer}, expect=expect)

    close(ann, 403)
    must.equal(close(bob, 200).data["id"], consumer, "id")
    close(bob, 404)


@case("R29.consumer-closes-with-producer", "a consumer closes with its producer", level="extension")
def consumer_closes_with_producer(world: World) -> None:
    """A consumer is gone with the producer that it is of; others are not."""
    ann, bob = parties(world, "ann", "bob")
    producers = {kind: ann.producer(kind) for kind in ("audio", "video")}
    consumers = {kind: str(bob.consume(producer).data["id"]) for kind, producer in producers.items()}
    ann.stop(producers["audio"])
    for kind, status in (("audio", 404), ("video", 200)):
        path = {"id": consumers[kind]}
        world.rest.call("closeConsumer", token=bob.person.token, path=path, expect=status)


@case("R29.restart-ice", "a transport can be given new ICE credentials", level="extension")
def restart_ice(world: World) -> None:
    """A transport gets new ICE credentials, at its owner's wish."""
    ann, bob = parties(world, "ann", "bob")
    before = ann.transport("send").data

    def restart(party: Party, transport: str, expect: int) -> Reply:
        body = {"transportId": transport}
        return world.rest.call("restartIce", token=party.person.token, body=body, expect=expect)

    after = restart(ann, before["id"], 200).data["iceParameters"]
    must.equal(after["iceLite"], True, "iceLite")
    for name in ("usernameFragment", "password"):
        must.hold(after[name] != before["iceParameters"][name], f"a new {name}")
    restart(bob, before["id"], 403)
    restart(ann, UNKNOWN_TRANSPORT, 404)


@case("R29.list-producers", "the open producers of a channel can be listed, oldest first", level="extension")
def list_producers(world: World) -> None:
    """The open producers of a voice channel, whoever asks."""
    ann, bob = parties(world, "ann", "bob")
    for channel, status in ((world.channel(ann.person)["id"], 400), (UNKNOWN_CHANNEL, 404)):
        path = {"channelId": channel}
        world.rest.call("listChannelProducers", token=bob.person.token, path=path, expect=status)

    def listed() -> list[tuple[str, str, str]]:
        path = {"channelId": ann.channel}
        replies = [
            world.rest.call("listChannelProducers", token=one.person.token, path=path, expect=200) for one in (ann, bob)
        ]
        first, second = (reply.data for reply in replies)
        must.equal(first, second, "the list as it is shown to two users", seen=replies[0].pair)
        for one in first:
            must.members(one, {"id": one["producerId"], "channelId": ann.channel}, "an open producer")
        return [(one["userId"], one["producerId"], one["kind"]) for one in first]

    must.equal(listed(), [], "the producers of a new channel")
    made = {kind: ann.producer(kind) for kind in ("video", "audio", "screen")}
    oldest_first = [(ann.person.id, producer, kind) for kind, producer in made.items()]
    must.equal(listed(), oldest_first, "the producers, oldest first")
    ann.stop(made["audio"])
    must.equal(listed(), [oldest_first[0], oldest_first[2]], "the producers left")
