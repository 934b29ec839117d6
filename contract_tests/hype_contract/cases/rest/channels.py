"""Channels: the object in answers, and the effects of create, update and delete (rulings R13, R14 and P6)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER, NO_TOKEN, UNKNOWN_ID, sample

POSITION_MAX = 2_147_483_647
_GAP = 1000


@case(
    "R13.order",
    "channels are listed by position, then createdAt, then id",
    source="openapi.yaml#/paths/~1api~1channels/get",
)
def order(world: World) -> None:
    """Compare both lists, after a change of a position."""
    ann = world.guest("ann")
    positions = [7, 3, 10, 7, 3, 0]
    made = [world.channel(ann, position=position) for position in positions]
    path, change = {"id": made[0]["id"]}, {"position": 2}
    world.rest.call("updateChannel", path=path, token=ann.token, body=change, expect=200)
    for operation, path in (("listChannels", {}), ("listServerChannels", {"serverId": DEFAULT_SERVER})):
        reply = world.rest.call(operation, path=path, expect=200)
        keys = [(channel["position"], channel["createdAt"], channel["id"]) for channel in reply.data]
        must.ascending(keys, f"{operation} by position, createdAt, id", seen=reply.pair)
        shown = {channel["id"]: channel["position"] for channel in reply.data}
        kept = [shown.get(channel["id"]) for channel in made]
        must.equal(kept, [2, *positions[1:]], "the positions, of which only the first has changed", seen=reply.pair)


@case(
    "R13.same-object",
    "a channel is the same object in every answer that shows it",
    source="openapi.yaml#/components/schemas/Channel",
)
def same_object(world: World) -> None:
    """Compare the answer to its creation with the lists and with the channel by its id."""
    made = world.channel(world.guest(), "voice", topic="same", userLimit=7, bitrate=96)
    assert_same(world, made)


@case(
    "R13.members",
    "a channel names its server and creator, and counts its messages",
    source="openapi.yaml#/components/schemas/Channel",
)
def members(world: World) -> None:
    """Compare the channel after two messages, after a deleted message, and after its creator's new username."""
    ann = world.guest("ann")
    made = world.channel(ann)
    server = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200).data
    must.equal(made["serverId"], server["id"], "serverId")
    must.members(made["server"], {"id": server["id"], "name": server["name"]}, "server")
    must.members(made["createdBy"], {"id": ann.id, "username": ann.username}, "createdBy")
    must.members(made["_count"], {"messages": 0, "voiceStates": 0}, "_count")
    messages = [world.message(ann, made["id"], content)["id"] for content in ("one", "two")]
    reply = world.rest.call("getChannel", path={"id": made["id"]}, expect=200)
    must.equal(reply.data["_count"]["messages"], 2, "_count.messages after two messages", seen=reply.pair)
    listed = world.rest.call("listChannels", expect=200)
    found = must.find(listed.data, lambda channel: channel["id"] == made["id"], "the new channel", seen=listed.pair)
    must.equal(found["_count"]["messages"], 2, "_count.messages in the list", seen=listed.pair)
    world.rest.call("deleteMessage", path={"id": messages[0]}, token=ann.token, expect=200)
    renamed = {"username": f"{ann.username}-2"}
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body=renamed, expect=200)
    reply = world.rest.call("getChannel", path={"id": made["id"]}, expect=200)
    must.members(reply.data["createdBy"], {"id": ann.id, **renamed}, "createdBy after a new username", seen=reply.pair)
    must.equal(reply.data["_count"]["messages"], 1, "_count.messages after a deleted message", seen=reply.pair)


@case(
    "R14.defaults",
    "a new channel has the contract's default for each member that the request leaves out",
    source="openapi.yaml#/components/schemas/CreateChannelRequest",
)
def defaults(world: World) -> None:
    ann = world.guest()
    text = create(world, ann, type="text")
    must.members(
        text, {"serverId": DEFAULT_SERVER, "topic": None, "userLimit": None, "bitrate": None}, "a text channel"
    )
    voice = create(world, ann, type="voice")
    must.members(voice, {"userLimit": None, "bitrate": 64, "topic": None}, "a voice channel")


