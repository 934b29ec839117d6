"""What people do in rooms that others hear of: the scenes of the matrix of events and audiences (see audience.py)."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors.people import unique
from hype_contract.cases.gateway.audience import Actor, Heard, Show, staged
from hype_contract.cases.registry import Case, family
from hype_contract.contract.specs import Contract


def enters(actor: Actor) -> list[Heard]:
    """Enter the room aloud."""
    socket = actor.socket()
    socket.send("user_joined", {**socket.identity, "channelId": actor.room})
    return [joined(actor)]


def closes(actor: Actor) -> list[Heard]:
    """Enter the room, and close the one connection that is there."""
    actor.world.socket(actor.person, join=actor.room).close()
    return [joined(actor), left(actor)]


def drops(actor: Actor) -> list[Heard]:
    """Enter the room, and lose the one connection that is there."""
    actor.world.socket(actor.person, join=actor.room).drop()
    return [joined(actor), left(actor)]


def asks_to_leave(actor: Actor) -> list[Heard]:
    """Enter the room, and leave it by request."""
    socket = actor.socket()
    socket.send("user_joined", {**socket.identity, "channelId": actor.room})
    socket.send("user_left", {"channelId": actor.room})
    return [joined(actor), left(actor)]


def hangs_up(actor: Actor) -> list[Heard]:
    """Enter the voice channel, and leave it."""
    socket = actor.socket()
    socket.send("voice_state", {"channelId": actor.room})
    socket.send("voice_state", {"channelId": None})
    return [state(actor), hung_up(actor), left(actor)]


def is_cut_off(actor: Actor) -> list[Heard]:
    """Enter the voice channel, and lose the one connection that is there."""
    socket = actor.world.socket(actor.person)
    socket.send("voice_state", {"channelId": actor.room})
    socket.expect("voice_state", {"userId": actor.person.id})
    socket.drop()
    return [state(actor), hung_up(actor), left(actor)]


def changes_flags(actor: Actor) -> list[Heard]:
    """Enter the voice channel with one flag, then change both."""
    socket = actor.socket()
    socket.send("voice_state", {"channelId": actor.room, "isMuted": True})
    socket.send("voice_state", {"channelId": actor.room, "isMuted": False, "isDeafened": True})
    return [state(actor, isMuted=True), state(actor, isDeafened=True)]


def posts(actor: Actor) -> list[Heard]:
    """Write a message by REST."""
    return [("message", actor.world.message(actor.person, actor.room, unique("by REST")))]


def writes(actor: Actor) -> list[Heard]:
    """Write a message by socket."""
    content = unique("by socket")
    actor.socket().send("message", {"channelId": actor.room, "content": content})
    return [("message", {"content": content, "authorId": actor.person.id, "channelId": actor.room})]


def edits(actor: Actor) -> list[Heard]:
    """Edit a message of one's own."""
    before = actor.world.message(actor.person, actor.room, "first")
    path, body = {"id": before["id"]}, {"content": unique("second")}
    after = actor.world.rest.call("updateMessage", path=path, token=actor.person.token, body=body, expect=200).data
    return [("message", path), ("message_edited", {**after, **body})]


def deletes(actor: Actor) -> list[Heard]:
    """Delete a message of one's own."""
    path = {"id": actor.world.message(actor.person, actor.room)["id"]}
    actor.world.rest.call("deleteMessage", path=path, token=actor.person.token, expect=200)
    return [("message", path), ("message_deleted", {**path, "channelId": actor.room})]


def types_outside(actor: Actor) -> list[Heard]:
    """Type, without being in the room."""
    actor.socket().send("typing", {"channelId": actor.room})
    return [_typing(actor)]


def types_inside(actor: Actor) -> list[Heard]:
    """Type, in the room."""
    socket = actor.world.socket(actor.person, join=actor.room)
    actor.sockets.append(socket)
    socket.send("typing", {"channelId": actor.room})
    return [joined(actor), _typing(actor)]


def blunders(actor: Actor) -> list[Heard]:
    """Enter the room silently, and send a frame that is refused; the room hears of the first alone."""
    content = unique("before a mistake")
    socket = actor.socket()
    socket.send("message", {"channelId": actor.room, "content": content})
    socket.send("message", {"channelId": actor.room})
    return [("message", {"content": content, "authorId": actor.person.id})]


def joined(actor: Actor) -> Heard:
    """The actor's user_joined."""
    data = {"userId": actor.person.id, "username": actor.person.username, "channelId": actor.room}
    return "user_joined", data


def left(actor: Actor) -> Heard:
    """The actor's user_left."""
    return "user_left", joined(actor)[1]


def state(actor: Actor, **flags: bool) -> Heard:
    """The actor's voice_state in the channel."""
    place = {"userId": actor.person.id, "channelId": actor.room}
    return "voice_state", {**place, "isMuted": False, "isDeafened": False, **flags}


def hung_up(actor: Actor) -> Heard:
    """The actor's voice_state when they have left."""
    return "voice_state", {"userId": actor.person.id, "channelId": None}


def _typing(actor: Actor) -> Heard:
    return "typing", joined(actor)[1]


@family
def shows(contract: Contract) -> Iterable[Case]:
    """The cases of each scene."""
    return staged(
        (
            Show("user_joined", "in", enters),
            Show("user_joined", "out", enters, voice=True),
            Show("user_left", "in", asks_to_leave),
            Show("user_left", "out", closes, stays=False),
            Show("user_left", "out", drops, stays=False),
            Show("user_left", "out", hangs_up, voice=True),
            Show("message", "in", writes, twice=True),
            Show("message", "out", posts, twice=True),
            Show("message_edited", "out", edits, twice=True),
            Show("message_deleted", "out", deletes, twice=True),
            Show("typing", "in", types_outside, twice=True),
            Show("typing", "out", types_inside),
            Show("voice_state", "in", hangs_up, voice=True),
            Show("voice_state", "in", changes_flags, voice=True, twice=True),
            Show("voice_state", "out", changes_flags, voice=True, twice=True),
            Show("voice_state", "out", is_cut_off, voice=True, stays=False),
            Show("error", "out", blunders),
        ),
        contract,
    )
