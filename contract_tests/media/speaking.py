"""Who speaks, by the levels that their packets claim (ruling R40)."""

from __future__ import annotations

import time

from contract_tests import must
from contract_tests.clients.gateway import Frame, Socket
from contract_tests.gateway.stage import talk
from contract_tests.media.flow import flow
from contract_tests.media.speech import speaks_until
from contract_tests.media.stage import LOUD, QUIET, Caller, Stream, callers
from contract_tests.people import World
from contract_tests.runner import case

_LOUD_PACKETS = 50
_ATTEMPTS = 5
_PACKETS = 40
_PACKET_S = 0.02
_SHORT_S = 0.25
"""Half of the silence after which speech has ended: a pause that a busy machine makes longer shows nothing."""


def _states(socket: Socket, of: Caller | None = None) -> list[bool]:
    said = [frame["data"] for frame in socket.fence() if frame["type"] == "speaking_state"]
    return [data["isSpeaking"] for data in said if of is None or data["userId"] == of.party.person.id]


@case("R40.speaking")
def speaking(world: World) -> None:
    """The whole room hears that somebody speaks, and that they stopped: by silent packets, or by none."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    sound = ann.produce("audio")
    ear = bob.consume(sound)
    ear.begins(sound)
    for quiet in (QUIET, None):
        speaks_until(bob.socket, True, sound, LOUD)
        sound.send(*(sound.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
        ear.settle(sound)
        speaks_until(bob.socket, False, sound, quiet)
    for socket in (ann.socket, eve.socket):
        must.equal(_states(socket), [True, False] * 2, f"what {socket.name} heard of it")


@case("R40.silence-is-no-speech")
def silence_is_no_speech(world: World) -> None:
    """Packets of silence, and packets that tell no level, make nobody speak."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    for level in (QUIET, None):
        flowing.sound.send(*(flowing.sound.packet(level=level) for _ in range(_LOUD_PACKETS)))
        flowing.ear.settle(flowing.sound)
    must.equal(_states(bob.socket), [], "speaking_state of one who is silent")


@case("R40.no-flicker", slow=True)
def no_flicker(world: World) -> None:
    """Between words nobody stops speaking: only half a second of silence ends it."""
    ann, bob = callers(world, "ann", "bob")
    sound = ann.produce("audio")
    bob.consume(sound).begins(sound)
    for _ in range(_ATTEMPTS):
        speaks_until(bob.socket, True, sound, LOUD)
        longest_s, changes = _stammers(sound, bob.socket)
        if longest_s < _SHORT_S:
            must.equal(changes, [], "speaking_state while somebody speaks")
            return
        speaks_until(bob.socket, False, sound, QUIET)
    raise must.NeedsOption(f"needs a machine that sends a packet every {_PACKET_S:g} s")


def _stammers(sound: Stream, ear: Socket) -> tuple[float, list[bool]]:
    """One loud packet, three silent ones, and so on: the longest time between two loud ones, and what was heard."""
    longest_s, spoken = 0.0, time.monotonic()
    heard: list[Frame] = []
    for number in range(_PACKETS):
        loud = number % 4 == 0
        sound.send(sound.packet(level=LOUD if loud else QUIET))
        heard += ear.collect(1, within=_PACKET_S)
        if loud:
            longest_s, spoken = max(longest_s, time.monotonic() - spoken), time.monotonic()
    return longest_s, [one["data"]["isSpeaking"] for one in heard if one["type"] == "speaking_state"]


@case("R40.muted-does-not-speak")
def muted_does_not_speak(world: World) -> None:
    """Muting ends speaking; while muted, loud packets begin none."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing, other = flow(ann, bob), eve.produce("audio")
    bob.consume(other).begins(other)
    sound = flowing.sound
    speaks_until(bob.socket, True, sound, LOUD)
    talk(ann.socket, ann.party.channel, isMuted=True)
    speaks_until(bob.socket, False, sound, LOUD)
    flowing.stops("isMuted")
    bob.socket.fence()
    sound.send(*(sound.packet(level=LOUD) for _ in range(_LOUD_PACKETS)))
    must.hold(not flowing.passes(), "a muted user's sound to stay away")
    # Levels take a way of their own to the room: what eve does later is heard later.
    speaks_until(bob.socket, True, other, LOUD)
    must.equal(_states(bob.socket, ann), [], "speaking_state of a muted user")
