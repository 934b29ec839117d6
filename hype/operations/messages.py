"""Messages of text channels (rulings R18, R19, R20 and R36).

Messages are announced to the channel's room in the order in which they were stored. So a writer takes the channel's
turn (`in_order_of`) before it touches a row, and keeps it until its event is handed over.
"""

from __future__ import annotations

from typing import TypeVar

from hype import payloads
from hype.cluster import RoomEvent
from hype.errors import BadRequest, NotFound
from hype.models import Channel, Message, Page, Tick
from hype.operations.call import Answer, Call, ok, ok_list
from hype.operations.policy import permit

__all__ = ["create_message", "delete_message", "get_message", "list_messages", "update_message"]

T = TypeVar("T", Page, Tick)


def list_messages(call: Call) -> Answer:
    """Return messages of a channel, newest first; `meta.total` counts them all (operation listMessages)."""
    limit, offset = call.query["limit"], call.query["offset"]
    page = _text_channel(Message.page(call.query["channelId"], limit, offset))
    return ok_list(page.joined, {"total": page.total, "limit": limit, "offset": offset})


def get_message(call: Call) -> Answer:
    """Return a message (operation getMessage)."""
    return ok(payloads.message(_found(call)))


def create_message(call: Call) -> Answer:
    """Store a message, for REST and for the gateway's `message` alike (operation createMessage, ruling R36).

    `call.origin`, the socket that asks, joins the room with the event and so gets it.
    """
    channel_id, content = call.body["channelId"], call.body["content"]
    call.unit.in_order_of(channel_id)
    data = payloads.message(_added_alone(call, channel_id, content) or _added(call, channel_id, content))
    call.unit.announce(RoomEvent(channel_id, "message", data, joins=call.origin))
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


def _added_alone(call: Call, channel_id: str, content: str) -> Message | None:
    """Return the message of a socket, stored in one round trip; None when `_added` has to store it, or to refuse it."""
    if not call.unread_caller:
        return None
    user_id, session_id = call.unread_caller
    return Message.add_alone(channel_id=channel_id, user_id=user_id, session_id=session_id, content=content)


def _added(call: Call, channel_id: str, content: str) -> Message:
    tick = Channel.tick(channel_id, *call.unread_caller)
    author = (tick.author if tick is not None else None) or call.caller
    return Message.add(channel_id=channel_id, author=author, content=content, tick=_text_channel(tick))


def _text_channel(found: T | None) -> T:
    """Return what was found of a channel, if it is a text channel. Raises NotFound and BadRequest."""
    if found is None:
        raise NotFound("Channel not found")
    if found.type != "TEXT":
        raise BadRequest("Channel is not a text channel")
    return found


def _found(call: Call) -> Message:
    row = Message.find(call.path["id"])
    if row is None:
        raise NotFound("Message not found")
    return row


def _own(call: Call, refusal: str) -> Message:
    row = _found(call)
    permit(call, refusal, author=row.author_id == call.caller.id)
    return row
