"""Muting, closing and speaking, as packets show them (rulings R28, R39 and R40)."""

from __future__ import annotations

from contract_tests import must
from contract_tests.gateway.stage import talk
from contract_tests.media.speech import speaks_until
from contract_tests.media.stage import LOUD, QUIET, Stream, Track, callers
from contract_tests.people import World
from contract_tests.runner import case

_TRIES = 100
_AT_REST = 10
_LOUD_PACKETS = 50


def _passes(sound: Stream, at_ear: Track, picture: Stream, at_eye: Track) -> bool:
    """Whether a packet of sound arrives, shown by pictures that are sent after it."""
    packet = sound.packet()
    sound.send(packet)
    for _ in range(2):
        fence = picture.packet()
        picture.send(fence)
        at_eye.expect(fence)
    return at_ear.inbox.wait(lambda one: one.payload == packet.payload, 0) is not None


def _stops(sound: Stream, at_ear: Track, picture: Stream, at_eye: Track, after: str) -> None:
    """Sound stops soon: the answer to what stops it may be quicker than the packets that are under way."""
    must.hold(any(not _passes(sound, at_ear, picture, at_eye) for _ in range(_TRIES)), f"sound to stop after {after}")


@case("R39.mute-stops-sound")
def mute_stops_sound(world: World) -> None:
    """Muted, no sound is forwarded, but the picture is; unmuted, sound is forwarded again."""
    ann, bob = callers(world, "ann", "bob")
    sound, picture = ann.produce("audio"), ann.produce("video")
    ear, eye = bob.consume(sound), bob.consume(picture)
    ear.begins(sound)
    eye.begins(picture)
    talk(ann.socket, ann.party.channel, isMuted=True)
    _stops(sound, ear, picture, eye, "isMuted")
    passed = sum(_passes(sound, ear, picture, eye) for _ in range(_AT_REST))
    must.equal(passed, 0, f"how many of {_AT_REST} packets of a muted user were forwarded")
    talk(ann.socket, ann.party.channel, isMuted=False)
    ear.begins(sound)


@case("R39.muted-from-the-start")
def muted_from_the_start(world: World) -> None:
    """Whoever is muted when they begin to send is not heard either; unmuted, they are."""
    ann, bob = callers(world, "ann", "bob")
    talk(ann.socket, ann.party.channel, isMuted=True)
    sound, picture = ann.produce("audio"), ann.produce("video")
    ear, eye = bob.consume(sound), bob.consume(picture)
    eye.begins(picture)
    passed = sum(_passes(sound, ear, picture, eye) for _ in range(_AT_REST))
    must.equal(passed, 0, f"how many of {_AT_REST} packets of a muted user were forwarded")
    talk(ann.socket, ann.party.channel, isMuted=False)
    ear.begins(sound)


@case("R28.closed-producer-is-silent")
def closed_producer_is_silent(world: World) -> None:
    """A closed producer's packets are not forwarded, the other producers' are; the room hears of it once."""
    ann, bob = callers(world, "ann", "bob")
    sound, picture = ann.produce("audio"), ann.produce("video")
    ear, eye = bob.consume(sound), bob.consume(picture)
    ear.begins(sound)
    eye.begins(picture)
    ann.party.stop(sound.id)
    bob.socket.expect("producer_closed", {"producerId": sound.id, "kind": "audio"})
    _stops(sound, ear, picture, eye, "closeProducer")
    passed = sum(_passes(sound, ear, picture, eye) for _ in range(_AT_REST))
    must.equal(passed, 0, f"how many of {_AT_REST} packets of a closed producer were forwarded")
    again = ann.produce("audio")
    bob.consume(again).begins(again)


@case("R40.speaking")
def speaking(world: World) -> None:
    """The whole room hears that somebody speaks, and that they stopped: by silent packets, or by none."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    sound = ann.produce("audio")
    bob.consume(sound).begins(sound)
    for quiet in (QUIET, None):
        speaks_until(bob.socket, True, sound, LOUD)
        speaks_until(bob.socket, False, sound, quiet)
    heard = [
        frame["data"]["isSpeaking"]
        for socket in (ann.socket, eve.socket)
        for frame in socket.fence()
        if frame["type"] == "speaking_state"
    ]
    must.equal(heard, [True, False] * 4, "what the speaker, and then another, heard of it")


@case("R40.muted-does-not-speak")
def muted_does_not_speak(world: World) -> None:
    """Muting ends speaking; while muted, loud packets begin none."""
    ann, bob = callers(world, "ann", "bob")
    sound, picture = ann.produce("audio"), ann.produce("video")
    ear, eye = bob.consume(sound), bob.consume(picture)
    ear.begins(sound)
    eye.begins(picture)
    speaks_until(bob.socket, True, sound, LOUD)
    talk(ann.socket, ann.party.channel, isMuted=True)
    speaks_until(bob.socket, False, sound, LOUD)
    _stops(sound, ear, picture, eye, "isMuted")
    bob.socket.fence()
    sound.send(*(sound.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    passed = _passes(sound, ear, picture, eye)
    began = [frame for frame in bob.socket.fence() if frame["type"] == "speaking_state"]
    must.hold(not passed, "a muted user's sound to stay away")
    must.equal(began, [], "speaking_state of a muted user")
