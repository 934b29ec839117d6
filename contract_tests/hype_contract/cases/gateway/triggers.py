"""Actions in rooms that cause events for others: the triggers of the audience matrix (see audience.py)."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.actors.people import unique
from hype_contract.cases.gateway.audience import Expected, Sender, Trigger, audience_cases
from hype_contract.cases.registry import Case, family
from hype_contract.contract.specs import Contract


def enters(sender: Sender) -> list[Expected]:
    """Join the room with `user_joined`."""
    socket = sender.socket()
    socket.send("user_joined", {**socket.identity, "channelId": sender.room})
    return [user_joined(sender)]


def closes(sender: Sender) -> list[Expected]:
    """Join the room, and close the sender's only connection there."""
    sender.world.socket(sender.person, join=sender.room).close()
    return [user_joined(sender), user_left(sender)]


def drops(sender: Sender) -> list[Expected]:
    """Join the room, and lose the sender's only connection there."""
    sender.world.socket(sender.person, join=sender.room).drop()
    return [user_joined(sender), user_left(sender)]


def asks_to_leave(sender: Sender) -> list[Expected]:
    """Join the room, and leave it by request."""
    socket = sender.socket()
    socket.send("user_joined", {**socket.identity, "channelId": sender.room})
    socket.send("user_left", {"channelId": sender.room})
    return [user_joined(sender), user_left(sender)]


def hangs_up(sender: Sender) -> list[Expected]:
    """Enter the voice channel, and leave it."""
    socket = sender.socket()
    socket.send("voice_state", {"channelId": sender.room})
    socket.send("voice_state", {"channelId": None})
    return [voice_state(sender), voice_state_null(sender), user_left(sender)]


def loses_its_connection(sender: Sender) -> list[Expected]:
    """Enter the voice channel, and lose the sender's only connection there."""
    socket = sender.world.socket(sender.person)
    socket.send("voice_state", {"channelId": sender.room})
    socket.expect("voice_state", {"userId": sender.person.id})
    socket.drop()
    return [voice_state(sender), voice_state_null(sender), user_left(sender)]


def changes_flags(sender: Sender) -> list[Expected]:
    """Enter the voice channel with one flag, then change both."""
    socket = sender.socket()
    socket.send("voice_state", {"channelId": sender.room, "isMuted": True})
    socket.send("voice_state", {"channelId": sender.room, "isMuted": False, "isDeafened": True})
    return [voice_state(sender, isMuted=True), voice_state(sender, isDeafened=True)]


def posts(sender: Sender) -> list[Expected]:
    """Send a message by REST."""
    return [("message", sender.world.message(sender.person, sender.room, unique("by REST")))]


def writes(sender: Sender) -> list[Expected]:
    """Send a message by socket."""
    content = unique("by socket")
    sender.socket().send("message", {"channelId": sender.room, "content": content})
    return [("message", {"content": content, "authorId": sender.person.id, "channelId": sender.room})]


def edits(sender: Sender) -> list[Expected]:
    """Edit a message of the sender's own."""
    before = sender.world.message(sender.person, sender.room, "first")
    path, body = {"id": before["id"]}, {"content": unique("second")}
    after = sender.world.rest.call("updateMessage", path=path, token=sender.person.token, body=body, expect=200).data
    return [("message", path), ("message_edited", {**after, **body})]


def deletes(sender: Sender) -> list[Expected]:
    """Delete a message of the sender's own."""
    path = {"id": sender.world.message(sender.person, sender.room)["id"]}
    sender.world.rest.call("deleteMessage", path=path, token=sender.person.token, expect=200)
    return [("message", path), ("message_deleted", {**path, "channelId": sender.room})]


def types_outside(sender: Sender) -> list[Expected]:
    """Type from outside the room."""
    sender.socket().send("typing", {"channelId": sender.room})
    return [_typing(sender)]


def types_inside(sender: Sender) -> list[Expected]:
    """Type inside the room."""
    socket = sender.world.socket(sender.person, join=sender.room)
    sender.sockets.append(socket)
    socket.send("typing", {"channelId": sender.room})
    return [user_joined(sender), _typing(sender)]


def sends_a_bad_frame(sender: Sender) -> list[Expected]:
    """Send a good message, which joins the room silently, and then a bad one; the room hears the good one alone."""
    content = unique("before a bad frame")
    socket = sender.socket()
    socket.send("message", {"channelId": sender.room, "content": content})
    socket.send("message", {"channelId": sender.room})
    return [("message", {"content": content, "authorId": sender.person.id})]


def user_joined(sender: Sender) -> Expected:
    """Return the sender's `user_joined`."""
    data = {"userId": sender.person.id, "username": sender.person.username, "channelId": sender.room}
    return "user_joined", data


def user_left(sender: Sender) -> Expected:
    """Return the sender's `user_left`."""
    return "user_left", user_joined(sender)[1]


def voice_state(sender: Sender, **flags: bool) -> Expected:
    """Return the sender's `voice_state` in the channel. `flags`: those that are true."""
    place = {"userId": sender.person.id, "channelId": sender.room}
    return "voice_state", {**place, "isMuted": False, "isDeafened": False, **flags}


def voice_state_null(sender: Sender) -> Expected:
    """Return the sender's `voice_state` after the call."""
    return "voice_state", {"userId": sender.person.id, "channelId": None}


def _typing(sender: Sender) -> Expected:
    return "typing", user_joined(sender)[1]


@family
def trigger_cases(contract: Contract) -> Iterable[Case]:
    """Yield the audience cases of each trigger."""
    return audience_cases(
        (
            Trigger("user_joined", "in", enters),
            Trigger("user_joined", "out", enters, voice=True),
            Trigger("user_left", "in", asks_to_leave),
            Trigger("user_left", "out", closes, stays=False),
            Trigger("user_left", "out", drops, stays=False),
            Trigger("user_left", "out", hangs_up, voice=True, under="R38.leave"),
            Trigger("message", "in", writes, twice=True),
            Trigger("message", "out", posts, twice=True),
            Trigger("message_edited", "out", edits, twice=True),
            Trigger("message_deleted", "out", deletes, twice=True),
            Trigger("typing", "in", types_outside, twice=True),
            Trigger("typing", "out", types_inside),
            Trigger("voice_state", "in", hangs_up, voice=True),
            Trigger("voice_state", "in", changes_flags, voice=True, twice=True),
            Trigger("voice_state", "out", changes_flags, voice=True, twice=True),
            Trigger("voice_state", "out", loses_its_connection, voice=True, stays=False),
            Trigger("error", "out", sends_a_bad_frame),
        ),
        contract,
    )
