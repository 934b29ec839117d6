"""Messages of text channels (rulings R18, R19, R20 and R36).

Messages are announced to the channel's room in the order in which they were stored. So a writer takes the channel's
turn (`in_order_of`) before it touches a row, and keeps it until its event is handed over.
"""

from __future__ import annotations

from hype import payloads
from hype.cluster import RoomEvent
from hype.errors import BadRequest, NotFound
from hype.models import Channel, Message
from hype.operations.call import Answer, Call, ok
from hype.operations.policy import permit

__all__ = ["create_message", "delete_message", "get_message", "list_messages", "update_message"]


def list_messages(call: Call) -> Answer:
    """Return messages of a channel, newest first; `meta.total` counts them all (operation listMessages)."""
    channel = _text_channel(call.query["channelId"])
    limit, offset = call.query["limit"], call.query["offset"]
    rows, total = Message.page(channel.id, limit, offset)
    return ok([payloads.message(row) for row in rows], {"total": total, "limit": limit, "offset": offset})


def get_message(call: Call) -> Answer:
    """Return a message (operation getMessage)."""
    return ok(payloads.message(_found(call)))


def create_message(call: Call) -> Answer:
    """Store a message, for REST and for the gateway's `message` alike (operation createMessage, ruling R36).

    `call.origin`, the socket that asks, joins the room with the event and so gets it.
    """
    channel = _text_channel(call.body["channelId"])
    call.unit.in_order_of(channel.id)
    row = Message.add(channel_id=channel.id, author=call.caller, content=call.body["content"])
    data = payloads.message(row)
    call.unit.announce(RoomEvent(channel.id, "message", data, joins=call.origin))
    return ok(data)


def update_message(call: Call) -> Answer:
    """Change the text; set `edited` even when it is the same (operation updateMessage, ruling R20)."""
    row = _own(call, "Forbidden: You can only edit your own messages")
    call.unit.in_order_of(row.channel_id)
    data = payloads.message(row.edit(call.body["content"]))
    call.unit.announce(RoomEvent(row.channel_id, "message_edited", data))
    return ok(data)


def delete_message(call: Call) -> Answer:
    """Delete a message (operation deleteMessage)."""
    row = _own(call, "Forbidden: You can only delete your own messages")
    call.unit.in_order_of(row.channel_id)
    if not row.remove():
        raise NotFound("Message not found")
    data = {"id": row.id, "channelId": row.channel_id}
    call.unit.announce(RoomEvent(row.channel_id, "message_deleted", data))
    return ok({"id": row.id})


def _text_channel(channel_id: str) -> Channel:
    channel = Channel.find(channel_id)
    if channel is None:
        raise NotFound("Channel not found")
    if channel.type != "TEXT":
        raise BadRequest("Channel is not a text channel")
    return channel


def _found(call: Call) -> Message:
    row = Message.find(call.path["id"])
    if row is None:
        raise NotFound("Message not found")
    return row


def _own(call: Call, refusal: str) -> Message:
    row = _found(call)
    permit(call, refusal, author=row.author.id == call.caller.id)
    return row