@case(
    "R14.type-letter-case",
    "a channel's type is accepted in either letter case and shown in upper case",
    source="openapi.yaml#/components/schemas/ChannelTypeName",
)
def type_letter_case(world: World) -> None:
    ann = world.guest()
    for type in ("text", "voice", "announcement", "TEXT", "VOICE", "ANNOUNCEMENT"):
        must.equal(create(world, ann, type=type)["type"], type.upper(), f"the type of a channel made as {type}")


@case(
    "R14.default-position",
    "a channel without a position goes after the last one of its server",
    source="openapi.yaml#/paths/~1api~1channels/post",
    alone=True,
)
def default_position(world: World) -> None:
    ann = world.guest()
    listed = world.rest.call("listServerChannels", path={"serverId": DEFAULT_SERVER}, expect=200).data
    last = max((channel["position"] for channel in listed), default=-1)
    if last >= POSITION_MAX - 3 * _GAP:
        raise must.Skipped("a channel of the target is at the highest position")
    # A gap in the positions exposes a server that counts channels instead.
    last = create(world, ann, position=(last // _GAP + 2) * _GAP)["position"]
    first, second = create(world, ann), create(world, ann)
    must.hold(first["position"] > last, f"a position after {last}", first["position"])
    must.hold(second["position"] > first["position"], f"a position after {first['position']}", second["position"])


@case(
    "R14.voice-only-members",
    "userLimit and bitrate are refused for a channel that is not a voice channel",
    source="openapi.yaml#/components/schemas/VoiceOnlyMembers",
)
def voice_only_members(world: World) -> None:
    """Show it with new channels and with updates."""
    request = sample(world, "createChannel")
    owner = request.person
    for type in ("text", "announcement", "TEXT"):
        for member, value in (("userLimit", 5), ("bitrate", 64)):
            request.ask(body={"name": unique("room"), "type": type, member: value}, expect=400)
        path = {"id": world.channel(owner, type)["id"]}
        for member, value in (("userLimit", 5), ("bitrate", 64)):
            world.rest.call("updateChannel", path=path, token=owner.token, body={member: value}, expect=400)


@case(
    "R14.unknown-server",
    "a new channel for an unknown server is 404",
    source="openapi.yaml#/paths/~1api~1channels/post",
)
def unknown_server(world: World) -> None:
    request = sample(world, "createChannel")
    request.ask(body=request.with_members(serverId=UNKNOWN_ID), expect=404)


@case(
    "R14.update-keeps-the-rest",
    "an update of a channel changes the members that it names, and no others",
    source="openapi.yaml#/paths/~1api~1channels~1{id}/put",
)
def update_keeps_the_rest(world: World) -> None:
    ann = world.guest()
    made = world.channel(ann, "voice", topic="old", position=5, userLimit=7, bitrate=96)
    kept = {name: value for name, value in made.items() if name not in ("updatedAt", "_count")}
    changes: tuple[dict[str, Any], ...] = (
        {"name": "renamed"},
        {"topic": ""},
        {"topic": None},
        {"position": 0},
        {"position": 6},
        {"userLimit": None},
        {"bitrate": 8},
        {},
    )
    for change in changes:
        kept |= change
        reply = world.rest.call("updateChannel", path={"id": made["id"]}, token=ann.token, body=change, expect=200)
        must.members(reply.data, kept, f"after {change}, the channel", seen=reply.pair)
    assert_same(world, reply.data)


@case("R14.type-stays", "a channel's type cannot change", source="openapi.yaml#/paths/~1api~1channels~1{id}/put")
def type_stays(world: World) -> None:
    """Show also that an update may repeat the type, in either letter case."""
    ann = world.guest()
    path = {"id": world.channel(ann, "voice")["id"]}
    for type in ("voice", "VOICE"):
        world.rest.call("updateChannel", path=path, token=ann.token, body={"type": type}, expect=200)
    for type in ("text", "ANNOUNCEMENT"):
        world.rest.call("updateChannel", path=path, token=ann.token, body={"type": type}, expect=400)
    must.equal(world.rest.call("getChannel", path=path, expect=200).data["type"], "VOICE", "the type afterwards")


@case(
    "R14.delete",
    "a channel is deleted together with its messages",
    source="openapi.yaml#/paths/~1api~1channels~1{id}/delete",
)
def delete(world: World) -> None:
    """Show it with messages of two authors, with the lists, and with further requests to the channel."""
    ann, bob = world.guests("ann", "bob")
    channel = world.channel(ann)["id"]
    messages = [world.message(author, channel)["id"] for author in (ann, bob)]
    path = {"id": channel}
    reply = world.rest.call("deleteChannel", path=path, token=ann.token, expect=200)
    must.equal(reply.data["id"], channel, "data.id", seen=reply.pair)
    world.rest.call("getChannel", path=path, expect=404)
    for message in messages:
        world.rest.call("getMessage", path={"id": message}, expect=404)
    world.rest.call("listMessages", query={"channelId": channel}, expect=404)
    world.rest.call("createMessage", token=ann.token, body={"channelId": channel, "content": "late"}, expect=404)
    world.rest.call("updateChannel", path=path, token=ann.token, body={"name": "late"}, expect=404)
    world.rest.call("deleteChannel", path=path, token=ann.token, expect=404)
    listed = world.rest.call("listChannels", expect=200)
    ids = [shown["id"] for shown in listed.data]
    must.hold(channel not in ids, "a list without the deleted channel", "a list with it", seen=listed.pair)


@case(
    "P6.only-creator-or-owner",
    "only the channel's creator or the server's owner can change or delete a channel",
    level="hardened",
)
def only_creator_or_owner(world: World) -> None:
    """Show it with another user, then with the creator."""
    ann, bob = world.guests("ann", "bob")
    made = world.channel(ann, topic="mine")
    path = {"id": made["id"]}
    world.rest.call("updateChannel", path=path, token=bob.token, body={"topic": "bob's"}, expect=403)
    world.rest.call("deleteChannel", path=path, token=bob.token, expect=403)
    assert_same(world, made)
    world.rest.call("updateChannel", path=path, token=ann.token, body={"topic": "still mine"}, expect=200)
    world.rest.call("deleteChannel", path=path, token=ann.token, expect=200)


@case(
    "P6.anyone",
    "anyone can create a channel without a token, as the server's owner, and can change and delete it",
    source="openapi.yaml#/paths/~1api~1channels/post",
    profiles=("documented",),
)
def anyone(world: World) -> None:
    server = world.rest.call("getServer", path={"serverId": DEFAULT_SERVER}, expect=200).data
    made = sample(world, "createChannel").succeed(token=NO_TOKEN)
    must.equal(made.data["createdBy"]["id"], server["ownerId"], "the creator", seen=made.pair)
    path, bob = {"id": made.data["id"]}, world.guest("bob")
    world.rest.call("updateChannel", path=path, body={"topic": "whoever"}, expect=200)
    reply = world.rest.call("updateChannel", path=path, token=bob.token, body={"topic": "bob"}, expect=200)
    must.equal(reply.data["createdBy"]["id"], server["ownerId"], "the creator after an update", seen=reply.pair)
    world.rest.call("deleteChannel", path=path, expect=200)


def create(world: World, owner: Person, **members: Any) -> dict[str, Any]:
    """Create a channel by a body with just these members, a name and a type; return it."""
    body = {"name": unique("room"), "type": "text", **members}
    made: dict[str, Any] = world.rest.call("createChannel", token=owner.token, body=body, expect=201).data
    world.adopt(made["id"], owner)
    return made


def assert_same(world: World, channel: dict[str, Any]) -> None:
    """Check that the lists and `getChannel` show exactly `channel`. Raises `Violation`."""
    shown = world.rest.call("getChannel", path={"id": channel["id"]}, expect=200)
    must.equal(shown.data, channel, "the channel by its id", seen=shown.pair)
    for operation, path in (("listChannels", {}), ("listServerChannels", {"serverId": DEFAULT_SERVER})):
        listed = world.rest.call(operation, path=path, expect=200)
        found = must.find(listed.data, lambda other: other["id"] == channel["id"], "the channel", seen=listed.pair)
        must.equal(found, channel, f"the channel in {operation}", seen=listed.pair)
