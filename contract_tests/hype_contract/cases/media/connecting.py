"""Who may connect: ICE checks and certificates, right and wrong (rulings R26, R27, R29 and R30)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.voice import Transport
from hype_contract.actors.world import World
from hype_contract.cases.media.stage import Caller, callers, flowing
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import FINGERPRINT

_CLOSED_WITHIN_S = 60.0
"""After 30 s without a check a transport is closed (ruling R30); a server may look every so often."""


@case("R26.ice-lite", "ICE checks are answered as RFC 8445 says of ICE-lite", source="Voice (/api/voice); ruling R26")
def ice_lite(world: World) -> None:
    """A check with the transport's credentials is answered, signed with its password, and told where it came from."""
    (ann,) = callers(world, "ann")
    for direction in ("send", "recv"):
        answer = ann.prepared(direction).ask()
        must.hold("XOR-MAPPED-ADDRESS" in answer.attributes, "XOR-MAPPED-ADDRESS", sorted(answer.attributes))
        must.hold("MESSAGE-INTEGRITY" in answer.attributes, "MESSAGE-INTEGRITY", sorted(answer.attributes))


@case(
    "R26.ice-credentials-needed",
    "a check with wrong credentials is not answered with success",
    source="Voice (/api/voice); ruling R26",
    slow=True,
)
def ice_credentials_needed(world: World) -> None:
    """A check with a wrong password, with nobody's user name or with another transport's password is not taken."""
    ann, bob = callers(world, "ann", "bob")
    transport, other = ann.prepared("send"), bob.prepared("send")
    known, others = transport.options["iceParameters"], other.options["iceParameters"]
    for wrong in (
        {**known, "password": "x" * len(known["password"])},
        {**known, "usernameFragment": "x" * len(known["usernameFragment"])},
        {**known, "password": others["password"]},
    ):
        must.hold(not transport.lets_in(wrong), "a check with wrong credentials not to be answered with success")
        transport.ask()


@case("R29.restarted-ice", "a transport goes on with the ICE credentials that a restart gave it", level="extension")
def restarted_ice(world: World) -> None:
    """The new credentials of a transport are the ones that its checks need; media goes on."""
    stream, track = flowing(world, "audio")
    body = {"transportId": stream.transport.id}
    token = stream.caller.party.person.token
    new = world.rest.call("restartIce", token=token, body=body, expect=200).data["iceParameters"]
    stream.transport.renew(new)
    track.begins(stream)


@case("R27.dtls", "the DTLS handshake succeeds, with the certificate that the transport named")
def dtls(world: World) -> None:
    """Either transport comes up, with the certificate of one of the fingerprints that it named."""
    (ann,) = callers(world, "ann")
    for direction in ("send", "recv"):
        ann.connected(direction)


def _lies(caller: Caller, direction: str) -> Transport:
    """A transport for which another certificate was announced than the one that comes."""
    made = caller.prepared(direction)
    caller.party.connect(made.id, {"role": "client", "fingerprints": [FINGERPRINT]})
    return made


@case("R27.fingerprint", "a transport takes media from the certificate that was announced only")
def fingerprint(world: World) -> None:
    """Somebody with another certificate than the one announced is not heard."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    honest = ann.produce("audio")
    track = bob.consume(honest)
    track.begins(honest)
    liar = _lies(eve, "send")
    stream = eve.produce("audio", liar)
    bob.consume(stream)
    try:
        liar.connect()
        stream.send(*(stream.packet() for _ in range(5)))
    except (must.Violation, ConnectionError):
        pass  # refused at once, which is as good
    heard = [one for one in track.settle(honest) if stream.sent(one)]
    must.equal(heard, [], "what arrives from a certificate that was not announced")


@case("R27.fingerprint")
def fingerprint_of_a_receiver(world: World) -> None:
    """Somebody with another certificate than the one announced is sent nothing."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    stream = ann.produce("audio")
    track = bob.consume(stream)
    track.begins(stream)
    liar = _lies(eve, "recv")
    eve.party.consume(stream.id, transport_id=liar.id)
    try:
        liar.connect()
    except must.Violation:
        return  # refused at once, which is as good
    track.begins(stream)
    track.settle(stream)
    must.equal(liar.rtp.take(), [], "what is sent to a certificate that was not announced")


@case("R30.consent", "a transport whose ICE checks stop for 30 s is closed", slow=True)
def consent(world: World) -> None:
    """Whose checks stop is gone after half a minute: their producers close, and the room hears of it."""
    _only_thorough(world)
    ann, bob = callers(world, "ann", "bob")
    stream = ann.produce("audio")
    bob.consume(stream).begins(stream)
    stream.transport.close()
    bob.socket.expect("producer_closed", {"producerId": stream.id}, within=_CLOSED_WITHIN_S)
    ann.party.stop(stream.id, expect=404)


def _only_thorough(world: World) -> None:
    if world.options.mode != "thorough":
        raise must.NeedsOption("takes half a minute, which --thorough has")
