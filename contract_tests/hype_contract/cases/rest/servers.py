"""Servers and their counts (rulings R15 and R16)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER


@case(
    "R15.same-object",
    "a server is the same object by its id and in the list",
    source="openapi.yaml#/paths/~1api~1servers~1{serverId}/get",
    alone=True,
)
def same_object(world: World) -> None:
    """Compare every server; show also that the list is ordered by createdAt, then id."""
    listed = world.rest.call("listServers", expect=200)
    keys = [(server["createdAt"], server["id"]) for server in listed.data]
    must.ascending(keys, "the servers by createdAt, id", seen=listed.pair)
    for server in listed.data:
        reply = world.rest.call("getServer", path={"serverId": server["id"]}, expect=200)
        must.equal(reply.data, server, "the server by its id", seen=reply.pair)
        must.equal(server["owner"]["id"], server["ownerId"], "owner.id", seen=reply.pair)


@case(
    "R15.default-server",
    "the server `default-server` exists and is called Hype Community",
    source="Servers (/api/servers) › Seed данные; GET /api/servers › Ответ",
    level="documented",
)
def default_server(world: World) -> None:
    reply = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200)
    must.members(reply.data, {"id": DEFAULT_SERVER, "name": "Hype Community"}, "the default server", seen=reply.pair)


@case(
    "R15.channel-count",
    "_count.channels is the number of channels of the server",
    source="openapi.yaml#/paths/~1api~1servers/get",
    alone=True,
)
def channel_count(world: World) -> None:
    """Compare it with the list of channels, before and after each new channel and a deletion."""
    ann, before = world.guest("ann"), _counted(world)
    for type in ("text", "voice", "announcement"):
        made = world.channel(ann, type)
        after = _counted(world)
        must.equal(after, before + 1, f"_count.channels after one more {type} channel")
        before = after
    world.rest.call("deleteChannel", path={"id": made["id"]}, token=ann.token, expect=200)
    must.equal(_counted(world), before - 1, "_count.channels after a deletion")


@case(
    "R15.member-count",
    "_count.members counts every new user as a member of the default server",
    source="openapi.yaml#/paths/~1api~1servers/get",
    alone=True,
)
def member_count(world: World) -> None:
    """Show it with a guest and with a registered user."""
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
    must.equal(len(listed.data), count, "the number of listed channels, as in _count.channels,", seen=listed.pair)
    return count
