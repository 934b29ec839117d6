"""Long lists: what they show without `limit`, their parts, and their place in the whole (rulings P10, R16 and A6)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER
from hype_contract.cases.rest.users import MOST_LISTED, count

LISTS = ("listUsers", "listChannels", "listServerChannels", "listServers")
_CHANNELS = ("listChannels", "listServerChannels")
_WRONG: tuple[dict[str, Any], ...] = (
    {"limit": 0},
    {"limit": MOST_LISTED + 1},
    {"limit": "many"},
    {"offset": -1},
    {"offset": ""},
)


@case("P10.first-thousand", "without a limit a list has the first 1,000 objects at most", level="hardened", alone=True)
def first_thousand(world: World) -> None:
    """Compare the number of users with that of all users."""
    for operation in LISTS:
        reply = ask(world, operation)
        must.hold(len(reply.data) <= MOST_LISTED, f"{MOST_LISTED} objects at most", len(reply.data), seen=reply.pair)
    wanted = min(MOST_LISTED, count(world))
    reply = ask(world, "listUsers")
    must.equal(len(reply.data), wanted, "the number of users in the list", seen=reply.pair)


@case(
    "P10.all",
    "without a limit the list of users has all of them",
    source="openapi.yaml#/paths/~1api~1users/get",
    profiles=("documented",),
    alone=True,
)
def all_users(world: World) -> None:
    wanted = count(world)
    reply = ask(world, "listUsers")
    must.equal(len(reply.data), wanted, "the number of users in the list", seen=reply.pair)


@case("A6.meta", "a list says its total, limit and offset", level="extension", alone=True)
def meta(world: World) -> None:
    """Ask for a part, for what is behind the end, and without a query."""
    for operation in LISTS:
        whole = ask(world, operation).meta
        total = whole["total"]
        usual = MOST_LISTED if world.hardened else None
        must.equal(whole, {"total": total, "limit": usual, "offset": 0}, f"meta of {operation}")
        if total <= MOST_LISTED:
            must.equal(len(ask(world, operation).data), total, f"the length of the list of {operation}")
        for query in ({"limit": 1}, {"limit": 2, "offset": 1}, {"limit": 1, "offset": total + 5}):
            reply = ask(world, operation, **query)
            must.equal(reply.meta, {"total": total, "offset": 0, **query}, "meta", seen=reply.pair)
    must.equal(ask(world, "listUsers").meta["total"], count(world), "the number of users")


@case("P10.parts-of-channels", "channels and servers can be listed in parts", level="extension", alone=True)
def parts_of_channels(world: World) -> None:
    """Compare the parts with the whole, which has five new channels, of which some share a position."""
    ann = world.guest("ann")
    for position in (3, 1, 2, 1, 1):
        world.channel(ann, position=position)
    for operation in (*_CHANNELS, "listServers"):
        every = [each["id"] for each in ask(world, operation).data]
        for size in (1, 2, 3):
            found = [
                each["id"]
                for offset in range(0, len(every), size)
                for each in ask(world, operation, limit=size, offset=offset).data
            ]
            must.equal(found, every, f"the ids in parts of {size}")
        must.equal([each["id"] for each in ask(world, operation, offset=1).data], every[1:], "the ids behind the first")
        for query in _WRONG:
            ask(world, operation, expect=400, **query)


def ask(world: World, operation: str, *, expect: int = 200, **query: Any) -> Reply:
    """Ask for a list."""
    path = {"serverId": DEFAULT_SERVER} if operation == "listServerChannels" else {}
    return world.rest.call(operation, path=path, query=query, expect=expect)
