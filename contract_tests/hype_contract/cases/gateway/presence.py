"""Profiles and statuses in the gateway's events (ruling R24)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.gateway.steps import join_room, set_voice_state, sockets_in_call, sockets_in_room
from hype_contract.cases.registry import case
from hype_contract.contract.specs import Pair


def _change_profile(world: World, person: Person) -> dict[str, str]:
    """Give the person a new username, display name and picture, and return the three members."""
    profile = {"username": unique("renamed"), "displayName": "New Name", "avatarUrl": "https://example.com/new.png"}
    world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=profile, expect=200)
    return profile


@case(
    "R24.events-show-present-profile",
    "events and author objects show the current profile",
    source="asyncapi.yaml#/components/schemas/UserJoined",
)
def events_show_present_profile(world: World) -> None:
    """Change the profile while the sockets are open."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = sockets_in_room(world, room, ann)
    socket = world.socket(eve)
    profile = _change_profile(world, eve)
    if not world.hardened:
        socket.identity = {"userId": eve.id}
    join_room(socket, room)
    watcher.expect_next("user_joined", {"userId": eve.id, **profile})
    socket.send("message", {"channelId": room, "content": "hello"})
    author = watcher.expect_next("message")["data"]["author"]
    must.members(author, {"id": eve.id, **profile}, "the message's author")


@case(
    "R24.typing-shows-present-name",
    "typing shows the current username",
    source="rulings R24 and R37",
    level="extension",
    slow=True,
)
def typing_shows_present_name(world: World) -> None:
    """Rename the user while the socket is in the room."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = sockets_in_room(world, room, ann, eve)
    profile = _change_profile(world, eve)
    socket.send("typing", {"channelId": room})
    watcher.expect_next("typing", {"userId": eve.id, "username": profile["username"]})


@case(
    "A14.voice-state-profile",
    "voice_state shows the current username, displayName and avatarUrl of its user",
    source="asyncapi.yaml#/components/schemas/VoiceState; amendment A14",
    level="extension",
)
def voice_state_profile(world: World) -> None:
    """Change the profile of a participant, then enter the call with a newcomer, mute the participant, and leave."""
    ann, eve, bob = world.guests("ann", "eve", "bob")
    call = world.channel(ann, "voice")["id"]
    watcher, socket = sockets_in_call(world, call, ann, eve)
    profile = {"userId": eve.id, **_change_profile(world, eve)}
    newcomer = world.socket(bob)
    newcomer.send("voice_state", {"channelId": call})
    _shows(newcomer, profile, "a participant to a newcomer")
    watcher.expect("voice_state", {"userId": bob.id})
    socket.send("voice_state", {"channelId": call, "isMuted": True})
    _shows(watcher, profile, "a participant with a changed flag")
    socket.send("voice_state", {"channelId": None})
    _shows(watcher, profile, "a participant who leaves")


def _shows(socket: Socket, profile: dict[str, str], what: str) -> None:
    data = socket.expect("voice_state", {"userId": profile["userId"]})["data"]
    must.members(data, profile, f"voice_state of {what}", seen=Pair("event", "voice_state", "out"))


@case(
    "R24.user-left-shows-present-name",
    "user_left shows the current username",
    source="asyncapi.yaml#/components/schemas/UserLeft",
)
def user_left_shows_present_name(world: World) -> None:
    """Rename the user in the room, and drop the socket."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = sockets_in_room(world, room, ann, eve)
    profile = _change_profile(world, eve)
    socket.drop()
    watcher.expect_next("user_left", {"userId": eve.id, "username": profile["username"]})


@case("R24.user-left-shows-present-name")
def leaving_a_call_shows_present_name(world: World) -> None:
    """Rename the user in a call, and leave the call."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    watcher, participant = sockets_in_call(world, channel, ann, eve)
    profile = _change_profile(world, eve)
    set_voice_state(participant, None)
    watcher.expect("user_left", {"userId": eve.id, "username": profile["username"]})


@case(
    "R24.author-status-now",
    "message.author.status is the author's current status, in upper case",
    source="openapi.yaml#/components/schemas/Message",
)
def author_status_now(world: World) -> None:
    """Change the status before each message."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, writer = sockets_in_room(world, room, ann, eve)
    for status in ("dnd", "idle", "offline"):
        path = {"id": eve.id}
        world.rest.call("updateUserStatus", path=path, token=eve.token, body={"status": status}, expect=200)
        writer.send("message", {"channelId": room, "content": status})
        author = watcher.expect_next("message", {"content": status})["data"]["author"]
        must.equal(author["status"], status.upper(), "the author's status")


@case(
    "R24.sockets-leave-status-alone",
    "a user's status stays when sockets of the user connect and drop",
    source="openapi.yaml#/components/schemas/Status",
)
def sockets_leave_status_alone(world: World) -> None:
    """Read the status after the first connection, and after the drop of the last one."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    path = {"id": eve.id}
    world.rest.call("updateUserStatus", path=path, token=eve.token, body={"status": "idle"}, expect=200)
    watcher, socket = sockets_in_room(world, room, ann, eve)
    must.equal(world.rest.call("getUser", path=path, expect=200).data["status"], "idle", "the status after the connect")
    socket.drop()
    watcher.expect("user_left", {"userId": eve.id})
    must.equal(world.rest.call("getUser", path=path, expect=200).data["status"], "idle", "the status after the drop")
