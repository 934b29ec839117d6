"""`typing`: to the room without the one who types, and without their being there (ruling R37)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import UNKNOWN_CHANNEL, hears_no_event, hears_nothing, refused, seated
from hype_contract.cases.registry import case


@case("R37.sender-excluded", "typing reaches none of the sender's sockets", level="extension")
def sender_excluded(world: World) -> None:
    """None of the typist's connections hears it, the asking one and a second in the room included."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    *others, typist = seated(world, room, ann, bob, eve)
    second = world.socket(eve, join=room)
    typist.send("typing", {"channelId": room})
    for socket in others:
        socket.expect_next("typing", {"userId": eve.id, "username": eve.username, "channelId": room})
    for socket in (typist, second):
        hears_nothing(socket, "of its own user's typing")


@case("R37.no-membership-needed", "typing needs no membership in the room, and gives none", level="extension")
def no_membership_needed(world: World) -> None:
    """Somebody outside the room may type in it, and is not in it afterwards."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    typist = world.socket(bob)
    typist.send("typing", {"channelId": room})
    watcher.expect_next("typing", {"userId": bob.id})
    world.message(ann, room)
    hears_nothing(typist, "of a room that it is not in")
    typist.drop()
    world.message(ann, room)
    watcher.expect_next("message")
    watcher.expect_next("message")
    hears_nothing(watcher, "of somebody who was never in the room")


@case("R37.typing-refused", "typing in an unknown channel is not_found, in none invalid_message", level="extension")
def typing_refused(world: World) -> None:
    """An unknown channel is not_found, a missing or wrong channelId invalid_message; the room hears nothing."""
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    typist = world.socket(bob)
    typist.send("typing", {"channelId": UNKNOWN_CHANNEL})
    refused(typist, "not_found")
    for data in ({}, {"channelId": None}, {"channelId": ""}, {"channelId": [room]}, {"channelId": "a\u0000"}):
        typist.send("typing", data)
        refused(typist, "invalid_message")
    hears_no_event(watcher, "of typing that was refused")
