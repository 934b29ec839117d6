"""Leaving a voice channel, by every way there is (rulings R13, R14 and R38)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import drops_and_is_missed, hears_nothing, refused, seated, talk, talking
from hype_contract.cases.registry import case


def _leave_is_heard(sockets: list[Socket], user_id: str, channel: str) -> None:
    """voice_state with null, then user_left, and nothing else."""
    for socket in sockets:
        socket.expect_next("voice_state", {"userId": user_id, "channelId": None})
        socket.expect_next("user_left", {"userId": user_id, "channelId": channel})
        hears_nothing(socket, "more when one person leaves")


@case(
    "R38.leave",
    "leaving sends voice_state null to all, then user_left to the others",
    source="Voice Events; ruling R38",
    alike=True,
)
def leave(world: World) -> None:
    """The leaver hears its own voice_state null, no user_left, and nothing of the room any more."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, leaver = talking(world, channel, ann, bob, eve)
    leaver.send("voice_state", {"channelId": None})
    _leave_is_heard(others, eve.id, channel)
    talk(others[0], channel, isMuted=True)
    leaver.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    hears_nothing(leaver, "of a channel that it has left")


@case(
    "R38.flags-end-false",
    "both flags are false in the voice_state that says who has left",
    source="Voice Events; ruling R38",
    alike=True,
)
def flags_end_false(world: World) -> None:
    """Who leaves is neither muted nor deafened any more, by the voice_state that says so."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    stays, leaver = talking(world, channel, ann, eve)
    talk(leaver, channel, isMuted=True, isDeafened=True)
    stays.expect_next("voice_state", {"userId": eve.id, "isMuted": True, "isDeafened": True})
    leaver.send("voice_state", {"channelId": None})
    off = {"userId": eve.id, "channelId": None, "isMuted": False, "isDeafened": False}
    for socket in (stays, leaver):
        socket.expect("voice_state", off)


@case(
    "R38.leave-of-all-connections",
    "leaving takes all the user's sockets out of the voice channel",
    source="Voice Events; ruling R38",
    alike=True,
)
def leave_of_all_connections(world: World) -> None:
    """One connection's null takes the whole user out; each of their connections there hears it once."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, first = talking(world, channel, ann, bob, eve)
    second = world.socket(eve)
    talk(second, channel)
    for socket in others:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel})
    first.fence()
    second.fence()
    first.send("voice_state", {"channelId": None})
    _leave_is_heard(others, eve.id, channel)
    for socket in (first, second):
        socket.expect("voice_state", {"userId": eve.id, "channelId": None})
        must.hold("user_left" not in {frame["type"] for frame in socket.fence()}, "the leaver to hear no user_left")
    talk(others[0], channel, isMuted=True)
    others[1].expect_next("voice_state", {"userId": ann.id, "isMuted": True})
    for socket in (first, second):
        hears_nothing(socket, "of a voice channel that its user has left")


@case(
    "R38.null-in-none",
    "leaving while in no voice channel is answered to the sender alone",
    source="Voice Events; ruling R38",
    alike=True,
)
def null_in_none(world: World) -> None:
    """Leaving while in no voice channel is answered to the asking socket alone."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, asking = seated(world, room, ann, eve)
    second = world.socket(eve)
    asking.send("voice_state", {"channelId": None})
    asking.expect_next("voice_state", {"userId": eve.id, "channelId": None})
    for socket in (watcher, second):
        hears_nothing(socket, "of somebody who left nothing")


@case(
    "R38.drop",
    "the drop of the user's last socket in the voice channel is a leave",
    source="Voice Events; ruling R38",
    alike=True,
)
def drop(world: World) -> None:
    """The drop of the user's last connection in the channel is a leave, though another of theirs is elsewhere."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    elsewhere = world.socket(eve)
    *others, talker = talking(world, channel, ann, bob, eve)
    talker.drop()
    _leave_is_heard(others, eve.id, channel)
    hears_nothing(elsewhere, "of a channel that it was not in")


@case(
    "R38.drop-of-one-connection",
    "while another socket of the user is in the voice channel a drop is no leave",
    source="Voice Events; ruling R38",
    alike=True,
)
def drop_of_one_connection(world: World) -> None:
    """While another connection of the user is in the channel a drop is no leave."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, first = talking(world, channel, ann, bob, eve)
    second = world.socket(eve)
    talk(second, channel)
    drops_and_is_missed(world, first, elsewhere=world.channel(ann)["id"])
    talk(second, channel, isMuted=True)
    second.drop()
    for socket in others:
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": False})
        socket.expect_next("voice_state", {"userId": eve.id, "channelId": channel, "isMuted": True})
    _leave_is_heard(others, eve.id, channel)


@case("R38.drop-of-one-connection", alike=True)
def drop_keeps_flags(world: World) -> None:
    """What a user has set stays as it is while another connection of theirs is in the channel."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    first, second = world.socket(eve), world.socket(eve)
    talk(first, channel, isMuted=True, isDeafened=True)
    talk(second, channel)
    drops_and_is_missed(world, first, elsewhere=world.channel(ann)["id"])
    data = talk(second, channel)
    must.members(data, {"isMuted": True, "isDeafened": True}, "the voice_state of one who has lost a connection")


