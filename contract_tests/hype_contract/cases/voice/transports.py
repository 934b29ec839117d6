"""The capabilities of the router, and transports: created, connected, refused, replaced (rulings R25 to R27)."""

from __future__ import annotations

from functools import partial
from itertools import combinations
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import UNKNOWN_CHANNEL, sockets_in_call
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import DTLS, FINGERPRINT, Participant, participants

DIRECTIONS = ("send", "recv")
UNKNOWN_TRANSPORT = "no-such-transport"


@case(
    "R25.codecs",
    "the router offers opus, and VP8 with RTX, NACK and PLI",
    source="openapi.yaml#/paths/~1api~1voice~1rtp-capabilities/get",
)
def codecs(world: World) -> None:
    (ann,) = participants(world, "ann")
    for member in ("codecs", "headerExtensions"):
        must.hold(member in ann.capabilities, f"capabilities with {member}", sorted(ann.capabilities))
    listed = ann.capabilities["codecs"]
    offered = {codec["mimeType"].lower(): codec for codec in listed}
    must.hold({"audio/opus", "video/vp8", "video/rtx"} <= set(offered), "opus, VP8 and RTX", sorted(offered))
    must.members(offered["audio/opus"], {"kind": "audio", "clockRate": 48000, "channels": 2}, "opus")
    must.members(offered["video/vp8"], {"kind": "video", "clockRate": 90000}, "VP8")
    types = [codec.get("preferredPayloadType") for codec in listed]
    must.hold(None not in types and len(set(types)) == len(types), "a different payload type for each codec", types)
    # A router may have more codecs, and an RTX codec for each of them.
    repairs = [codec for codec in listed if codec["mimeType"].lower() == "video/rtx"]
    repaired = [codec.get("parameters", {}).get("apt") for codec in repairs]
    vp8 = offered["video/vp8"]["preferredPayloadType"]
    must.hold(vp8 in repaired, f"RTX for VP8, the payload type {vp8}", repaired)
    feedback = {(entry["type"], entry.get("parameter", "")) for entry in offered["video/vp8"].get("rtcpFeedback", [])}
    must.hold({("nack", ""), ("nack", "pli")} <= feedback, "nack and nack pli for VP8", sorted(feedback))


@case(
    "R25.opus-and-vp8",
    "the router offers opus of 48,000 Hz and two channels, and VP8 of 90,000 Hz",
    source="mediasoup.ts › router",
    level="documented",
)
def opus_and_vp8(world: World) -> None:
    (ann,) = participants(world, "ann")
    offered = {codec["mimeType"].lower(): codec for codec in ann.capabilities["codecs"]}
    must.hold({"audio/opus", "video/vp8"} <= set(offered), "opus and VP8", sorted(offered))
    must.members(offered["audio/opus"], {"kind": "audio", "clockRate": 48000, "channels": 2}, "opus")
    must.members(offered["video/vp8"], {"kind": "video", "clockRate": 90000}, "VP8")


@case(
    "R26.transport",
    "a transport has iceLite true, a UDP candidate, the DTLS role auto and a sha-256 fingerprint",
    source="openapi.yaml#/components/schemas/TransportOptions; rulings R26 and R30",
)
def transport(world: World) -> None:
    (ann,) = participants(world, "ann")
    for direction in DIRECTIONS:
        data = ann.transport(direction).data
        must.equal(data["iceParameters"]["iceLite"], True, "iceLite")
        must.equal(data["dtlsParameters"].get("role", "auto"), "auto", "the DTLS role")
        algorithms = {fingerprint["algorithm"] for fingerprint in data["dtlsParameters"]["fingerprints"]}
        must.hold("sha-256" in algorithms, "a sha-256 fingerprint", sorted(algorithms))
        protocols = {candidate["protocol"] for candidate in data["iceCandidates"]}
        must.hold("udp" in protocols, "a UDP candidate", sorted(protocols))
        for candidate in data["iceCandidates"]:
            if candidate["protocol"] == "tcp":
                must.equal(candidate.get("tcpType"), "passive", "tcpType of a TCP candidate")


