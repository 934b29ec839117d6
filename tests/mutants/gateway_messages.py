"""Bugs of messages as the gateway takes and announces them (rulings R24 and R36)."""

from __future__ import annotations

from tests.mutants.registry import Edit, Law, mutant

_HUB = "hype/gateway/hub.py"
_HANDLERS = "hype/gateway/handlers.py"
_MESSAGES = "hype/operations/messages.py"
_ANNOUNCE = "self.to_room(event.room, event.name, event.data, except_user=event.except_user)"
_NEW = 'call.unit.announce(RoomEvent(channel.id, "message", data, joins=call.origin))'
_EDITED = 'call.unit.announce(RoomEvent(row.channel_id, "message_edited", data))'
_DELETED = 'call.unit.announce(RoomEvent(row.channel_id, "message_deleted", data))'
_WELL_FORMED = "x-hype-well-formed"
_CONTENT = {"type": "string", "minLength": 1, "maxLength": 2000, "x-hype-not-blank": True}
_RUN = "await context.services.database.run(work, write=True)"

MUTANTS = [
    mutant(
        "gateway.messages.uncounted",
        "_count.messages counts what was written by REST alone.",
        Edit(
            "hype/operations/channels.py",
            "messages=messages[row.id]",
            "messages=messages[row.id] - _BY_SOCKET.get(row.id, 0)",
        ),
        Edit(
            "hype/operations/channels.py",
            "def channel_payloads(",
            "_BY_SOCKET: dict[str, int] = {}\n\n\ndef channel_payloads(",
        ),
        Edit(
            "hype/operations/messages.py",
            "    data = payloads.message(row)\n",
            "    data = payloads.message(row)\n    if call.origin is not None:\n"
            "        from hype.operations.channels import _BY_SOCKET\n\n"
            "        _BY_SOCKET[channel.id] = _BY_SOCKET.get(channel.id, 0) + 1\n",
        ),
        of="getChannel",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.author-left-out",
        "The author of a message does not get the event.",
        Edit(_MESSAGES, "joins=call.origin)", "joins=call.origin, except_user=call.caller.id)"),
        of="message.in message.out",
        killed_by="audience.message.in.sender",
    ),
    mutant(
        "gateway.messages.by-rest-untold",
        "A message by REST is stored and announced to nobody.",
        Edit(_MESSAGES, _NEW, f"if call.origin:\n        {_NEW}"),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.messages.by-socket-untold",
        "A message by socket is stored and announced to nobody.",
        Edit(_MESSAGES, _NEW, f"if not call.origin:\n        {_NEW}"),
        of="message.in",
        killed_by="audience.message.in.room",
    ),
    mutant(
        "gateway.messages.writer-stays-outside",
        "Writing to a room by socket does not enter it, so the writer hears no more of it.",
        Edit(_HUB, "if origin is not None and origin.open:", "if False:"),
        of="message.in",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.messages.joins-aloud",
        "Writing to a room by socket announces the writer with user_joined.",
        Edit(
            _HANDLERS,
            _RUN,
            'if data["channelId"] not in socket.rooms:\n'
            '        await user_joined(context, socket, identity, {"channelId": data["channelId"]})\n'
            f"    {_RUN}",
        ),
        of="message.in user_joined.out",
        killed_by="R36.message-joins-silently",
    ),
    mutant(
        "gateway.messages.rest-joins",
        "A message by REST puts all the author's sockets into the room.",
        Edit(
            _HUB,
            "origin = self._by_id",
            'for one in self.sockets_of(str(event.data.get("authorId"))) if event.name == "message" else ():\n'
            "            self.join(one, event.room)\n        origin = self._by_id",
        ),
        of="message.out",
        killed_by="R36.rest-message-joins-nobody",
    ),
    mutant(
        "gateway.messages.refused-joins",
        "A message that is refused enters the room all the same.",
        Edit(_HANDLERS, _RUN, f'context.hub.join(socket, data["channelId"])\n    {_RUN}'),
        of="message.in",
        killed_by="R36.wrong-channel-type",
    ),
    mutant(
        "gateway.messages.twice",
        "Every message is announced twice.",
        Edit(_HUB, _ANNOUNCE, f'for _ in range(1 + (event.name == "message")):\n            {_ANNOUNCE}'),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.messages.twice-to-the-writer",
        "The socket that wrote a message gets an acknowledgement, and the event beside it.",
        Edit(
            _HUB,
            _ANNOUNCE,
            f"{_ANNOUNCE}\n        if origin is not None:\n            self.to_socket(origin, event.name, event.data)",
        ),
        of="message.in",
        killed_by="audience.message.in.sender",
    ),
    mutant(
        "gateway.messages.announced-late",
        "Events are handed to tasks, which send them in any order.",
        Edit(
            _HUB,
            _ANNOUNCE,
            "import asyncio, random\n\n"
            "        later = lambda: self.to_room(event.room, event.name, event.data, except_user=event.except_user)\n"
            "        asyncio.get_running_loop().call_later(random.random() / 20, later)",
        ),
        of="message.out",
        killed_by="R36.stored-order",
    ),
    mutant(
        "gateway.messages.each-socket-in-its-own-time",
        "Each socket gets the events of a room in an order of its own.",
        Edit(
            _HUB,
            "            socket.send(frame)\n        self",
            "            import asyncio, random\n\n"
            "            asyncio.get_running_loop().call_later(random.random() / 50, socket.send, frame)\n        self",
        ),
        of="message.out user_joined.out",
        killed_by="R36.one-order-for-all",
    ),
    mutant(
        "gateway.messages.deletion-overtakes",
        "An edit is announced later than the deletion that follows it.",
        Edit(
            _HUB,
            _ANNOUNCE,
            "import asyncio\n\n"
            "        later = lambda: self.to_room(event.room, event.name, event.data, except_user=event.except_user)\n"
            '        asyncio.get_running_loop().call_later(0.05 if event.name == "message_edited" else 0, later)',
        ),
        of="message_edited.out message_deleted.out",
        killed_by="R36.change-after-message",
    ),
    mutant(
        "gateway.messages.trimmed",
        "White space around a message by socket is cut off.",
        Edit(_HANDLERS, '"content": data["content"]}', '"content": data["content"].strip()}'),
        of="message.in",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.escaped",
        "A message by socket is stored with its markup escaped.",
        Edit(_HANDLERS, '"content": data["content"]}', '"content": data["content"].replace("<", "&lt;")}'),
        of="message.in",
        killed_by="R36.stored-as-by-rest",
    ),
    mutant(
        "gateway.messages.without-author",
        "The event shows the author's id only, where the REST answer shows the author.",
        Edit(_MESSAGES, '"message", data, joins', '"message", {k: v for k, v in data.items() if k != "author"}, joins'),
        of="message.out",
        killed_by="audience.message.out.room",
    ),
    mutant(
        "gateway.messages.any-content",
        "By socket a message may be blank, and as long as one likes.",
        Law("asyncapi.yaml#/components/schemas/MessageRequest/properties/content", {"type": "string"}),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.null-taken",
        "By socket a message may have U+0000 in it.",
        Law("asyncapi.yaml#/components/schemas/MessageRequest/properties/content", {**_CONTENT, _WELL_FORMED: True}),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.surrogate-is-internal",
        "An unpaired surrogate in a message by socket is an error of the server's own.",
        Law(
            "asyncapi.yaml#/components/schemas/MessageRequest/properties/content",
            {**_CONTENT, "pattern": r"^[^\x00]*$"},
        ),
        of="message.in",
        killed_by="R36.error-codes-of-rest",
    ),
    mutant(
        "gateway.messages.surrogate-replaced",
        "An unpaired surrogate in a message by socket is stored as U+FFFD.",
        Law(
            "asyncapi.yaml#/components/schemas/MessageRequest/properties/content",
            {**_CONTENT, "pattern": r"^[^\x00]*$"},
        ),
        Edit(
            _HANDLERS,
            '"content": data["content"]}',
            '"content": data["content"].encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")}',
        ),
        of="message.in",
        killed_by="R36.refuses-what-rest-refuses",
    ),
    mutant(
        "gateway.messages.to-any-channel",
        "A message to an announcement channel is stored.",
        Edit(_MESSAGES, 'if channel.type != "TEXT":', 'if channel.type == "VOICE":'),
        of="message.in",
        killed_by="R36.wrong-channel-type",
    ),
    mutant(
        "gateway.messages.unknown-channel-is-invalid",
        "A message to a channel that does not exist is answered invalid_message.",
        Edit(
            _HANDLERS,
            _RUN,
            f"try:\n        {_RUN}\n    except NotFound as error:\n        raise BadRequest(error.error) from error",
        ),
        Edit(_HANDLERS, "from hype.errors import BadRequest,", "from hype.errors import NotFound, BadRequest,"),
        of="message.in",
        killed_by="R36.error-codes-of-rest",
    ),
    mutant(
        "gateway.messages.status-of-the-login",
        "A message shows its author as online, whatever their status is.",
        Edit(
            "hype/payloads.py",
            '"status": row.status,\n    }\n\n\ndef message',
            '"status": "ONLINE",\n    }\n\n\ndef message',
        ),
        of="message.out",
        killed_by="R24.author-status-now",
    ),
    mutant(
        "gateway.messages.author-forged",
        "A message is stored as of the authorId that the frame names.",
        Edit(
            _HANDLERS,
            "return perform_as(create_message, call, identity.user_id, identity.session_id)",
            'author = data.get("authorId", identity.user_id)\n'
            "        return perform_as(create_message, call, author, identity.session_id)",
        ),
        of="message.in",
        killed_by="R31.forged-member-ignored",
    ),
    mutant(
        "gateway.messages.edit-untold",
        "An edit is announced to nobody.",
        Edit(_MESSAGES, _EDITED, "del row"),
        of="message_edited.out",
        killed_by="audience.message_edited.out.room",
    ),
    mutant(
        "gateway.messages.editor-left-out",
        "The author of an edit does not get the event.",
        Edit(_MESSAGES, '"message_edited", data)', '"message_edited", data, except_user=call.caller.id)'),
        of="message_edited.out",
        killed_by="audience.message_edited.out.sender",
    ),
    mutant(
        "gateway.messages.edit-shows-what-was",
        "message_edited shows the message as it was before the edit.",
        Edit(
            _MESSAGES,
            'data = payloads.message(row.edit(call.body["content"]))',
            'before = payloads.message(row)\n    data = payloads.message(row.edit(call.body["content"]))',
        ),
        Edit(_MESSAGES, '"message_edited", data)', '"message_edited", {**before, "edited": True})'),
        of="message_edited.out",
        killed_by="audience.message_edited.out.room",
    ),
    mutant(
        "gateway.messages.edit-is-a-message",
        "An edit is announced as a message.",
        Edit(_MESSAGES, '"message_edited", data)', '"message", data)'),
        of="message_edited.out",
        killed_by="R36.author-hears-changes",
    ),
    mutant(
        "gateway.messages.deletion-untold",
        "A deletion is announced to nobody.",
        Edit(_MESSAGES, _DELETED, "del row"),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.room",
    ),
    mutant(
        "gateway.messages.deleter-left-out",
        "Who deletes a message does not get the event.",
        Edit(_MESSAGES, '"message_deleted", data)', '"message_deleted", data, except_user=call.caller.id)'),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.sender",
    ),
    mutant(
        "gateway.messages.deletion-names-no-channel",
        "message_deleted says which message, and not in which channel.",
        Edit(_MESSAGES, 'data = {"id": row.id, "channelId": row.channel_id}', 'data = {"id": row.id}'),
        of="message_deleted.out",
        killed_by="audience.message_deleted.out.room",
    ),
]
