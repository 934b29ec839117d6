"""Servers and their true counts (rulings R15 and R16)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER


@case("R15.same-object", "a server is the same object by its id as in the list", alone=True)
def same_object(world: World) -> None:
    """A server by its id is the same object as in the list, which is ordered by creation."""
    listed = world.rest.call("listServers", expect=200)
    keys = [(one["createdAt"], one["id"]) for one in listed.data]
    must.ascending(keys, "the servers by createdAt, id", seen=listed.pair)
    for server in listed.data:
        reply = world.rest.call("getServer", path={"serverId": server["id"]}, expect=200)
        must.equal(reply.data, server, "the server by its id", seen=reply.pair)
        must.equal(server["owner"]["id"], server["ownerId"], "owner.id", seen=reply.pair)


@case("R15.default-server", "the default server is there")
def default_server(world: World) -> None:
    """The seeded server is there: `default-server`, "Hype Community"."""
    reply = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200)
    must.members(reply.data, {"id": DEFAULT_SERVER, "name": "Hype Community"}, "the default server", seen=reply.pair)


@case("R15.channel-count", "_count.channels is true", alone=True)
def channel_count(world: World) -> None:
    """`_count.channels` is the number of channels that the server lists, before and after one more."""
    ann, before = world.guest("ann"), _counted(world)
    for type in ("text", "voice", "announcement"):
        made = world.channel(ann, type)
        after = _counted(world)
        must.equal(after, before + 1, f"_count.channels after one more {type} channel")
        before = after
    world.rest.call("deleteChannel", path={"id": made["id"]}, token=ann.token, expect=200)
    must.equal(_counted(world), before - 1, "_count.channels after one was deleted")


@case("R15.member-count", "_count.members is true, and everybody new is a member of the default server", alone=True)
def member_count(world: World) -> None:
    """A guest and a registered user become members of the default server."""
    before = _server(world)["_count"]["members"]
    world.guest()
    must.equal(_server(world)["_count"]["members"], before + 1, "_count.members after a guest")
    world.member()
    must.equal(_server(world)["_count"]["members"], before + 2, "_count.members after a registration")


def _server(world: World) -> dict[str, Any]:
    server: dict[str, Any] = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200).data
    return server


def _counted(world: World) -> int:
    count: int = _server(world)["_count"]["channels"]
    listed = world.rest.call("listServerChannels", path={"serverId": DEFAULT_SERVER}, expect=200)
    must.equal(len(listed.data), count, "the number of channels listed, as _count.channels says", seen=listed.pair)
    return count