@case(
    "R26.tcp",
    "a transport has a TCP candidate",
    source="mediasoup.ts › webRtcTransport; ruling R26; amendment A23",
    level="documented",
)
def tcp_candidate(world: World) -> None:
    (ann,) = participants(world, "ann")
    protocols = {candidate["protocol"] for candidate in ann.transport("recv").data["iceCandidates"]}
    must.hold("tcp" in protocols, "a TCP candidate", sorted(protocols))


@case(
    "R26.prefers-udp",
    "each TCP candidate of a transport has a lower priority than each UDP candidate",
    source="mediasoup.ts › webRtcTransport; ruling R26; amendment A23",
    level="documented",
)
def prefers_udp(world: World) -> None:
    (ann,) = participants(world, "ann")
    for direction in DIRECTIONS:
        candidates = ann.transport(direction).data["iceCandidates"]
        priorities = {
            protocol: [candidate["priority"] for candidate in candidates if candidate["protocol"] == protocol]
            for protocol in ("udp", "tcp")
        }
        prefers = max(priorities["tcp"], default=0) < min(priorities["udp"], default=0)
        must.hold(prefers, "a lower priority for each TCP candidate than for each UDP candidate", priorities)


@case(
    "R26.own-credentials",
    "each transport has a unique id, usernameFragment and password",
    source="openapi.yaml#/components/schemas/TransportOptions",
)
def own_credentials(world: World) -> None:
    people = participants(world, "ann", "bob")
    made = [participant.transport(direction).data for participant in people for direction in DIRECTIONS]
    for first, second in combinations(made, 2):
        must.hold(first["id"] != second["id"], "different ids", first["id"])
        for name in ("usernameFragment", "password"):
            must.hold(first["iceParameters"][name] != second["iceParameters"][name], f"a different {name}")


@case(
    "R26.wrong-channel",
    "creating a transport is 404 in an unknown channel, and 400 in a channel that is not a voice channel",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1send/post",
)
def wrong_channel(world: World) -> None:
    """Use an id that no channel has, the name of a voice channel, and the ids of the other types of channels."""
    ann = world.guest("ann")
    name = world.channel(ann, "voice")["name"]
    for direction in DIRECTIONS:
        for unknown in (UNKNOWN_CHANNEL, name):
            Participant(world, ann, unknown).transport(direction, expect=404)
        for type in ("text", "announcement"):
            Participant(world, ann, world.channel(ann, type)["id"]).transport(direction, expect=400)


@case(
    "R26.channel-id",
    "creating a transport is 400 unless channelId is a string without U+0000",
    source="openapi.yaml#/components/schemas/ChannelId",
)
def channel_id(world: World) -> None:
    ann = world.guest("ann")
    for body in ({}, {"channelId": None}, {"channelId": 1}, {"channelId": ["a"]}, {"channelId": "a\x00"}):
        for operation in ("createSendTransport", "createRecvTransport"):
            world.rest.call(operation, token=ann.token, body=body, expect=400)


@case("R26.full", alike=True)
def full(world: World) -> None:
    """Fill the channel with transports of two users; then create transports as a third user, and as the first two."""
    ann, bob, eve = participants(world, "ann", "bob", "eve", userLimit=2)
    for direction in DIRECTIONS:
        ann.transport(direction)
    bob.transport("recv")
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
    for participant in (ann, bob):
        participant.transport("send")


@case(
    "R26.full-by-voice-state",
    "a user who is in the channel by voice_state counts for userLimit, once with or without transports",
    source="openapi.yaml#/components/schemas/UserLimit",
    alike=True,
)
def full_by_voice_state(world: World) -> None:
    ann, bob, eve = participants(world, "ann", "bob", "eve", userLimit=2)
    sockets_in_call(world, ann.channel, ann.person, bob.person)
    for direction in DIRECTIONS:
        eve.transport(direction, expect=403)
        ann.transport(direction)
        bob.transport(direction)


