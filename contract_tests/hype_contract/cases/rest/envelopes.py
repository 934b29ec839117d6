"""Envelopes, times and ids, which all answers have in common (rulings R1, R2 and R3).

Their schemas in openapi.yaml are judged with every answer. The cases here are about rules that a schema cannot state.
"""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER, UNKNOWN_ID, sample, statuses_of_unknown

_READS = (
    "listChannels",
    "getChannel",
    "listUsers",
    "getUser",
    "listServers",
    "getServer",
    "listMessages",
    "getMessage",
)


@case(
    "R1.envelope",
    "an answer has the envelope of a success or that of a failure, without members of the other",
    source="openapi.yaml#/info/description › Envelope",
    watched=True,
)
def envelope(world: World) -> None:
    """Show it with every read that succeeds, and with a 404."""
    for operation in _READS:
        reply = sample(world, operation).succeed()
        must.equal(reply.json["success"], True, "success", seen=reply.pair)
        must.hold("error" not in reply.json, "no `error` beside `data`", sorted(reply.json), seen=reply.pair)
    reply = world.rest.call("getUser", path={"id": UNKNOWN_ID}, expect=404)
    must.members(reply.json, {"success": False, "error": "User not found"}, "the failure", seen=reply.pair)
    must.hold("data" not in reply.json, "no `data` beside `error`", sorted(reply.json), seen=reply.pair)


@case(
    "R2.created-and-updated",
    "createdAt and updatedAt follow the order of the requests",
    source="openapi.yaml#/components/schemas/Timestamp",
)
def created_and_updated(world: World) -> None:
    """Compare them in each object, and in objects that are created one after another."""
    ann = world.guest("ann")
    room = world.channel(ann)
    messages = [world.message(ann, room["id"], content) for content in ("one", "two", "three")]
    objects: list[dict[str, Any]] = [room, *messages]
    for made in objects:
        must.ascending([made["createdAt"], made["updatedAt"]], "createdAt and updatedAt")
    must.ascending([made["createdAt"] for made in objects], "createdAt of objects created one after another")
    world.rest.call("getChannel", path={"id": room["id"]}, expect=200)


@case("R3.new-ids", "each new object gets an id of its own", source="openapi.yaml#/components/schemas/Cuid")
def new_ids(world: World) -> None:
    ann, bob = world.guest("ann"), world.member("bob")
    room = world.channel(ann)["id"]
    messages = [world.message(ann, room, str(number))["id"] for number in range(5)]
    ids = [ann.id, bob.id, room, *messages]
    must.equal(len(set(ids)), len(ids), "the number of different ids")
    world.rest.call("getChannel", path={"id": room}, expect=200)


@case(
    "R3.ids-that-name-nothing",
    "an unknown id in a body is 404, and an id with U+0000 is 400",
    source="openapi.yaml#/components/schemas/ChannelId",
)
def ids_that_name_nothing(world: World) -> None:
    message, channel = sample(world, "createMessage"), sample(world, "createChannel")
    channel.ask(body=channel.with_members(serverId=UNKNOWN_ID), expect=404)
    for odd in (UNKNOWN_ID, "no such thing", "x" * 300, "\U0001f600", "'", "../../etc/passwd", "%00"):
        refused = statuses_of_unknown(world.contract, odd)
        message.ask(body=message.with_members(channelId=odd), expect=refused)
    message.ask(body=message.with_members(channelId="a\x00b"), expect=400)
    channel.ask(body=channel.with_members(serverId="a\x00b"), expect=400)


@case(
    "R3.names-are-no-ids",
    "the name of a channel or of a server is not accepted as its id",
    source="openapi.yaml#/components/schemas/Id",
)
def names_are_no_ids(world: World) -> None:
    """Use the names in a path, a query and a body; compare the channel afterwards."""
    ann = world.guest("ann")
    room = world.channel(ann)
    server = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200).data
    for operation, body in (("getChannel", None), ("updateChannel", {"topic": "new"}), ("deleteChannel", None)):
        world.rest.call(operation, path={"id": room["name"]}, token=ann.token, body=body, expect=404)
    world.rest.call("listMessages", query={"channelId": room["name"]}, expect=404)
    body = {"channelId": room["name"], "content": "hello"}
    world.rest.call("createMessage", token=ann.token, body=body, expect=404)
    for operation in ("getServer", "listServerChannels"):
        world.rest.call(operation, path={"serverId": server["name"]}, expect=404)
    body = {"name": unique("room"), "type": "text", "serverId": server["name"]}
    refused = statuses_of_unknown(world.contract, server["name"])
    world.rest.call("createChannel", token=ann.token, body=body, expect=refused)
    kept = world.rest.call("getChannel", path={"id": room["id"]}, expect=200)
    must.equal(kept.data, room, "the channel afterwards", seen=kept.pair)
