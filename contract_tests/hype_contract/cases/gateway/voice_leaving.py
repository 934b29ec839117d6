"""Leaving a voice channel: by request, by a drop, and by the channel's deletion (rulings R13, R14 and R38)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import (
    drop_and_wait,
    hears_error,
    hears_nothing,
    set_voice_state,
    sockets_in_call,
    sockets_in_room,
)
from hype_contract.cases.registry import case


def _hear_leave(sockets: list[Socket], user_id: str, channel: str) -> None:
    """Check that each socket hears `voice_state` with null, then `user_left`, and nothing else."""
    for socket in sockets:
        socket.expect_next("voice_state", {"userId": user_id, "channelId": None})
        socket.expect_next("user_left", {"userId": user_id, "channelId": channel})
        hears_nothing(socket, "more when one user leaves")


@case(
    "R38.leave",
    "a leave sends voice_state with null to all in the call, then user_left to the others",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def leave(world: World) -> None:
    """Leave a call of three; the leaver hears no `user_left` and no later event of the channel."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, leaver = sockets_in_call(world, channel, ann, bob, eve)
    leaver.send("voice_state", {"channelId": None})
    _hear_leave(others, eve.id, channel)
    set_voice_state(others[0], channel, isMuted=True)
    leaver.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    hears_nothing(leaver, "of a channel that it has left")


@case(
    "R38.flags-end-false",
    "both flags are false in the voice_state of a user who leaves",
    source="asyncapi.yaml#/operations/sendVoiceState",
    strength="should",
    alike=True,
)
def flags_end_false(world: World) -> None:
    """Set both flags, then leave."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    stays, leaver = sockets_in_call(world, channel, ann, eve)
    set_voice_state(leaver, channel, isMuted=True, isDeafened=True)
    stays.expect_next("voice_state", {"userId": eve.id, "isMuted": True, "isDeafened": True})
    leaver.send("voice_state", {"channelId": None})
    off = {"userId": eve.id, "channelId": None, "isMuted": False, "isDeafened": False}
    for socket in (stays, leaver):
        socket.expect("voice_state", off)


@case(
    "R38.leave-of-all-connections",
    "a leave takes all the user's sockets out of the voice channel",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def leave_of_all_connections(world: World) -> None:
    """Leave with one of the user's two sockets; each of the two hears one `voice_state` with null."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, first = sockets_in_call(world, channel, ann, bob, eve)
    second = world.socket(eve)
    set_voice_state(second, channel)
    for socket in others:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    first.fence()
    second.fence()
    first.send("voice_state", {"channelId": None})
    _hear_leave(others, eve.id, channel)
    for socket in (first, second):
        socket.expect("voice_state", {"userId": eve.id, "channelId": None})
        must.hold("user_left" not in {frame["type"] for frame in socket.fence()}, "a leaver to hear no user_left")
    set_voice_state(others[0], channel, isMuted=True)
    others[1].expect_next("voice_state", {"userId": ann.id, "isMuted": True})
    for socket in (first, second):
        hears_nothing(socket, "of a voice channel that its user has left")


