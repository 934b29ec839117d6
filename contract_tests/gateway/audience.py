"""Who hears each event: three in the room do, an outsider in another room and one in no room do not.

A `Scene` makes an event, and what belongs to it, happen in a given channel. It is played twice, first in the room
and then in the outsider's room. So the second showing is the fence: by the time the outsider has it, the first would
have come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from contract_tests.clients.gateway import Socket
from contract_tests.contract import Contract
from contract_tests.gateway.stage import hears_nothing, refused, seated, talk, talking
from contract_tests.people import Person, World, unique
from contract_tests.runner import Case, case, family

Heard = tuple[str, dict[str, Any]]
Scene = Callable[[World, Person, str], list[Heard]]
"""Lets a person do something in a channel; the events that everyone else in its room hears, in order."""


@dataclass(frozen=True)
class Show:
    """A scene and the two requirements it judges. `voice`: it needs a voice channel."""

    reaches: str
    stays: str
    scene: Scene
    voice: bool = False


def joins(world: World, actor: Person, room: str) -> list[Heard]:
    """Enter the room aloud."""
    world.socket(actor, join=room)
    return [("user_joined", {"userId": actor.id, "username": actor.username, "channelId": room})]


def leaves(world: World, actor: Person, room: str) -> list[Heard]:
    """Enter the room, and close the one connection that is there."""
    world.socket(actor, join=room).close()
    return [*_joined(actor, room), ("user_left", {"userId": actor.id, "username": actor.username, "channelId": room})]


def drops(world: World, actor: Person, room: str) -> list[Heard]:
    """Enter the room, and lose the one connection that is there."""
    world.socket(actor, join=room).drop()
    return [*_joined(actor, room), ("user_left", {"userId": actor.id, "channelId": room})]


def posts(world: World, actor: Person, room: str) -> list[Heard]:
    """Write a message by REST."""
    return [("message", world.message(actor, room, unique("by REST")))]


def writes(world: World, actor: Person, room: str) -> list[Heard]:
    """Write a message by socket."""
    content = unique("by socket")
    socket = world.socket(actor)
    socket.send("message", {"channelId": room, "content": content})
    message = socket.expect("message", {"content": content})["data"]
    return [("message", {"id": message["id"], "content": content, "authorId": actor.id, "channelId": room})]


def edits(world: World, actor: Person, room: str) -> list[Heard]:
    """Edit a message of one's own."""
    before = world.message(actor, room, "first")
    path, body = {"id": before["id"]}, {"content": unique("second")}
    after = world.rest.call("updateMessage", path=path, token=actor.token, body=body, expect=200).data
    return [("message", {"id": before["id"]}), ("message_edited", {**after, "content": body["content"]})]


def deletes(world: World, actor: Person, room: str) -> list[Heard]:
    """Delete a message of one's own."""
    gone = world.message(actor, room)["id"]
    world.rest.call("deleteMessage", path={"id": gone}, token=actor.token, expect=200)
    return [("message", {"id": gone}), ("message_deleted", {"id": gone, "channelId": room})]


def types(world: World, actor: Person, room: str) -> list[Heard]:
    """Type, without being in the room."""
    world.socket(actor).send("typing", {"channelId": room})
    return [("typing", {"userId": actor.id, "username": actor.username, "channelId": room})]


def talks(world: World, actor: Person, room: str) -> list[Heard]:
    """Enter the voice channel, mute, and leave it."""
    socket = world.socket(actor)
    talk(socket, room)
    talk(socket, room, isMuted=True)
    talk(socket, None)
    flags = {"isMuted": False, "isDeafened": False}
    return [
        ("voice_state", {"userId": actor.id, "channelId": room, **flags}),
        ("voice_state", {"userId": actor.id, "channelId": room, **flags, "isMuted": True}),
        ("voice_state", {"userId": actor.id, "channelId": None}),
        ("user_left", {"userId": actor.id, "username": actor.username, "channelId": room}),
    ]


SHOWS = (
    Show("R34.room-hears-join", "R34.outsider-hears-no-join", joins),
    Show("R35.room-hears-leave", "R35.outsider-hears-no-leave", leaves),
    Show("R35.room-hears-drop", "R35.outsider-hears-no-drop", drops),
    Show("R36.room-hears-rest-message", "R36.outsider-hears-no-rest-message", posts),
    Show("R36.room-hears-socket-message", "R36.outsider-hears-no-socket-message", writes),
    Show("R36.room-hears-edit", "R36.outsider-hears-no-edit", edits),
    Show("R36.room-hears-deletion", "R36.outsider-hears-no-deletion", deletes),
    Show("R37.room-hears-typing", "R37.outsider-hears-no-typing", types),
    Show("R38.room-hears-voice", "R38.outsider-hears-no-voice", talks, voice=True),
)


@family
def shows(contract: Contract) -> Iterable[Case]:
    """Two cases for each show."""
    for show in SHOWS:
        yield Case(show.reaches, show.scene.__name__, _reaches(show))
        yield Case(show.stays, show.scene.__name__, _stays(show))


def _reaches(show: Show) -> Callable[[World], None]:
    def check(world: World) -> None:
        """Three in the room hear it once each, and in order."""
        ann, bob, eve, actor = world.guests("ann", "bob", "eve", "actor")
        room = _channel(world, ann, show)
        audience = _gathered(world, room, show, ann, bob, eve)
        heard = show.scene(world, actor, room)
        for socket in audience:
            for name, data in heard:
                socket.expect_next(name, data)
        for socket in audience:
            hears_nothing(socket, "more than once")

    return check


def _stays(show: Show) -> Callable[[World], None]:
    def check(world: World) -> None:
        """An outsider hears what happens in their own room alone, and who is in no room nothing."""
        ann, bob, eve, actor, outsider, loner = world.guests("ann", "bob", "eve", "actor", "outsider", "loner")
        here, there = _channel(world, ann, show), _channel(world, ann, show)
        _gathered(world, here, show, ann, bob, eve)
        (outside,) = _gathered(world, there, show, outsider)
        alone = world.socket(loner)
        show.scene(world, actor, here)
        for name, data in show.scene(world, actor, there):
            outside.expect_next(name, data)
        hears_nothing(alone, "of rooms that it is not in")

    return check


@case("R33.error-to-sender-alone")
def error_to_sender_alone(world: World) -> None:
    """What one socket does wrong neither the room nor the user's other socket hears of."""
    ann, bob, eve, outsider = world.guests("ann", "bob", "eve", "outsider")
    room, elsewhere = world.channel(ann)["id"], world.channel(ann)["id"]
    others = [*seated(world, room, ann, bob, eve), world.socket(outsider, join=elsewhere)]
    clumsy = world.socket(eve, join=room)
    clumsy.send("message", {"channelId": room})
    refused(clumsy, "invalid_message")
    for socket in others:
        hears_nothing(socket, "of somebody's mistake")


def _joined(actor: Person, room: str) -> list[Heard]:
    return [("user_joined", {"userId": actor.id, "channelId": room})]


def _channel(world: World, owner: Person, show: Show) -> str:
    return str(world.channel(owner, "voice" if show.voice else "text")["id"])


def _gathered(world: World, room: str, show: Show, *people: Person) -> list[Socket]:
    return talking(world, room, *people) if show.voice else seated(world, room, *people)