@case("R26.replaced")
def replaced(world: World) -> None:
    """Create a second send transport: the first and its producer are unknown then, the recv transport stays."""
    ann, bob = participants(world, "ann", "bob")
    producer = ann.producer()
    receiving = ann.receiving
    again = str(ann.transport("send").data["id"])
    ann.connect(ann.sending, expect=404)
    ann.stop(producer, expect=404)
    bob.consume(producer, expect=404)
    ann.connect(receiving)
    ann.connect(again)
    ann.produce(transport_id=again)


@case("R26.replaced")
def receiver_replaced(world: World) -> None:
    """Create a second recv transport: the first is unknown then, the producers of both users stay."""
    ann, bob = participants(world, "ann", "bob")
    producer, own = bob.producer(), ann.producer()
    ann.consume(producer)
    again = str(ann.transport("recv").data["id"])
    ann.connect(ann.receiving, expect=404)
    ann.consume(producer, expect=404)
    ann.consume(producer, transport_id=again)
    bob.consume(own)


@case("R27.connect")
def connect(world: World) -> None:
    """Connect both transports, connect them again (409), and connect new transports with every DTLS role."""
    (ann,) = participants(world, "ann")
    for transport_id in (ann.sending, ann.receiving):
        must.equal(ann.connect(transport_id).data["id"], transport_id, "id")
        ann.connect(transport_id, expect=409)
    # A client may take either role or leave the choice to the server: with `auto`, or without the member.
    for role in ("server", "auto", None):
        dtls = {**DTLS, "role": role} if role else {"fingerprints": [FINGERPRINT]}
        ann.connect(str(ann.transport("send").data["id"]), dtls)


@case(
    "R27.weak-fingerprint",
    "connectTransport is 400 without a fingerprint of sha-256, sha-384 or sha-512",
    source="ruling R27; amendment A20",
    level="extension",
)
def weak_fingerprint(world: World) -> None:
    """Send a well-formed sha-1 fingerprint alone (400), then beside one of sha-256 (200)."""
    (ann,) = participants(world, "ann")
    weak = {"algorithm": "sha-1", "value": ":".join(["AB"] * 20)}
    ann.connect(ann.sending, {"role": "client", "fingerprints": [weak]}, expect=400)
    ann.connect(ann.sending, {"role": "client", "fingerprints": [weak, FINGERPRINT]})


@case(
    "R27.refused",
    "connectTransport is 404 with an unknown transport, and 403 with another user's transport",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1connect/post",
)
def connect_refused(world: World) -> None:
    """Connect the other user's transports as their owner afterwards: the refused requests have not changed them."""
    ann, bob = participants(world, "ann", "bob")
    ann.connect(UNKNOWN_TRANSPORT, expect=404)
    for transport_id in (bob.sending, bob.receiving):
        ann.connect(transport_id, expect=403)
        bob.connect(transport_id)


@case(
    "R27.dtls-parameters",
    "connectTransport is 400 unless dtlsParameters have a known role and a valid fingerprint",
    source="openapi.yaml#/components/schemas/DtlsParameters",
)
def dtls_parameters(world: World) -> None:
    """Connect the transport at the end: the refused requests have not connected it."""
    (ann,) = participants(world, "ann")
    refuse = partial(ann.connect, ann.sending, expect=400)
    no_print, no_algorithm = {**FINGERPRINT, "value": "none"}, {**FINGERPRINT, "algorithm": "rot13"}
    prints: list[Any] = [[], None, [{}], [no_print], [no_algorithm]]
    wrong: list[Any] = [None, {}, [], {**DTLS, "role": "both"}, *({**DTLS, "fingerprints": each} for each in prints)]
    for dtls in wrong:
        refuse(dtls)
    ann.connect(ann.sending)
