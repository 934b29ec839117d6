"""What all answers have in common: envelope, times and ids (rulings R1, R2 and R3).

Their shapes are in openapi.yaml and judged with every answer; here stands what a schema cannot say.
"""

from __future__ import annotations

import re
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER, UNKNOWN_ID, sample

_CUID = re.compile(r"c[a-z0-9]{24}", re.ASCII)
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


@case("R1.envelope", "successes and failures stand in their envelopes")
def envelope(world: World) -> None:
    """A success says so beside its data, and a failure beside its reason; neither has what belongs to the other."""
    for operation in _READS:
        reply = sample(world, operation).succeed()
        must.equal(reply.json["success"], True, "success", seen=reply.pair)
        must.hold("error" not in reply.json, "no `error` beside `data`", sorted(reply.json), seen=reply.pair)
    reply = world.rest.call("getUser", path={"id": UNKNOWN_ID}, expect=404)
    must.members(reply.json, {"success": False, "error": "User not found"}, "the failure", seen=reply.pair)
    must.hold("data" not in reply.json, "no `data` beside `error`", sorted(reply.json), seen=reply.pair)


@case("R2.created-and-updated", "createdAt and updatedAt follow the order of what happened")
def created_and_updated(world: World) -> None:
    """Nothing was updated before it was created, and later things were created later."""
    ann = world.guest("ann")
    room = world.channel(ann)
    messages = [world.message(ann, room["id"], content) for content in ("one", "two", "three")]
    things: list[dict[str, Any]] = [room, *messages]
    for thing in things:
        must.ascending([thing["createdAt"], thing["updatedAt"]], "createdAt and updatedAt")
    must.ascending([thing["createdAt"] for thing in things], "createdAt of what was made one after another")
    world.rest.call("getChannel", path={"id": room["id"]}, expect=200)


@case("R3.new-ids", "new rows get CUIDs")
def new_ids(world: World) -> None:
    """What the server stores gets a CUID, and no two get the same."""
    ann, bob = world.guest("ann"), world.member("bob")
    room = world.channel(ann)["id"]
    messages = [world.message(ann, room, str(number))["id"] for number in range(5)]
    ids = [ann.id, bob.id, room, *messages]
    for id in ids:
        must.hold(_CUID.fullmatch(id) is not None, "a CUID (^c[a-z0-9]{24}$)", id)
    must.equal(len(set(ids)), len(ids), "the number of different ids")
    world.rest.call("getChannel", path={"id": room}, expect=200)


@case("R3.ids-that-name-nothing", "an id in a body that names nothing is 404, one with U+0000 is 400")
def ids_that_name_nothing(world: World) -> None:
    """An id in a body that names nothing is 404 whatever it looks like; one with U+0000 is 400."""
    message, channel = sample(world, "createMessage"), sample(world, "createChannel")
    channel.ask(body=channel.with_members(serverId=UNKNOWN_ID), expect=404)
    for odd in (UNKNOWN_ID, "no such thing", "x" * 300, "\U0001f600", "'", "../../etc/passwd", "%00"):
        message.ask(body=message.with_members(channelId=odd), expect=404)
    message.ask(body=message.with_members(channelId="a\x00b"), expect=400)
    channel.ask(body=channel.with_members(serverId="a\x00b"), expect=400)


@case("R3.names-are-no-ids", "a channel or a server is not found by its name")
def names_are_no_ids(world: World) -> None:
    """What has a name that could be an id is not found by it, in a path, a query or a body, and stays as it is."""
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
    world.rest.call("createChannel", token=ann.token, body=body, expect=404)
    kept = world.rest.call("getChannel", path={"id": room["id"]}, expect=200)
    must.equal(kept.data, room, "the channel afterwards", seen=kept.pair)
