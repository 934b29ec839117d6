"""Profiles and status as the gateway shows them (ruling R24)."""

from __future__ import annotations

from hype_contract.actors import must
from hype_contract.actors.people import Person, unique
from hype_contract.actors.world import World
from hype_contract.cases.gateway.stage import enter, seated, talk, talking
from hype_contract.cases.registry import case


def _changed(world: World, person: Person) -> dict[str, str]:
    """Give the person a new name, display name and picture."""
    profile = {"username": unique("renamed"), "displayName": "New Name", "avatarUrl": "https://example.com/new.png"}
    world.rest.call("updateUser", path={"id": person.id}, token=person.token, body=profile, expect=200)
    return profile


@case("R24.events-show-present-profile", "events and author objects show the profile as it is now")
def events_show_present_profile(world: World) -> None:
    """After a change of profile every event shows the new one, on connections that were open before."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    (watcher,) = seated(world, room, ann)
    socket = world.socket(eve)
    profile = _changed(world, eve)
    if not world.hardened:
        socket.identity = {"userId": eve.id}
    enter(socket, room)
    watcher.expect_next("user_joined", {"userId": eve.id, **profile})
    socket.send("message", {"channelId": room, "content": "hello"})
    author = watcher.expect_next("message")["data"]["author"]
    must.members(author, {"id": eve.id, **profile}, "the message's author")


@case(
    "R24.typing-shows-present-name",
    "typing shows the name as it is now",
    source="rulings R24 and R37",
    level="extension",
    slow=True,
)
def typing_shows_present_name(world: World) -> None:
    """Who was renamed types under the new name, on a connection that was open before."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = seated(world, room, ann, eve)
    profile = _changed(world, eve)
    socket.send("typing", {"channelId": room})
    watcher.expect_next("typing", {"userId": eve.id, "username": profile["username"]})


@case("R24.user-left-shows-present-name", "user_left shows the name as it is now")
def user_left_shows_present_name(world: World) -> None:
    """Who was renamed while in the room leaves it under the new name."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, socket = seated(world, room, ann, eve)
    profile = _changed(world, eve)
    socket.drop()
    watcher.expect_next("user_left", {"userId": eve.id, "username": profile["username"]})


@case("R24.user-left-shows-present-name")
def leaving_a_call_shows_present_name(world: World) -> None:
    """Who was renamed during a call leaves it under the new name."""
    ann, eve = world.guests("ann", "eve")
    channel = world.channel(ann, "voice")["id"]
    watcher, talker = talking(world, channel, ann, eve)
    profile = _changed(world, eve)
    talk(talker, None)
    watcher.expect("user_left", {"userId": eve.id, "username": profile["username"]})


@case("R24.author-status-now", "message.author.status is the status as it is now, in upper case")
def author_status_now(world: World) -> None:
    """message.author.status is the status as it is when the message is written, in upper case."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    watcher, writer = seated(world, room, ann, eve)
    for status in ("dnd", "idle", "offline"):
        path = {"id": eve.id}
        world.rest.call("updateUserStatus", path=path, token=eve.token, body={"status": status}, expect=200)
        writer.send("message", {"channelId": room, "content": status})
        author = watcher.expect_next("message", {"content": status})["data"]["author"]
        must.equal(author["status"], status.upper(), "the author's status")


@case("R24.sockets-leave-status-alone", "connecting and dropping do not change a user's status")
def sockets_leave_status_alone(world: World) -> None:
    """Neither the first connection nor the drop of the last one changes a user's status."""
    ann, eve = world.guests("ann", "eve")
    room = world.channel(ann)["id"]
    path = {"id": eve.id}
    world.rest.call("updateUserStatus", path=path, token=eve.token, body={"status": "idle"}, expect=200)
    watcher, socket = seated(world, room, ann, eve)
    must.equal(world.rest.call("getUser", path=path, expect=200).data["status"], "idle", "the status when connected")
    socket.drop()
    watcher.expect("user_left", {"userId": eve.id})
    must.equal(world.rest.call("getUser", path=path, expect=200).data["status"], "idle", "the status when gone")