@case(
    "R38.leave-request-leaves-call",
    "a user_left request of the last socket there leaves the voice channel",
    source="rulings R35 and R38",
    level="extension",
    alike=True,
)
def leave_request_leaves_call(world: World) -> None:
    """user_left of the last connection in the room is a leave of the voice channel too."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    *others, leaver = talking(world, channel, ann, bob, eve)
    leaver.send("user_left", {"channelId": channel})
    _leave_is_heard(others, eve.id, channel)


@case(
    "R13.live-voice-count",
    "_count.voiceStates is the live number of users in the voice channel",
    source="GET /api/servers/:serverId/channels › Ответ; ruling R13",
)
def live_voice_count(world: World) -> None:
    """_count.voiceStates is how many users are in the channel now, in every channel response."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    channel = world.channel(ann, "voice")["id"]
    _counted(world, channel, 0)
    watcher, leaver, talker = talking(world, channel, ann, bob, eve)
    second = world.socket(eve)
    talk(second, channel)
    _counted(world, channel, 3)
    talk(leaver, None)
    _counted(world, channel, 2)
    talker.drop()
    second.drop()
    watcher.expect("user_left", {"userId": eve.id})
    _counted(world, channel, 1)


def _counted(world: World, channel: str, number: int) -> None:
    one = world.rest.call("getChannel", path={"id": channel}, expect=200)
    listed = world.rest.call("listChannels", expect=200)
    path = {"serverId": one.data["serverId"]}
    of_server = world.rest.call("listServerChannels", path=path, expect=200)
    for reply, found in ((one, [one.data]), (listed, listed.data), (of_server, of_server.data)):
        data = must.find(found, lambda each: each["id"] == channel, "the channel", seen=reply.pair)
        must.equal(data["_count"]["voiceStates"], number, "_count.voiceStates", seen=reply.pair)


@case("R14.voice-channel-deleted", "deleting a voice channel sends voice_state null to each member, no user_left")
def voice_channel_deleted(world: World) -> None:
    """Deleting a voice channel ends each member's voice_state for everyone in it, without user_left."""
    ann, bob, eve = world.guests("ann", "bob", "eve")
    doomed, other = world.channel(ann, "voice")["id"], world.channel(ann, "voice")["id"]
    sockets = talking(world, doomed, ann, bob, eve)
    world.rest.call("deleteChannel", path={"id": doomed}, token=ann.token, expect=200)
    for socket in sockets:
        for person in (ann, bob, eve):
            socket.expect("voice_state", {"userId": person.id, "channelId": None})
        hears_nothing(socket, "but the end of three voice states")
    talk(sockets[0], other)
    must.equal(talk(sockets[1], None)["channelId"], None, "channelId of one who is in no channel any more")
    hears_nothing(sockets[0], "of those who are in no channel")


@case(
    "R14.deleted-channel-is-unknown",
    "a deleted channel is not_found, and nobody is told that anybody left",
    source="rulings R14 and R33",
    level="extension",
)
def deleted_channel_is_unknown(world: World) -> None:
    """A deleted channel's room is gone: nobody is told that anybody left, and all it is asked is not_found."""
    ann, bob = world.guests("ann", "bob")
    text, voice = world.channel(ann)["id"], world.channel(ann, "voice")["id"]
    watcher, asking = seated(world, text, ann, bob)
    world.message(ann, text)
    for socket in (watcher, asking):
        socket.expect_next("message")
    for channel in (text, voice):
        world.rest.call("deleteChannel", path={"id": channel}, token=ann.token, expect=200)
    for type, channel in (("message", text), ("typing", text), ("user_joined", text), ("voice_state", voice)):
        asking.send(type, {"channelId": channel, "content": "hello"})
        refused(asking, "not_found")
    for socket in (watcher, asking):
        hears_nothing(socket, "of the rooms that went")
    drops_and_is_missed(world, asking, elsewhere=world.channel(ann)["id"])
    hears_nothing(watcher, "of the room that went, when one goes who was in it")
