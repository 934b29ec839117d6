"""The effect of muting on the packets that are forwarded (ruling R39)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import Flow, audio_flow
from hype_contract.cases.media.peers import Peer, peers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import Participant

_PACKET_S = 0.02


@case(
    "R39.mute-stops-sound",
    "the server forwards no audio of a user while isMuted is true",
    source="asyncapi.yaml#/components/schemas/VoiceStateRequest",
)
def mute_stops_sound(world: World) -> None:
    """Mute a user, whose video must still arrive; then unmute the user, whose audio must arrive again."""
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    flow.wait_until_stopped("isMuted")
    flow.expect_nothing()
    set_voice_state(ann.socket, ann.participant.channel, isMuted=False)
    flow.track.wait_for(flow.audio)


@case(
    "R39.muted-from-the-start",
    "the server forwards no audio of a user who is muted when they create the producer or enter the call",
    source="asyncapi.yaml#/components/schemas/VoiceStateRequest",
)
def muted_from_the_start(world: World) -> None:
    """Create an audio producer as a muted user; then unmute the user, whose audio must arrive."""
    ann, bob = peers(world, "ann", "bob")
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    audio, video = ann.produce("audio"), ann.produce("video")
    audio_track, video_track = bob.consume(audio), bob.consume(video)
    video_track.wait_for(video)
    Flow(audio, audio_track, video, video_track).expect_nothing()
    set_voice_state(ann.socket, ann.participant.channel, isMuted=False)
    audio_track.wait_for(audio)


@case("R39.muted-from-the-start", slow=True)
def muted_at_entry(world: World) -> None:
    """Send audio and video without a `voice_state`, then enter the call with isMuted true.

    The server may have muted the user before (A11). Then nothing arrived, and nothing stops.
    """
    (bob,) = peers(world, "bob")
    person = world.guest("ann")
    ann = Peer(Participant(world, person, bob.participant.channel), world.socket(person), bob.loop)
    audio, video = ann.produce("audio"), ann.produce("video")
    flow = Flow(audio, bob.consume(audio), video, bob.consume(video))
    flow.fence_track.wait_for(video)
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    flow.wait_until_stopped("isMuted")
    flow.expect_nothing()


@case(
    "R39.mute-is-one-users",
    "isMuted stops the audio of its user only, and isDeafened stops no audio",
    source="asyncapi.yaml#/components/schemas/VoiceStateRequest",
)
def mute_is_one_users(world: World) -> None:
    """Deafen a second user who sends audio, and mute the first: the audio of the second must still arrive."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    flow = audio_flow(ann, eve)
    other = bob.produce("audio")
    other_track = eve.consume(other)
    other_track.wait_for(other)
    set_voice_state(bob.socket, bob.participant.channel, isDeafened=True)
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    flow.wait_until_stopped("isMuted")
    other_track.wait_for(other)


@case(
    "R39.mute-stays",
    "a voice_state without isMuted leaves a muted user muted",
    source="asyncapi.yaml#/components/schemas/VoiceStateRequest",
)
def mute_stays(world: World) -> None:
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    flow.wait_until_stopped("isMuted")
    set_voice_state(ann.socket, ann.participant.channel, isDeafened=True)
    flow.expect_nothing()


@case(
    "R39.mute-leaves-no-gap",
    "the sequence numbers that a receiver gets have no gap after a mute",
    source="openapi.yaml#/info/description › Media",
    strength="should",
)
def mute_leaves_no_gap(world: World) -> None:
    """Send packets before, during and after a mute: those that were not forwarded must not look like losses."""
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    packet = flow.audio.packet()
    flow.audio.send(packet)
    last = flow.track.expect(packet).sequence_number
    set_voice_state(ann.socket, ann.participant.channel, isMuted=True)
    passed = flow.wait_until_stopped("isMuted")
    flow.expect_nothing()
    passed += sum(received.ssrc == flow.track.ssrc for received in flow.track.inbox.take())
    set_voice_state(ann.socket, ann.participant.channel, isMuted=False)
    step = (_first_number(flow) - last) % 2**16
    must.equal(step, passed + 1, "the step of the sequence number over a mute")


def _first_number(flow: Flow) -> int:
    """Send packets until one arrives; return its sequence number. Raises `Violation` when none arrives."""
    inbox = flow.track.inbox
    found = inbox.repeatedly(flow.audio.send, lambda received: received.ssrc == flow.track.ssrc, _PACKET_S)
    if found is None:
        raise Violation("audio to be forwarded again when unmuted", "no packet was")
    return int(found.sequence_number)
