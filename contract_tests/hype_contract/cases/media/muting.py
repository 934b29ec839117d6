"""Muting, as packets show it (ruling R39)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import Flow, flow
from hype_contract.cases.media.stage import Caller, callers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import Party

_TRIES = 200
_PACKET_S = 0.02


@case(
    "R39.mute-stops-sound",
    "a muted user's audio is not forwarded, and is again when unmuted",
    source="VoiceState.isMuted; ruling R39",
)
def mute_stops_sound(world: World) -> None:
    """Muted, no sound is forwarded, but the picture is; unmuted, sound is forwarded again."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    flowing.stops("isMuted")
    flowing.rests()
    set_voice_state(ann.socket, ann.party.channel, isMuted=False)
    flowing.ear.begins(flowing.sound)


@case(
    "R39.muted-from-the-start",
    "audio that is produced while muted is not forwarded",
    source="VoiceState.isMuted; ruling R39",
)
def muted_from_the_start(world: World) -> None:
    """Whoever is muted when they begin to send is not heard either; unmuted, they are."""
    ann, bob = callers(world, "ann", "bob")
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    sound, picture = ann.produce("audio"), ann.produce("video")
    ear, eye = bob.consume(sound), bob.consume(picture)
    eye.begins(picture)
    Flow(sound, ear, picture, eye).rests()
    set_voice_state(ann.socket, ann.party.channel, isMuted=False)
    ear.begins(sound)


@case("R39.muted-from-the-start", slow=True)
def muted_at_entry(world: World) -> None:
    """Neither is who enters the call muted, though they were sending before."""
    (bob,) = callers(world, "bob")
    person = world.guest("ann")
    ann = Caller(Party(world, person, bob.party.channel), world.socket(person), bob.loop)
    flowing = flow(ann, bob)
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    flowing.stops("isMuted")
    flowing.rests()


@case(
    "R39.mute-is-one-users",
    "muting a user, or being deafened, leaves all other sound alone",
    source="VoiceState.isMuted; ruling R39",
)
def mute_is_one_users(world: World) -> None:
    """Muting one user leaves the sound of the others alone, and so does being deafened."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing = flow(ann, eve)
    others = bob.produce("audio")
    heard = eve.consume(others)
    heard.begins(others)
    set_voice_state(bob.socket, bob.party.channel, isDeafened=True)
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    flowing.stops("isMuted")
    heard.begins(others)


@case(
    "R39.mute-stays",
    "a voice_state without isMuted changes nothing about it",
    source="VoiceState.isMuted; ruling R39",
)
def mute_stays(world: World) -> None:
    """A voice_state that says nothing of isMuted leaves the user muted."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    flowing.stops("isMuted")
    set_voice_state(ann.socket, ann.party.channel, isDeafened=True)
    flowing.rests()


@case(
    "R39.mute-leaves-no-gap",
    "the receiver's sequence numbers go on over a mute without a hole",
    source="rulings R30 and R39",
    strength="should",
)
def mute_leaves_no_gap(world: World) -> None:
    """What a muted user sends leaves no hole in the numbers that the receiver sees: nothing was lost."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    packet = flowing.sound.packet()
    flowing.sound.send(packet)
    last = flowing.ear.expect(packet).sequence_number
    set_voice_state(ann.socket, ann.party.channel, isMuted=True)
    passed = flowing.stops("isMuted")
    flowing.rests()
    passed += sum(one.ssrc == flowing.ear.ssrc for one in flowing.ear.inbox.take())
    set_voice_state(ann.socket, ann.party.channel, isMuted=False)
    step = (_first_number(flowing) - last) % 2**16
    must.equal(step, passed + 1, "the step of the sequence number over a mute")


def _first_number(flowing: Flow) -> int:
    """The sequence number with which sound goes on."""
    for _ in range(_TRIES):
        flowing.sound.send()
        found = flowing.ear.inbox.wait(lambda one: one.ssrc == flowing.ear.ssrc, _PACKET_S)
        if found:
            return int(found.sequence_number)
    raise Violation("sound to be forwarded again when unmuted", f"none of {_TRIES} packets was")
