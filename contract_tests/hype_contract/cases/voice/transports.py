"""What the router offers, and transports: made, connected, refused, replaced (rulings R25 to R27)."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import UNKNOWN_CHANNEL, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import DTLS, FINGERPRINT, Party, parties

DIRECTIONS = ("send", "recv")
UNKNOWN_TRANSPORT = "no-such-transport"


@case(
    "R25.codecs",
    "the router offers opus and VP8, with RTX, NACK and PLI",
    source="mediasoup.ts › mediasoupConfig; ruling R25",
)
def codecs(world: World) -> None:
    """opus and VP8, and for VP8 retransmission and key frame requests; the header extensions are listed as well."""
    (ann,) = parties(world, "ann")
    for member in ("codecs", "headerExtensions"):
        must.hold(member in ann.capabilities, f"capabilities with {member}", sorted(ann.capabilities))
    offered = {one["mimeType"].lower(): one for one in ann.capabilities["codecs"]}
    must.hold({"audio/opus", "video/vp8", "video/rtx"} <= set(offered), "opus, VP8 and RTX", sorted(offered))
    must.members(offered["audio/opus"], {"kind": "audio", "clockRate": 48000, "channels": 2}, "opus")
    must.members(offered["video/vp8"], {"kind": "video", "clockRate": 90000}, "VP8")
    types = [one.get("preferredPayloadType") for one in ann.capabilities["codecs"]]
    must.hold(None not in types and len(set(types)) == len(types), "a payload type of its own for each codec", types)
    # A router may have more codecs, each with an RTX of its own.
    repairs = [one for one in ann.capabilities["codecs"] if one["mimeType"].lower() == "video/rtx"]
    repaired = [one.get("parameters", {}).get("apt") for one in repairs]
    vp8 = offered["video/vp8"]["preferredPayloadType"]
    must.hold(vp8 in repaired, f"RTX for VP8, the payload type {vp8}", repaired)
    feedback = {(one["type"], one.get("parameter", "")) for one in offered["video/vp8"].get("rtcpFeedback", [])}
    must.hold({("nack", ""), ("nack", "pli")} <= feedback, "nack and nack pli for VP8", sorted(feedback))


@case(
    "R26.transport",
    "a transport is ICE-lite, reached by UDP, with the DTLS role auto",
    source="mediasoup.ts › webRtcTransport; rulings R26 and R30",
)
def transport(world: World) -> None:
    """Both kinds: ICE-lite, a UDP candidate, role auto, and a sha-256 fingerprint, which is what clients compare."""
    (ann,) = parties(world, "ann")
    for direction in DIRECTIONS:
        data = ann.transport(direction).data
        must.equal(data["iceParameters"]["iceLite"], True, "iceLite")
        must.equal(data["dtlsParameters"].get("role", "auto"), "auto", "the DTLS role")
        algorithms = {one["algorithm"] for one in data["dtlsParameters"]["fingerprints"]}
        must.hold("sha-256" in algorithms, "a sha-256 fingerprint", sorted(algorithms))
        protocols = {one["protocol"] for one in data["iceCandidates"]}
        must.hold("udp" in protocols, "a UDP candidate", sorted(protocols))
        for candidate in data["iceCandidates"]:
            if candidate["protocol"] == "tcp":
                must.equal(candidate.get("tcpType"), "passive", "tcpType of a TCP candidate")


@case("R26.tcp", "a transport can be reached by TCP", source="mediasoup.ts › webRtcTransport; rulings R26 and R30")
def tcp_candidate(world: World) -> None:
    """There is a way in for those who can use TCP only."""
    (ann,) = parties(world, "ann")
    protocols = {one["protocol"] for one in ann.transport("recv").data["iceCandidates"]}
    must.hold("tcp" in protocols, "a TCP candidate", sorted(protocols))


@case(
    "R26.own-credentials",
    "every transport has an id and ICE credentials of its own",
    source="Voice (/api/voice); ruling R26",
)
def own_credentials(world: World) -> None:
    """No two transports have an id, a user name fragment or a password in common."""
    made = [party.transport(way).data for party in parties(world, "ann", "bob") for way in DIRECTIONS]
    for one, other in combinations(made, 2):
        must.hold(one["id"] != other["id"], "different ids", one["id"])
        for name in ("usernameFragment", "password"):
            must.hold(one["iceParameters"][name] != other["iceParameters"][name], f"{name} that differ")


@case(
    "R26.wrong-channel",
    "a transport in an unknown channel is 404, in one that is not for voice 400",
    source="Voice (/api/voice); ruling R26",
)
def wrong_channel(world: World) -> None:
    """Unknown channels are 404, a channel's name is one, text and announcement channels 400."""
    ann = world.guest("ann")
    name = world.channel(ann, "voice")["name"]
    for direction in DIRECTIONS:
        for unknown in (UNKNOWN_CHANNEL, name):
            Party(world, ann, unknown).transport(direction, expect=404)
        for type in ("text", "announcement"):
            Party(world, ann, world.channel(ann, type)["id"]).transport(direction, expect=400)


