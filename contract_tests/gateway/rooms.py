"""Who hears user_joined (ruling R34)."""

from __future__ import annotations

from contract_tests import must
from contract_tests.people import World
from contract_tests.runner import case


@case("R34.room-hears-join")
def room_hears_join(world: World) -> None:
    """Two who sit in the room and the joiner are told once who came."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    room = world.channel(ann)["id"]
    sockets = [world.socket(ann, join=room), world.socket(bob, join=room), world.socket(eve)]
    sockets[0].expect("user_joined", {"userId": bob.id})
    sockets[2].send("user_joined", {**sockets[2].identity, "channelId": room})
    for socket in sockets:
        frame = socket.expect("user_joined", {"userId": eve.id})
        must.members(frame["data"], {"username": eve.username, "channelId": room}, "user_joined's data")


@case("R34.outsider-hears-nothing")
def outsider_hears_nothing(world: World) -> None:
    """Somebody in another room hears the later join there, and not the earlier one here."""
    ann, bob = world.guests("ann", "bob")
    here, there = world.channel(ann)["id"], world.channel(ann)["id"]
    outsider = world.socket(ann, join=there)
    joiner = world.socket(bob)
    joiner.send("user_joined", {**joiner.identity, "channelId": here})
    joiner.expect("user_joined", {"channelId": here})
    joiner.send("user_joined", {**joiner.identity, "channelId": there})
    outsider.expect_nothing_before("user_joined", {"userId": bob.id, "channelId": there})
