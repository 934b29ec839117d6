"""`typing`: the room hears it, the sender does not, and the sender need not be in the room (ruling R37)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    UNKNOWN_CHANNEL,
    hears_error,
    hears_no_event,
    hears_nothing,
    sockets_in_room,
)
from hype_contract.cases.registry import case


@case("R37.sender-excluded", "typing reaches none of the sender's sockets", level="extension")
def sender_excluded(world: World) -> None:
    """Type while the sender has a second socket in the room."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, typist = sockets_in_room(world, room, ann, bob, eve)
    second = world.socket(eve, join=room)
    typist.send("typing", {"channelId": room})
    for socket in others:
        socket.expect_next("typing", {"userId": eve.id, "username": eve.username, "channelId": room})
    for socket in (typist, second):
        hears_nothing(socket, "of its own user's typing")


@case("R37.no-membership-needed", "a user outside a room may type in it, and stays outside", level="extension")
def no_membership_needed(world: World) -> None:
    """Type from outside; check that the sender hears no message of the room, and that its drop sends no `user_left`."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    typist = world.socket(bob)
    typist.send("typing", {"channelId": room})
    watcher.expect_next("typing", {"userId": bob.id})
    world.message(ann, room)
    hears_nothing(typist, "of a room that it is not in")
    typist.drop()
    world.message(ann, room)
    watcher.expect_next("message")
    watcher.expect_next("message")
    hears_nothing(watcher, "of a user who was never in the room")


@case(
    "R37.typing-refused",
    "the gateway answers typing with not_found for an unknown channel, and with invalid_message for a bad channelId",
    level="extension",
)
def typing_refused(world: World) -> None:
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    typist = world.socket(bob)
    typist.send("typing", {"channelId": UNKNOWN_CHANNEL})
    hears_error(typist, "not_found")
    for data in ({}, {"channelId": None}, {"channelId": ""}, {"channelId": [room]}, {"channelId": "a\u0000"}):
        typist.send("typing", data)
        hears_error(typist, "invalid_message")
    hears_no_event(watcher, "of refused typing")
