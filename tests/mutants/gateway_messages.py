"""Bugs of messages as the gateway takes and announces them (rulings R24 and R36)."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.mutants.audiences import Sockets, later, refusing_frame, saying, told, unsent, user_of
from tests.mutants.changes import announcing, each, replaced, sets, without
from tests.mutants.registry import mutant
from tests.mutants.rest_messages import announcements_are_text
from tests.mutants.rest_texts import replaced_surrogates
from tests.mutants.seams import Around, Event, Frame, Operation, Payload, Query, SpecPatch, Within

_WELL_FORMED = "x-hype-well-formed"
_CONTENT = {"type": "string", "minLength": 1, "maxLength": 2000, "x-hype-not-blank": True}

_BY_SOCKET: dict[str, int] = {}
_CLAIMED: dict[str, str] = {}
_SOCKETS = Sockets()


def _count_on(handle: Any, frame: Any) -> None:
    handle(frame)
    _BY_SOCKET[frame.data["channelId"]] = _BY_SOCKET.get(frame.data["channelId"], 0) + 1


def _without_those_by_socket(payload: dict[str, Any], row: Any) -> dict[str, Any]:
    return each("_count", each("messages", lambda count: count - _BY_SOCKET.get(row.id, 0)))(payload)


def _joins_aloud(handle: Any, frame: Any) -> None:
    channel_id, outside = frame.data["channelId"], frame.data["channelId"] not in frame.socket.rooms
    handle(frame)
    if outside:
        identity = frame.socket.identity
        profile = {"userId": identity.user_id, "username": identity.username, "displayName": None, "avatarUrl": None}
        frame.context.hub.to_room(channel_id, "user_joined", {**profile, "channelId": channel_id})


def _authors_sockets_join(send: Any, event: Any) -> None:
    for socket in event.hub.sockets_of(event.data["authorId"]):
        event.hub.join(socket, event.room)
    send(event)


def _joins_first(handle: Any, frame: Any) -> None:
    frame.context.hub.join(frame.socket, frame.data["channelId"])
    handle(frame)


def _acknowledged(announce: Any, hub: Any, event: Any) -> None:
    announce(event)
    if (origin := _SOCKETS.named(event.joins)) is not None:
        hub.to_socket(origin, event.name, event.data)


def _claim_noted(handle: Any, frame: Any) -> None:
    _CLAIMED[frame.socket.id] = frame.data.get("authorId", user_of(frame.socket))
    handle(frame)


def _claim_believed(perform: Any, call: Any) -> Any:
    from hype.models import User

    call.user = User.find(_CLAIMED.get(call.origin or "", "")) or call.user
    return perform(call)


def _shows_what_was(perform: Any, call: Any) -> Any:
    from hype.models import Message

    row: Any = Message.find(call.path["id"])
    before = each("content", lambda content: row.content)
    return announcing(lambda effect, call: [replaced(effect, data=before(effect.data))])(perform, call)


def _in_its_own_time(add: Any, hub: Any, socket: Any) -> None:
    socket.send = partial(later(0.02), socket.send)
    add(socket)


MUTANTS = [
    mutant(
        "gateway.messages.uncounted",
        "_count.messages counts the messages written by REST alone.",
        Frame("message", _count_on),
        Payload("Channel", _without_those_by_socket),
        of="getChannel",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.author-left-out",
        "The author of a message does not get the event.",
        Event("message", lambda send, event: send(event.but_for(except_user=event.data["authorId"]))),
        of="message.in message.out",
        killed_by="audience.message.in.sender",
    ),
    mutant(
        "gateway.messages.by-rest-untold",
        "A message by REST is stored and not announced.",
        Operation("createMessage", announcing(lambda effect, call: [effect] if call.origin else [])),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.messages.by-socket-untold",
        "A message by socket is stored and not announced.",
        Operation("createMessage", announcing(lambda effect, call: [] if call.origin else [effect])),
        of="message.in",
        killed_by="audience.message.in.room",
    ),
    mutant(
        "gateway.messages.writer-stays-outside",
        "Writing to a room by socket does not enter it, so the writer hears no more of it.",
        Operation("createMessage", announcing(lambda effect, call: [replaced(effect, joins=None)])),
        of="message.in",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.messages.joins-aloud",
        "Writing to a room by socket announces the writer with user_joined.",
        Frame("message", _joins_aloud),
        of="message.in user_joined.out",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.messages.rest-joins",
        "A message by REST puts all the author's sockets into the room.",
        Event("message", _authors_sockets_join),
        of="message.out",
        killed_by="R36.rest-message-joins-nobody",
    ),
    mutant(
        "gateway.messages.refused-joins",
        "A message that is refused enters the room all the same.",
        Frame("message", _joins_first),
        of="message.in",
        killed_by="R36.wrong-channel-type",
    ),
    mutant(
        "gateway.messages.twice",
        "Every message is announced twice.",
        Event("message", lambda send, event: (send(event), send(event))),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.messages.twice-to-the-writer",
        "The socket that wrote a message gets an acknowledgement, and the event beside it.",
        *_SOCKETS.seams,
        Around("hype.gateway:Hub.announce", _acknowledged),
        of="message.in",
        killed_by="audience.message.in.sender",
    ),
    mutant(
        "gateway.messages.announced-late",
        "Events are handed to tasks, which send them in any order.",
        Around("hype.gateway:Hub.announce", later(0.05)),
        of="message.out",
        killed_by="R36.stored-order",
    ),
    mutant(
        "gateway.messages.each-socket-in-its-own-time",
        "Each socket gets the events of a room in an order of its own.",
        Around("hype.gateway:Hub.add", _in_its_own_time),
        of="message.out user_joined.out",
        killed_by="R36.one-order-for-all",
    ),
    mutant(
        "gateway.messages.deletion-overtakes",
        "An edit is announced later than the deletion that follows it.",
        Event("message_edited", later(0.5, least_s=0.5)),
        of="message_edited.out message_deleted.out",
        killed_by="R36.change-after-message",
    ),
    mutant(
        "gateway.messages.trimmed",
        "White space around a message by socket is cut off.",
        Frame("message", saying(each("content", str.strip))),
        of="message.in",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.escaped",
        "A message by socket is stored with its markup escaped.",
        Frame("message", saying(each("content", lambda text: text.replace("<", "&lt;")))),
        of="message.in",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.without-author",
        "The event shows the author's id only, where the REST answer shows the author.",
        Event("message", told(without("author"))),
        of="message.out",
        killed_by="published.message.out",
    ),
    mutant(
        "gateway.messages.any-content",
        "By socket a message may be blank, and as long as one likes.",
        SpecPatch("asyncapi.yaml#/components/schemas/MessageRequest/properties/content", {"type": "string"}),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.null-taken",
        "By socket a message may have U+0000 in it.",
        SpecPatch(
            "asyncapi.yaml#/components/schemas/MessageRequest/properties/content", {**_CONTENT, _WELL_FORMED: True}
        ),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.surrogate-is-internal",
        "An unpaired surrogate in a message by socket is an error of the server's own.",
        SpecPatch(
            "asyncapi.yaml#/components/schemas/MessageRequest/properties/content",
            {**_CONTENT, "pattern": r"^[^\x00]*$"},
        ),
        of="message.in",
        killed_by="R36.error-codes-of-rest",
    ),
    mutant(
        "gateway.messages.surrogate-replaced",
        "An unpaired surrogate in a message by socket is stored as U+FFFD.",
        SpecPatch(
            "asyncapi.yaml#/components/schemas/MessageRequest/properties/content",
            {**_CONTENT, "pattern": r"^[^\x00]*$"},
        ),
        Frame("message", saying(each("content", replaced_surrogates))),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.to-any-channel",
        "A message to an announcement channel is stored.",
        Within("createMessage", Query("Channel.tick", announcements_are_text)),
        of="message.in",
        killed_by="R36.wrong-channel-type",
    ),
    mutant(
        "gateway.messages.unknown-channel-is-invalid",
        "A message to a channel that does not exist is answered invalid_message.",
        Frame("message", refusing_frame(404, 400)),
        of="message.in",
        killed_by="R36.error-codes-of-rest",
    ),
    mutant(
        "gateway.messages.status-of-the-login",
        "A message shows its author as online, whatever their status is.",
        Payload("Author", sets(status="ONLINE")),
        of="message.out",
        killed_by="R24.author-status-now",
    ),
    mutant(
        "gateway.messages.author-forged",
        "A message is stored as of the authorId that the frame names.",
        Frame("message", _claim_noted),
        Operation("createMessage", _claim_believed),
        of="message.in",
        killed_by="R31.forged-member-ignored",
    ),
    mutant(
        "gateway.messages.edit-untold",
        "An edit is not announced.",
        Event("message_edited", unsent),
        of="message_edited.out",
        killed_by="audience.message_edited.out.room",
    ),
    mutant(
        "gateway.messages.editor-left-out",
        "The author of an edit does not get the event.",
        Event("message_edited", lambda send, event: send(event.but_for(except_user=event.data["authorId"]))),
        of="message_edited.out",
        killed_by="audience.message_edited.out.sender",
    ),
    mutant(
        "gateway.messages.edit-shows-what-was",
        "message_edited shows the text from before the edit.",
        Operation("updateMessage", _shows_what_was),
        of="message_edited.out",
        killed_by="audience.message_edited.out.room",
    ),
    mutant(
        "gateway.messages.edit-is-a-message",
        "An edit is announced as a message.",
        Event("message_edited", lambda send, event: send(event.but_for(name="message"))),
        of="message_edited.out",
        killed_by="R36.author-hears-changes",
    ),
    mutant(
        "gateway.messages.deletion-untold",
        "A deletion is not announced.",
        Event("message_deleted", unsent),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.room",
    ),
    mutant(
        "gateway.messages.deleter-left-out",
        "The user who deletes a message does not get the event.",
        Operation("deleteMessage", announcing(lambda effect, call: [replaced(effect, except_user=call.caller.id)])),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.sender",
    ),
    mutant(
        "gateway.messages.deletion-names-no-channel",
        "message_deleted names the message, and not its channel.",
        Event("message_deleted", told(without("channelId"))),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.room",
    ),
]
