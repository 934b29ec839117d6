"""The events of a client: one function per message that asyncapi.yaml receives, named like the message.

A handler gets a socket whose earlier frames have all been handled, the identity that the frame acts under, and valid
data. It runs in a greenlet: it reads the database first, which may wait; then it changes rooms and sends events,
without waiting any more.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from hype import payloads
from hype.database import Unit
from hype.errors import BadRequest, SpecMismatch
from hype.gateway.context import Context
from hype.gateway.hub import Socket
from hype.operations import Answer, Call, perform_as
from hype.operations.callers import Identity
from hype.operations.messages import create_message

__all__ = ["Handler", "bind", "message", "typing", "unheard", "user_joined", "user_left", "voice_state"]

Data = Mapping[str, Any]
Handler = Callable[[Context, Socket, Identity, Data], None]


def user_joined(context: Context, socket: Socket, identity: Identity, data: Data) -> None:
    """Tell the socket its user's profile, or join a room and tell the room (ruling R34)."""
    profile = context.profile(socket, identity.user_id)
    event = {**payloads.public_profile(profile), "channelId": None}
    if "channelId" not in data:
        context.hub.to_socket(socket, "user_joined", event)
        return
    room = context.room(socket, data["channelId"])
    context.admit(socket, room.channel_id)
    event["channelId"] = room.channel_id
    if context.hub.present(profile.user_id, room.channel_id):
        context.hub.join(socket, room.channel_id)
        context.hub.to_socket(socket, "user_joined", event)
        return
    context.hub.join(socket, room.channel_id)
    context.hub.to_room(room.channel_id, "user_joined", event)


def user_left(context: Context, socket: Socket, identity: Identity, data: Data) -> None:
    """Leave a room; the others get `user_left` when this was the user's last socket there (ruling R35)."""
    room = context.room(socket, data["channelId"])
    profile = context.profile(socket, identity.user_id)
    context.voice.leave_room(socket, profile, room.channel_id)


def message(context: Context, socket: Socket, identity: Identity, data: Data) -> None:
    """Store a message; the room and this socket get the event that the operation announces (ruling R36)."""
    body = {"channelId": data["channelId"], "content": data["content"]}
    context.admit(socket, body["channelId"])

    def work(unit: Unit) -> Answer:
        operation = context.services.contract.operations["createMessage"]
        call = Call(unit, context.services, operation, body=body, address=socket.address, origin=socket.id)
        return perform_as(create_message, call, identity.user_id, identity.session_id)

    context.services.database.run_now(work)


def typing(context: Context, socket: Socket, identity: Identity, data: Data) -> None:
    """Tell a room that the user types; the user need not be in the room (ruling R37).

    It is the most frequent event of a client, so it reads no more than it needs: a room in which somebody is has a
    channel, and the user's present name is for the others in the room.
    """
    channel_id = data["channelId"]
    if not context.hub.occupied(channel_id):
        channel_id = context.room(socket, channel_id).channel_id
    if context.hub.others(channel_id, identity.user_id):
        profile = context.profile(socket, identity.user_id)
        event = {"userId": profile.user_id, "username": profile.username, "channelId": channel_id}
        context.hub.to_room(channel_id, "typing", event, except_user=profile.user_id)


def unheard(context: Context, socket: Socket, name: str, data: Data) -> bool:
    """Return whether a frame is a `typing` that nobody would hear. It never waits, so it needs no greenlet."""
    if name != "typing" or socket.identity is None:
        return False
    channel_id = data["channelId"]
    return context.hub.occupied(channel_id) and not context.hub.others(channel_id, socket.identity.user_id)


def voice_state(context: Context, socket: Socket, identity: Identity, data: Data) -> None:
    """Enter a voice channel, change the user's flags in it, or leave it (ruling R38)."""
    profile = context.profile(socket, identity.user_id)
    if data["channelId"] is None:
        context.voice.leave(profile, asking=socket)
        return
    room = context.room(socket, data["channelId"])
    if room.type != "VOICE":
        raise BadRequest("Channel is not a voice channel")
    context.admit(socket, room.channel_id)
    context.voice.enter(socket, profile, room, is_muted=data.get("isMuted"), is_deafened=data.get("isDeafened"))


def bind(receives: Collection[str]) -> dict[str, Handler]:
    """Return the handlers by event name.

    receives: the names in asyncapi.yaml. Raises SpecMismatch unless the handlers have the same names.
    """
    handlers: dict[str, Handler] = {
        each.__name__: each for each in (user_joined, user_left, message, typing, voice_state)
    }
    if missing := set(receives) - set(handlers):
        raise SpecMismatch(f"asyncapi.yaml receives {', '.join(sorted(missing))}, which no gateway handler takes")
    if unknown := set(handlers) - set(receives):
        raise SpecMismatch(f"asyncapi.yaml does not receive {', '.join(sorted(unknown))}, but the gateway handles it")
    return handlers
