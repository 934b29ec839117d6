"""ICE checks and DTLS certificates, right and wrong (rulings R26, R27, R29 and R30)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.voice import Transport
from hype_contract.actors.world import World
from hype_contract.cases.media.peers import Peer, connected_stream, peers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import FINGERPRINT

_UNASSIGNED = 0x7F42
"""A STUN attribute that needs comprehension, and that no RFC assigns."""

_CLOSED_WITHIN_S = 60.0
"""A server closes a transport after 30 s without a check (ruling R30), but may look for that only now and then."""


@case(
    "R26.ice-lite",
    "a transport answers an ICE check with XOR-MAPPED-ADDRESS and MESSAGE-INTEGRITY, as RFC 8445 demands of ICE-lite",
    source="openapi.yaml#/info/description › Media",
)
def ice_lite(world: World) -> None:
    (ann,) = peers(world, "ann")
    for direction in ("send", "recv"):
        answer = ann.prepared(direction).check_on_new_path()
        must.hold("XOR-MAPPED-ADDRESS" in answer.attributes, "XOR-MAPPED-ADDRESS", sorted(answer.attributes))
        must.hold("MESSAGE-INTEGRITY" in answer.attributes, "MESSAGE-INTEGRITY", sorted(answer.attributes))


@case(
    "R26.ice-credentials-needed",
    "an ICE check with wrong credentials gets no success response",
    source="openapi.yaml#/info/description › Media",
    slow=True,
)
def ice_credentials_needed(world: World) -> None:
    """Check with a wrong password, with an unknown usernameFragment, and with another transport's password."""
    ann, bob = peers(world, "ann", "bob")
    transport, other = ann.prepared("send"), bob.prepared("send")
    known, others = transport.options["iceParameters"], other.options["iceParameters"]
    for wrong in (
        {**known, "password": "x" * len(known["password"])},
        {**known, "usernameFragment": "x" * len(known["usernameFragment"])},
        {**known, "password": others["password"]},
    ):
        must.hold(not transport.accepts_check(wrong), "a check with wrong credentials not to be answered with success")
        transport.check_on_new_path()


@case(
    "R26.ice-unknown-attribute",
    "an ICE check with an unknown attribute that needs comprehension is answered with 420 (RFC 8489, 6.3.1)",
    source="openapi.yaml#/info/description › Media",
    strength="should",
)
def ice_unknown_attribute(world: World) -> None:
    (ann,) = peers(world, "ann")
    must.equal(ann.prepared("send").refused_check(attribute=_UNASSIGNED).error_code, 420, "the error code")


@case(
    "R26.ice-integrity-needed",
    "an ICE check without MESSAGE-INTEGRITY is answered with 400 (RFC 8489, 9.1.3)",
    source="openapi.yaml#/info/description › Media",
    strength="should",
)
def ice_integrity_needed(world: World) -> None:
    (ann,) = peers(world, "ann")
    must.equal(ann.prepared("send").refused_check(signed=False).error_code, 400, "the error code")


@case(
    "R29.restarted-ice",
    "a transport answers checks with the credentials of restartIce, and media continues",
    level="extension",
)
def restarted_ice(world: World) -> None:
    stream, track = connected_stream(world, "audio")
    body = {"transportId": stream.transport.id}
    token = stream.peer.participant.person.token
    new = world.rest.call("restartIce", token=token, body=body, expect=200).data["iceParameters"]
    stream.transport.renew(new)
    track.wait_for(stream)


@case(
    "R27.dtls",
    "the DTLS handshake of a transport succeeds, with the certificate of one of its fingerprints",
    source="openapi.yaml#/info/description › Media",
)
def dtls(world: World) -> None:
    """Connect a send and a recv transport."""
    (ann,) = peers(world, "ann")
    for direction in ("send", "recv"):
        ann.connected(direction)


def _with_wrong_fingerprint(peer: Peer, direction: str) -> Transport:
    """Create a transport and announce a fingerprint that is not that of the client's certificate."""
    made = peer.prepared(direction)
    peer.participant.connect(made.id, {"role": "client", "fingerprints": [FINGERPRINT]})
    return made


@case(
    "R27.fingerprint",
    "a transport exchanges media only with a client that has the announced certificate",
    source="openapi.yaml#/info/description › Media",
)
def fingerprint(world: World) -> None:
    """Send with another certificate than the announced one."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    right = ann.produce("audio")
    track = bob.consume(right)
    track.wait_for(right)
    wrong = _with_wrong_fingerprint(eve, "send")
    stream = eve.produce("audio", wrong)
    bob.consume(stream)
    try:
        wrong.connect()
        stream.send(*(stream.packet() for _ in range(5)))
    except (must.Violation, ConnectionError):
        pass  # the target refuses the handshake, which is right, too
    forwarded = [packet for packet in track.drain(right) if stream.sent(packet)]
    must.equal(forwarded, [], "the packets from a certificate that was not announced")


@case("R27.fingerprint")
def fingerprint_of_a_receiver(world: World) -> None:
    """Receive with another certificate than the announced one."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    stream = ann.produce("audio")
    track = bob.consume(stream)
    track.wait_for(stream)
    wrong = _with_wrong_fingerprint(eve, "recv")
    eve.participant.consume(stream.id, transport_id=wrong.id)
    try:
        wrong.connect()
    except must.Violation:
        return  # the target refuses the handshake, which is right, too
    track.wait_for(stream)
    track.drain(stream)
    must.equal(wrong.rtp.take(), [], "the packets to a certificate that was not announced")


@case(
    "R30.consent",
    "the server closes a transport whose ICE checks stop for 30 s",
    source="openapi.yaml#/paths/~1api~1voice~1transport~1send/post",
    slow=True,
)
def consent(world: World) -> None:
    """Stop the checks of a send transport: the room receives producer_closed, and the producer is unknown."""
    _skip_unless_thorough(world)
    ann, bob = peers(world, "ann", "bob")
    stream = ann.produce("audio")
    bob.consume(stream).wait_for(stream)
    stream.transport.close()
    bob.socket.expect("producer_closed", {"producerId": stream.id}, within=_CLOSED_WITHIN_S)
    ann.participant.stop(stream.id, expect=404)


def _skip_unless_thorough(world: World) -> None:
    if world.options.mode != "thorough":
        raise must.NeedsOption("takes half a minute, so it runs only with --thorough")
