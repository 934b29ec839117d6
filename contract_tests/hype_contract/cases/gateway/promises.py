"""Promises about events that hold everywhere. Every event that any case hears is checked (`actors.promises`)."""

from __future__ import annotations

from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import set_voice_state, sockets_in_room
from hype_contract.cases.registry import case

_SOURCE = "asyncapi.yaml#/info/description › Rooms and audiences"


@case(
    "seen.audience",
    "no socket hears an event of a room that it never entered, or one that its audience excludes (`x-hype-audience`)",
    source=_SOURCE,
    level="published",
)
def audience(world: World) -> None:
    _look(world)


@case(
    "seen.once",
    "no socket hears twice of one stored message",
    source=f"{_SOURCE}; ruling R36",
    level="published",
)
def once(world: World) -> None:
    _look(world)


@case(
    "seen.event-order",
    "every socket hears a room's messages in the stored order, and nothing of a message after its deletion",
    source=f"{_SOURCE}; ruling R36",
    level="published",
)
def event_order(world: World) -> None:
    _look(world)


@case(
    "seen.event-visibility",
    "no event shows a member to others that the spec shows to its owner only (`x-hype-visible-to`)",
    source="openapi.yaml#/info/description › Vocabulary; ruling P7",
    level="hardened",
)
def event_visibility(world: World) -> None:
    _look(world)


def _look(world: World) -> None:
    world.shared("a tour of the gateway", _tour)
    world.socket(world.guest("listener")).fence()


def _tour(world: World) -> None:
    """Cause events in two rooms and a call, before three sockets: one in the room, one elsewhere, one in no room."""
    ann, bob, eve, kim = world.member("ann"), *world.guests("bob", "eve", "kim")
    room, elsewhere = world.channel(ann)["id"], world.channel(ann)["id"]
    call = world.channel(ann, "voice")["id"]
    first, second = sockets_in_room(world, room, ann, bob)
    (other,) = sockets_in_room(world, elsewhere, eve)
    nowhere = world.socket(kim)
    for number in range(3):
        first.send("message", {**first.identity, "channelId": room, "content": f"by socket {number}"})
        world.message(bob, room, f"by REST {number}")
        first.send("typing", {**first.identity, "channelId": room})
    made = world.message(ann, room, "to change")
    path = {"id": made["id"]}
    world.rest.call("updateMessage", path=path, token=ann.token, body={"content": "changed"}, expect=200)
    world.rest.call("deleteMessage", path=path, token=ann.token, expect=200)
    set_voice_state(second, call)
    set_voice_state(second, None)
    second.send("user_left", {"channelId": room})
    for socket in (first, second, other, nowhere):
        socket.fence()