@case(
    "R38.null-in-none",
    "the gateway answers the leave of a user in no voice channel to the sender alone",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def null_in_none(world: World) -> None:
    """Send null while another user is in a room with the sender, and the sender has a second socket."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, asking = sockets_in_room(world, room, ann, eve)
    second = world.socket(eve)
    asking.send("voice_state", {"channelId": None})
    asking.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    for socket in (watcher, second):
        hears_nothing(socket, "of a user who was in no voice channel")


@case(
    "R38.drop",
    "the drop of the user's last socket in the voice channel is a leave",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def drop(world: World) -> None:
    """Drop the user's only socket in the call while another socket of the user is outside."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    elsewhere = world.socket(eve)
    *others, participant = sockets_in_call(world, channel, ann, bob, eve)
    participant.drop()
    _hear_leave(others, eve.id, channel)
    hears_nothing(elsewhere, "of a channel that it was not in")


@case(
    "R38.drop-of-one-connection",
    "a drop is no leave while another socket of the user is in the voice channel",
    source="asyncapi.yaml#/operations/sendVoiceState",
    alike=True,
)
def drop_of_one_connection(world: World) -> None:
    """Drop the first of two sockets, change a flag with the second, and drop that one, too."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, first = sockets_in_call(world, channel, ann, bob, eve)
    second = world.socket(eve)
    set_voice_state(second, channel)
    drop_and_wait(world, first, elsewhere=world.channel(ann)["id"])
    set_voice_state(second, channel, isMuted=True)
    second.drop()
    for socket in others:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": False})
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": True})
    _hear_leave(others, eve.id, channel)


@case("R38.drop-of-one-connection", alike=True)
def drop_keeps_flags(world: World) -> None:
    """Set both flags, drop one of the user's two sockets, and read the flags from the other."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    first, second = world.socket(eve), world.socket(eve)
    set_voice_state(first, channel, isMuted=True, isDeafened=True)
    set_voice_state(second, channel)
    drop_and_wait(world, first, elsewhere=world.channel(ann)["id"])
    data = set_voice_state(second, channel)
    must.members(data, {"isMuted": True, "isDeafened": True}, "the voice_state after the drop of one socket")


@case(
    "R38.leave-request-leaves-call",
    "a user_left request of the user's last socket in the room leaves the voice channel",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_leaves_call(world: World) -> None:
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, leaver = sockets_in_call(world, channel, ann, bob, eve)
    leaver.send("user_left", {"channelId": channel})
    _hear_leave(others, eve.id, channel)


@case(
    "R13.live-voice-count",
    "_count.voiceStates is the current number of users in the voice channel",
    source="openapi.yaml#/components/schemas/Channel",
)
def live_voice_count(world: World) -> None:
    """Read the count in every kind of channel response, after each entry, leave and drop."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    _counted(world, channel, 0)
    watcher, leaver, participant = sockets_in_call(world, channel, ann, bob, eve)
    second = world.socket(eve)
    set_voice_state(second, channel)
    _counted(world, channel, 3)
    set_voice_state(leaver, None)
    _counted(world, channel, 2)
    participant.drop()
    second.drop()
    watcher.expect("user_left", {"userId": eve.id})
    _counted(world, channel, 1)


def _counted(world: World, channel: str, number: int) -> None:
    single = world.rest.call("getChannel", path={"id": channel}, expect=200)
    listed = world.rest.call("listChannels", expect=200)
    path = {"serverId": single.data["serverId"]}
    of_server = world.rest.call("listServerChannels", path=path, expect=200)
    for reply, found in ((single, [single.data]), (listed, listed.data), (of_server, of_server.data)):
        data = must.find(found, lambda each: each["id"] == channel, "the channel", seen=reply.pair)
        must.equal(data["_count"]["voiceStates"], number, "_count.voiceStates", seen=reply.pair)


@case(
    "R14.voice-channel-deleted",
    "the deletion of a voice channel sends a voice_state with null for each participant, and no user_left",
    source="asyncapi.yaml#/operations/sendVoiceState",
)
def voice_channel_deleted(world: World) -> None:
    """Delete a call of three; each participant hears three ends, and may enter another channel."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    deleted, other = world.channel(ann, "voice")["id"], world.channel(ann, "voice")["id"]
    sockets = sockets_in_call(world, deleted, ann, bob, eve)
    world.rest.call("deleteChannel", path={"id": deleted}, token=ann.token, expect=200)
    for socket in sockets:
        for person in (ann, bob, eve):
            socket.expect("voice_state", {"userId": person.id, "channelId": None})
        hears_nothing(socket, "but three voice_states with null")
    set_voice_state(sockets[0], other)
    must.equal(set_voice_state(sockets[1], None)["channelId"], None, "channelId of a user who is in no voice channel")
    hears_nothing(sockets[0], "of users who are in no voice channel")


@case(
    "R14.deleted-channel-is-unknown",
    "a deleted channel is not_found, and its deletion sends no user_left",
    source="rulings R14 and R33",
    level="extension",
)
def deleted_channel_is_unknown(world: World) -> None:
    """Send a frame of each type to deleted channels, then drop a socket that was in their room."""
    ann, bob = world.guests("ann", "bob")
    text, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    watcher, asking = sockets_in_room(world, text, ann, bob)
    world.message(ann, text)
    for socket in (watcher, asking):
        socket.expect_next("message")
    for channel in (text, voice):
        world.rest.call("deleteChannel", path={"id": channel}, token=ann.token, expect=200)
    for type, channel in (("message", text), ("typing", text), ("user_joined", text), ("voice_state", voice)):
        asking.send(type, {"channelId": channel, "content": "hello"})
        hears_error(asking, "not_found")
    for socket in (watcher, asking):
        hears_nothing(socket, "of the deleted rooms")
    drop_and_wait(world, asking, elsewhere=world.channel(ann)["id"])
    hears_nothing(watcher, "of a deleted room when a user who was in it drops")
