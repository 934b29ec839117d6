"""What ends the flow: closing a producer or a consumer, leaving, dropping (rulings R28, R29, R38)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state
from hype_contract.cases.media.flow import Flow, flow
from hype_contract.cases.media.stage import Caller, callers
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import Party


@case("R28.closed-producer-is-silent", "a closed producer is not forwarded")
def closed_producer_is_silent(world: World) -> None:
    """A closed producer's packets are not forwarded, the other producers' are; another of its kind may follow."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    ann.party.stop(flowing.sound.id)
    bob.socket.expect("producer_closed", {"producerId": flowing.sound.id, "kind": "audio"})
    flowing.stops("closeProducer")
    flowing.rests()
    again = ann.produce("audio")
    bob.consume(again).begins(again)


@case("R29.closed-consumer-is-silent", "a closed consumer receives nothing any more", level="extension")
def closed_consumer_is_silent(world: World) -> None:
    """Who has closed a consumer gets no more of it; the others do, and it can be consumed again."""
    ann, bob = callers(world, "ann", "bob")
    flowing = flow(ann, bob)
    world.rest.call("closeConsumer", token=bob.party.person.token, path={"id": flowing.ear.id}, expect=200)
    flowing.stops("closeConsumer")
    flowing.rests()
    bob.consume(flowing.sound).begins(flowing.sound)


@case("R38.leaver-is-silent", "who has left the voice channel is not forwarded", alike=True)
def leaver_is_silent(world: World) -> None:
    """Who has left the voice channel is heard no more, though their media would still flow."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing = flow(ann, bob, fence=eve)
    set_voice_state(ann.socket, None)
    flowing.stops("leaving")
    flowing.rests()


@case("R38.dropped-is-silent", "who has lost their last socket in the voice channel is not forwarded", alike=True)
def dropped_is_silent(world: World) -> None:
    """Neither is who has lost their last socket in it."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing = flow(ann, bob, fence=eve)
    ann.socket.drop()
    bob.socket.expect("user_left", {"userId": ann.party.person.id})
    flowing.stops("the loss of the last socket")
    flowing.rests()


@case(
    "P2.logged-out-is-silent",
    "a session that has logged out neither sends nor receives media any more",
    source="ruling P2; amendment A21",
    level="hardened",
)
def logged_out_is_silent(world: World) -> None:
    """A session without a socket in the call is cut off, too: its sound ends, and it hears nothing any more."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    alone = Caller(Party(world, world.guest("zoe"), ann.party.channel), ann.socket, ann.loop)
    from_alone, to_alone = flow(alone, bob, fence=eve), flow(ann, alone)
    fenced = Flow(to_alone.sound, to_alone.ear, to_alone.sound, bob.consume(to_alone.sound))
    fenced.beyond.begins(to_alone.sound)
    world.rest.call("logoutUser", token=alone.party.person.token, expect=200)
    for flowing in (from_alone, fenced):
        flowing.stops("logout")
        flowing.rests()


@case("R38.leaver-receives-nothing", "who has left the voice channel receives nothing of it", alike=True)
def leaver_receives_nothing(world: World) -> None:
    """Who has left the voice channel receives none of its media any more; the others do."""
    ann, bob, eve = callers(world, "ann", "bob", "eve")
    flowing = flow(ann, bob)
    beyond = eve.consume(flowing.sound)
    beyond.begins(flowing.sound)
    set_voice_state(bob.socket, None)
    to_the_leaver = Flow(flowing.sound, flowing.ear, flowing.sound, beyond)
    to_the_leaver.stops("leaving")
    to_the_leaver.rests()
