"""Channels: list, get, create, update, delete (rulings R13, R14 and P6)."""

from __future__ import annotations

from typing import Any

from hype import payloads
from hype.cluster import ChannelDeleted
from hype.errors import NotFound, TooManyRequests, ValidationFailed
from hype.models import DEFAULT_SERVER, Channel, Server
from hype.operations.call import Answer, Call, ok
from hype.operations.lists import answer_objects, span
from hype.operations.policy import permit

__all__ = ["create_channel", "delete_channel", "get_channel", "list_channels", "update_channel"]

_NOT_YOURS = "Forbidden: Only the channel's creator or the server's owner can do this"
_DEFAULT_BITRATE_KBPS = 64
_LATER_S = 60.0  # only the deletion of a channel makes room
_COLUMNS = {
    "name": "name",
    "topic": "topic",
    "position": "position",
    "userLimit": "user_limit",
    "bitrate": "bitrate",
}


def list_channels(call: Call) -> Answer:
    """Return channels by `position`, `createdAt`, `id` (operation listChannels)."""
    return channel_list(call)


def get_channel(call: Call) -> Answer:
    """Return a channel (operation getChannel)."""
    return _answer(call, _found(call))


def create_channel(call: Call) -> Answer:
    """Create a channel (operation createChannel).

    The creator is the caller, or the server's owner when the caller is anonymous (ruling P6).
    """
    body = call.body
    kind = body["type"].upper()
    server = Server.find(body.get("serverId", DEFAULT_SERVER))
    if server is None:
        raise NotFound("Server not found")
    _admit(call)
    row = Channel.add(
        server_id=server.id,
        created_by_id=server.owner_id if call.user is None else call.user.id,
        name=body["name"],
        type=kind,
        topic=body.get("topic"),
        position=body.get("position"),
        user_limit=body.get("userLimit"),
        bitrate=body.get("bitrate", _DEFAULT_BITRATE_KBPS if kind == "VOICE" else None),
    )
    return _answer(call, row)


def update_channel(call: Call) -> Answer:
    """Change a channel; absent members stay (operation updateChannel).

    The rules that need the stored row come last (ruling R10).
    """
    row = _found(call)
    _permit(call, row)
    _check_against(call, row)
    changes = {column: call.body[member] for member, column in _COLUMNS.items() if member in call.body}
    return _answer(call, row.change(changes))


def delete_channel(call: Call) -> Answer:
    """Delete a channel with its messages; the gateway closes its room (operation deleteChannel)."""
    row = _found(call)
    _permit(call, row)
    call.unit.in_order_of(row.id)  # no event of the channel may follow its end
    if not row.remove():
        raise NotFound("Channel not found")
    call.unit.announce(ChannelDeleted(row.id))
    return ok({"id": row.id})


def channel_list(call: Call, server_id: str | None = None) -> Answer:
    """Return the answer of a list of channels, of one server if given."""
    return answer_objects(call, Channel.parts(*span(call), server_id), lambda row: _payload(call, row))


def _admit(call: Call) -> None:
    """Raise TooManyRequests when the caller has created as many channels as a user may (amendment A13)."""
    most = call.services.limits.channels_per_user
    if most is not None and call.user is not None and Channel.count_created_by(call.user.id) >= most:
        raise TooManyRequests("Too many channels", retry_after_s=_LATER_S)


def _answer(call: Call, row: Channel) -> Answer:
    return ok(_payload(call, row))


def _payload(call: Call, row: Channel) -> dict[str, Any]:
    """Return the wire object of a channel; voice states are counted now."""
    return payloads.channel(row, voice_states=call.services.cluster.voice.count(row.id))


def _found(call: Call) -> Channel:
    row = Channel.find(call.path["id"])
    if row is None:
        raise NotFound("Channel not found")
    return row


def _permit(call: Call, row: Channel) -> None:
    user_id = None if call.user is None else call.user.id
    permit(call, _NOT_YOURS, creator=row.created_by_id == user_id, serverOwner=row.server_owner_id == user_id)


def _check_against(call: Call, row: Channel) -> None:
    """Raise ValidationFailed for a request that contradicts the stored row (ruling R14)."""
    body = {**call.body, "type": row.type}
    issues = call.services.contract.component_issues("VoiceOnlyMembers", body)
    if call.body.get("type", row.type).upper() != row.type:
        issues.append({"code": "custom", "path": ["type"], "message": "type cannot be changed"})
    if issues:
        raise ValidationFailed(details=issues)
