"""The end of a flow of media, by a close, a logout, a leave or a lost socket (rulings P2, R28, R29 and R38)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import Flow, audio_flow
from hype_contract.cases.media.peers import Peer, peers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import Participant


@case(
    "R28.closed-producer-is-silent",
    "the server does not forward the packets of a closed producer",
    source="openapi.yaml#/info/description › Media",
)
def closed_producer_is_silent(world: World) -> None:
    """Close one of two producers, then create another of its kind, which must be forwarded."""
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    ann.participant.stop(flow.audio.id)
    bob.socket.expect("producer_closed", {"producerId": flow.audio.id, "kind": "audio"})
    flow.wait_until_stopped("closeProducer")
    flow.expect_nothing()
    again = ann.produce("audio")
    bob.consume(again).wait_for(again)


@case("R29.closed-consumer-is-silent", "a closed consumer receives no more packets", level="extension")
def closed_consumer_is_silent(world: World) -> None:
    """Close one of two consumers, then consume its producer again."""
    ann, bob = peers(world, "ann", "bob")
    flow = audio_flow(ann, bob)
    world.rest.call("closeConsumer", token=bob.participant.person.token, path={"id": flow.track.id}, expect=200)
    flow.wait_until_stopped("closeConsumer")
    flow.expect_nothing()
    bob.consume(flow.audio).wait_for(flow.audio)


@case(
    "R38.leaver-is-silent",
    "the server does not forward the media of a user who left the voice channel",
    source="openapi.yaml#/info/description › Media",
    alike=True,
)
def leaver_is_silent(world: World) -> None:
    """Leave by `voice_state` with null, and go on sending packets."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    flow = audio_flow(ann, bob, fence=eve)
    set_voice_state(ann.socket, None)
    flow.wait_until_stopped("leaving")
    flow.expect_nothing()


@case(
    "R38.dropped-is-silent",
    "the server does not forward the media of a user who lost their last socket in the voice channel",
    source="openapi.yaml#/info/description › Media",
    alike=True,
)
def dropped_is_silent(world: World) -> None:
    """Cut the connection of the only socket, and go on sending packets."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    flow = audio_flow(ann, bob, fence=eve)
    ann.socket.drop()
    bob.socket.expect("user_left", {"userId": ann.participant.person.id})
    flow.wait_until_stopped("the loss of the last socket")
    flow.expect_nothing()


@case(
    "P2.logged-out-is-silent",
    "a session that has logged out neither sends nor receives media",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logged_out_is_silent(world: World) -> None:
    """Log out a session that sends and receives without a socket in the call: video, because it is muted (A11)."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    zoe = Peer(Participant(world, world.guest("zoe"), ann.participant.channel), ann.socket, ann.loop)
    video, fence = zoe.produce("video"), eve.produce("video")
    from_zoe, to_zoe = Flow(video, bob.consume(video), fence, bob.consume(fence)), audio_flow(ann, zoe)
    from_zoe.track.wait_for(video)
    # The fence is the same audio at bob: a packet that reaches bob, but not zoe, was not forwarded to zoe.
    to_zoe = Flow(to_zoe.audio, to_zoe.track, fence=to_zoe.audio, fence_track=bob.consume(to_zoe.audio))
    to_zoe.fence_track.wait_for(to_zoe.audio)
    world.rest.call("logoutUser", token=zoe.participant.person.token, expect=200)
    for flow in (from_zoe, to_zoe):
        flow.wait_until_stopped("logout")
        flow.expect_nothing()


@case(
    "R38.leaver-receives-nothing",
    "a user who left the voice channel receives no media of it",
    source="openapi.yaml#/info/description › Media",
    alike=True,
)
def leaver_receives_nothing(world: World) -> None:
    """Leave by `voice_state` with null; the same audio must still arrive at another user."""
    ann, bob, eve = peers(world, "ann", "bob", "eve")
    flow = audio_flow(ann, bob)
    to_eve = eve.consume(flow.audio)
    to_eve.wait_for(flow.audio)
    set_voice_state(bob.socket, None)
    to_the_leaver = Flow(flow.audio, flow.track, fence=flow.audio, fence_track=to_eve)
    to_the_leaver.wait_until_stopped("leaving")
    to_the_leaver.expect_nothing()
