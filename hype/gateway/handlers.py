"""What each event of a client does: one function per message that asyncapi.yaml receives, named like it.

A handler gets data that keeps the spec and a socket whose earlier frames have all been handled. It asks the
database first and then, without waiting any more, changes who is where and sends.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any

from hype.database import Unit
from hype.errors import BadRequest, NotAuthenticated, SpecMismatch
from hype.gateway.context import Context
from hype.gateway.hub import Socket
from hype.gateway.introductions import introduce
from hype.operations import Answer, Call, perform_as, rooms
from hype.operations.identity import Identity
from hype.operations.messages import create_message
from hype.operations.rooms import Profile

__all__ = ["Handler", "bind", "message", "typing", "user_joined", "user_left", "voice_state"]

Data = Mapping[str, Any]
Handler = Callable[[Context, Socket, Data], Awaitable[None]]


async def user_joined(context: Context, socket: Socket, data: Data) -> None:
    """Say who one is, and enter a room aloud (ruling R34)."""
    profile = await introduce(context, socket, data)
    event = {
        "userId": profile.user_id,
        "username": profile.username,
        "displayName": profile.display_name,
        "avatarUrl": profile.avatar_url,
        "channelId": None,
    }
    if "channelId" not in data:
        context.hub.to_socket(socket, "user_joined", event)
        return
    room = await context.room(socket, data["channelId"])
    event["channelId"] = room.channel_id
    if context.hub.present(profile.user_id, room.channel_id):
        context.hub.join(socket, room.channel_id)
        context.hub.to_socket(socket, "user_joined", event)
        return
    context.hub.join(socket, room.channel_id)
    context.hub.to_room(room.channel_id, "user_joined", event)


async def user_left(context: Context, socket: Socket, data: Data) -> None:
    """Leave a room; the others hear of it when it was the user's last socket there (ruling R35)."""
    room = await context.room(socket, data["channelId"])
    profile = await _profile(context, socket)
    context.voice.leave_room(socket, profile, room.channel_id)


async def message(context: Context, socket: Socket, data: Data) -> None:
    """Store a message; the room, and this socket with it, hears of it by what the operation announces (ruling R36)."""
    identity = _identity(socket)
    body = {"channelId": data["channelId"], "content": data["content"]}

    def work(unit: Unit) -> Answer:
        operation = context.services.contract.operations["createMessage"]
        call = Call(unit, context.services, operation, body=body, address=socket.address, origin=socket.id)
        return perform_as(create_message, call, identity.user_id, identity.session_id)

    await context.services.database.run(work, write=True)


async def typing(context: Context, socket: Socket, data: Data) -> None:
    """Tell a room that one is typing; one need not be in it (ruling R37)."""
    room = await context.room(socket, data["channelId"])
    profile = await _profile(context, socket)
    event = {"userId": profile.user_id, "username": profile.username, "channelId": room.channel_id}
    context.hub.to_room(room.channel_id, "typing", event, but=profile.user_id)


async def voice_state(context: Context, socket: Socket, data: Data) -> None:
    """Enter a voice channel, change one's flags in it, or leave it (ruling R38)."""
    profile = await introduce(context, socket, {"userId": data.get("userId")})
    if data["channelId"] is None:
        context.voice.leave(profile, asking=socket)
        return
    room = await context.room(socket, data["channelId"])
    if room.type != "VOICE":
        raise BadRequest("Channel is not a voice channel")
    context.voice.enter(socket, profile, room, is_muted=data.get("isMuted"), is_deafened=data.get("isDeafened"))


def bind(receives: Collection[str]) -> dict[str, Handler]:
    """The handlers by event name. Raises SpecMismatch unless they are for `receives`, the names in asyncapi.yaml."""
    handlers: dict[str, Handler] = {
        each.__name__: each for each in (user_joined, user_left, message, typing, voice_state)
    }
    if missing := set(receives) - set(handlers):
        raise SpecMismatch(f"asyncapi.yaml receives {', '.join(sorted(missing))}, which no gateway handler takes")
    if unknown := set(handlers) - set(receives):
        raise SpecMismatch(f"asyncapi.yaml does not receive {', '.join(sorted(unknown))}, but the gateway handles it")
    return handlers


async def _profile(context: Context, socket: Socket) -> Profile:
    user_id = _identity(socket).user_id
    return await context.read(socket, lambda unit: rooms.profile(unit, user_id))


def _identity(socket: Socket) -> Identity:
    if socket.identity is None:
        raise NotAuthenticated
    return socket.identity