@case("R26.channel-id", "a transport needs a channelId", source="Voice (/api/voice); ruling R26")
def channel_id(world: World) -> None:
    """The channel must be named, by a text."""
    ann = world.guest("ann")
    for body in ({}, {"channelId": None}, {"channelId": 1}, {"channelId": ["a"]}, {"channelId": "a\x00"}):
        for operation in ("createSendTransport", "createRecvTransport"):
            world.rest.call(operation, token=ann.token, body=body, expect=400)


@case("R26.full", alike=True)
def full(world: World) -> None:
    """Whoever has a transport counts once; nobody else gets one when that many are there."""
    ann, bob, eve = parties(world, "ann", "bob", "eve", userLimit=2)
    for direction in DIRECTIONS:
        ann.transport(direction)
    bob.transport("recv")
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
    for party in (ann, bob):
        party.transport("send")


@case(
    "R26.full-by-voice-state",
    "whoever is in the channel by voice_state counts for its limit",
    source="Voice (/api/voice); ruling R26",
    alike=True,
)
def full_by_voice_state(world: World) -> None:
    """Whoever is there by voice_state counts as well, once for both."""
    ann, bob, eve = parties(world, "ann", "bob", "eve", userLimit=2)
    sockets_in_call(world, ann.channel, ann.person, bob.person)
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
        ann.transport(direction)
        bob.transport(direction)


@case("R26.replaced")
def replaced(world: World) -> None:
    """A second transport takes the first one's place: the first is unknown then, its producers are too."""
    ann, bob = parties(world, "ann", "bob")
    producer = ann.producer()
    other_way = ann.receiving
    again = str(ann.transport("send").data["id"])
    ann.connect(ann.sending, expect=404)
    ann.stop(producer, expect=404)
    bob.consume(producer, expect=404)
    ann.connect(other_way)
    ann.connect(again)
    ann.produce(transport_id=again)


@case("R26.replaced")
def receiver_replaced(world: World) -> None:
    """So does a second one for receiving, with the consumers on the first; what is sent stays."""
    ann, bob = parties(world, "ann", "bob")
    producer, own = bob.producer(), ann.producer()
    ann.consume(producer)
    again = str(ann.transport("recv").data["id"])
    ann.connect(ann.receiving, expect=404)
    ann.consume(producer, expect=404)
    ann.consume(producer, transport_id=again)
    bob.consume(own)


@case(
    "R26.other-channels-transport-stays",
    "a transport in another channel replaces nothing",
    source="Voice (/api/voice); ruling R26",
)
def other_channels_transport_stays(world: World) -> None:
    """A transport replaces one in the same channel only."""
    ann = world.guest("ann")
    one, other = (Party(world, ann, world.channel(ann, "voice")["id"]) for _ in range(2))
    for party in (one, other):
        party.connect(party.sending)
    one.produce()
    other.produce()


@case("R27.connect")
def connect(world: World) -> None:
    """A transport is connected once, its id comes back; again is 409, whatever is sent."""
    (ann,) = parties(world, "ann")
    for transport_id in (ann.sending, ann.receiving):
        must.equal(ann.connect(transport_id).data["id"], transport_id, "id")
        ann.connect(transport_id, expect=409)
    # A client may be either side, or leave it open, which is what it means to say nothing.
    for role in ("server", "auto", None):
        dtls = {**DTLS, "role": role} if role else {"fingerprints": [FINGERPRINT]}
        ann.connect(str(ann.transport("send").data["id"]), dtls)


@case(
    "R27.refused",
    "connecting an unknown transport is 404, somebody else's 403",
    source="Voice (/api/voice); ruling R27",
)
def connect_refused(world: World) -> None:
    """Unknown transports are 404, other people's 403; then they still can connect."""
    ann, bob = parties(world, "ann", "bob")
    ann.connect(UNKNOWN_TRANSPORT, expect=404)
    for transport_id in (bob.sending, bob.receiving):
        ann.connect(transport_id, expect=403)
        bob.connect(transport_id)


@case("R27.dtls-parameters", "DTLS parameters need a fingerprint", source="Voice (/api/voice); ruling R27")
def dtls_parameters(world: World) -> None:
    """At least one fingerprint that can be one; what is refused does not connect the transport."""
    (ann,) = parties(world, "ann")
    refuse = partial(ann.connect, ann.sending, expect=400)
    no_print, no_algorithm = {**FINGERPRINT, "value": "none"}, {**FINGERPRINT, "algorithm": "rot13"}
    prints: list[Any] = [[], None, [{}], [no_print], [no_algorithm]]
    wrong: list[Any] = [None, {}, [], {**DTLS, "role": "both"}, *({**DTLS, "fingerprints": one} for one in prints)]
    for dtls in wrong:
        refuse(dtls)
    ann.connect(ann.sending)
