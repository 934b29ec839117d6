"""Bugs of messages: pages, content, edits, authors (rulings R18 to R20 and R24)."""

from __future__ import annotations

from tests.mutants.registry import GONE, Edit, Law, mutant

MESSAGES = "hype/operations/messages.py"
MODEL = "hype/models/messages.py"
PAYLOADS = "hype/payloads.py"
QUERY = "hype/rest/query.py"
SCHEMAS = "openapi.yaml#/components/schemas"
LIST = "openapi.yaml#/paths/~1api~1messages/get"
ONE = "openapi.yaml#/paths/~1api~1messages~1{id}"

_NEW = 'content=call.body["content"]'
_OWN = "permit(call, refusal, author=row.author.id == call.caller.id)"

MUTANTS = [
    mutant(
        "rest.messages.oldest-first",
        "The page of messages begins with the oldest one.",
        Edit(MODEL, "cls.created_at.desc(), cls.id.desc()", "cls.created_at, cls.id"),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.last-edited-first",
        "A message that is edited jumps to the top of the page.",
        Edit(MODEL, "cls.created_at.desc(), cls.id.desc()", "cls.updated_at.desc(), cls.id.desc()"),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.offset-ignored",
        "The offset of a page is ignored.",
        Edit(MODEL, ".offset(min(offset, LARGEST_OFFSET))", ""),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.offset-from-one",
        "The offset counts from one, so every page repeats a message.",
        Edit(MODEL, "min(offset, LARGEST_OFFSET)", "max(0, min(offset, LARGEST_OFFSET) - 1)"),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.page-of-20",
        "A page without a limit has 20 messages.",
        Law(f"{LIST}/parameters/1/schema/default", 20),
        of="listMessages",
        killed_by="R18.default-limit",
    ),
    mutant(
        "rest.messages.limit-cut-at-50",
        "A limit over 50 gives 50 messages.",
        Edit(MODEL, ".limit(limit)", ".limit(min(limit, 50))"),
        of="listMessages",
        killed_by="R18.default-limit",
    ),
    mutant(
        "rest.messages.total-of-the-page",
        "meta.total counts the page instead of the channel.",
        Edit(MESSAGES, '"total": total', '"total": len(rows)'),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.total-of-everything",
        "meta.total counts the messages of all channels.",
        Edit(
            MODEL, "return list(rows), cls.counted([channel_id])[channel_id]", "return list(rows), cls.select().count()"
        ),
        of="listMessages",
        killed_by="R18.",
    ),
    mutant(
        "rest.messages.no-meta",
        "A page has no meta.",
        Edit(MESSAGES, ', {"total": total, "limit": limit, "offset": offset})', ")"),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.of-all-channels",
        "A page shows the messages of every channel.",
        Edit(MODEL, "newest_first.where(cls.channel == channel_id)", "newest_first"),
        of="listMessages",
        killed_by="R18.",
    ),
    mutant(
        "rest.messages.limit-of-101",
        "A limit of 101 is accepted.",
        Law(f"{LIST}/parameters/1/schema/maximum", 101),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.limit-clamped",
        "A limit that is out of range is clamped instead of refused.",
        Law(f"{LIST}/parameters/1/schema/maximum", GONE),
        Law(f"{LIST}/parameters/1/schema/minimum", GONE),
        Edit(MESSAGES, 'call.query["limit"], call', 'max(1, min(100, call.query["limit"])), call'),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.odd-limit-is-default",
        "A limit that is no number counts as none given.",
        Edit(
            QUERY,
            'return None, [_mistyped(parameter, "string", "Expected integer, received string")]',
            "return 0 if parameter.default is None else parameter.default, []",
        ),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.lenient-numbers",
        "`+5`, ` 5` and the digits of other scripts are numbers in a query.",
        Edit(QUERY, 'r"[0-9]+|-0*[1-9][0-9]*"', r'r"\s*[+-]?\d+\s*"'),
        of="listMessages listUsers",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.repeated-limit",
        "Of a repeated query parameter the first value counts.",
        Edit(QUERY, "if len(texts) > 1:", "if not texts:"),
        of="listMessages listUsers",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.channel-optional",
        "Without a channelId the messages of the first channel are listed.",
        Law(f"{LIST}/parameters/0/required", False),
        Edit(MESSAGES, 'call.query["channelId"]', 'call.query.get("channelId", "text-general")'),
        of="listMessages",
        killed_by="R18.channel",
    ),
    mutant(
        "rest.messages.voice-channel-is-empty",
        "A voice channel has an empty page of messages instead of 400.",
        Edit(MESSAGES, "    channel = _text_channel(call.query", "    channel = Channel.find(call.query"),
        Edit(
            MESSAGES,
            "    limit, offset = call",
            '    if channel is None:\n        raise NotFound("Channel not found")\n    limit, offset = call',
        ),
        of="listMessages",
        killed_by="R18.channel",
    ),
    mutant(
        "rest.messages.unknown-channel-is-empty",
        "A channel that does not exist has an empty page of messages.",
        Edit(
            MESSAGES,
            "    channel = _text_channel(call.query",
            '    if Channel.find(call.query["channelId"]) is None:\n'
            '        return ok([], {"total": 0, "limit": call.query["limit"], "offset": call.query["offset"]})\n'
            "    channel = _text_channel(call.query",
        ),
        of="listMessages",
        killed_by="R18.channel",
    ),
    mutant(
        "rest.messages.to-announcements",
        "Anybody can write in an announcement channel.",
        Edit(MESSAGES, 'if channel.type != "TEXT":', 'if channel.type == "VOICE":'),
        of="createMessage",
        killed_by="R19.text-channels-only",
    ),
    mutant(
        "rest.messages.unknown-channel-is-400",
        "A message to a channel that does not exist is 400 instead of 404.",
        Edit(
            MESSAGES,
            "    if channel is None:\n        raise NotFound(",
            "    if channel is None:\n        raise BadRequest(",
        ),
        of="createMessage",
        killed_by="R19.text-channels-only",
    ),
    mutant(
        "rest.messages.answers-200",
        "A new message is answered with 200 instead of 201.",
        Edit(
            MESSAGES,
            "joins=call.origin))\n    return ok(data)",
            "joins=call.origin))\n    return Answer({'success': True, 'data': data}, 200)",
        ),
        of="createMessage",
        killed_by="R19.new-message",
    ),
    mutant(
        "rest.messages.trimmed",
        "White space around a message is cut off.",
        Edit(MESSAGES, _NEW, f"{_NEW}.strip()"),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.escaped",
        "A message is stored with HTML entities.",
        Edit(MESSAGES, _NEW, 'content=__import__("html").escape(call.body["content"])'),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.normalised",
        "A message is stored in Unicode's form NFC.",
        Edit(MESSAGES, _NEW, 'content=__import__("unicodedata").normalize("NFC", call.body["content"])'),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.edit-trimmed",
        "White space around an edited text is cut off.",
        Edit(MESSAGES, 'row.edit(call.body["content"])', 'row.edit(call.body["content"].strip())'),
        of="updateMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.blank",
        "A message of blanks is accepted.",
        Law(f"{SCHEMAS}/MessageContent/allOf/1", GONE),
        of="createMessage updateMessage",
        killed_by="R19.not-blank",
    ),
    mutant(
        "rest.messages.ascii-blank",
        "Only ASCII counts as white space, so a message of no-break spaces is accepted.",
        Law(f"{SCHEMAS}/MessageContent/allOf/1/x-hype-not-blank", GONE),
        of="createMessage updateMessage",
        killed_by="R19.not-blank",
    ),
    mutant(
        "rest.messages.empty",
        "An empty text is accepted in an edit.",
        Law(
            f"{SCHEMAS}/UpdateMessageRequest/properties/content",
            {
                "type": "string",
                "maxLength": 2000,
                "x-hype-failure": {"maxLength": "content must not exceed 2000 characters"},
            },
        ),
        of="updateMessage",
        killed_by="bounds.updateMessage.content",
    ),
    mutant(
        "rest.messages.longest-1999",
        "A message of exactly 2000 characters is refused.",
        Law(f"{SCHEMAS}/MessageContent/maxLength", 1999),
        of="createMessage updateMessage",
        killed_by="bounds.createMessage.content.maxLength",
    ),
    mutant(
        "rest.messages.longest-2001",
        "A message of 2001 characters is accepted.",
        Law(f"{SCHEMAS}/MessageContent/maxLength", 2001),
        of="createMessage updateMessage",
        killed_by="R19.too-long",
    ),
    mutant(
        "rest.messages.utf16-length",
        "The length of a text is counted in UTF-16 units, as JavaScript does.",
        Edit(
            "hype/issues.py",
            '        "required": _required,\n',
            '        "required": _required, "maxLength": lambda validator, most, text, schema: iter(\n'
            '        [ValidationError("too long")] if isinstance(text, str)\n'
            '        and len(text.encode("utf-16-le", "surrogatepass")) > 2 * most else []),\n',
        ),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.too-long-with-details",
        "A text that is too long is answered `Validation failed`.",
        Law(f"{SCHEMAS}/MessageContent/x-hype-failure", GONE),
        of="createMessage",
        killed_by="R19.too-long",
    ),
    mutant(
        "rest.messages.reactions-missing",
        "A message has no reactions member.",
        Edit(PAYLOADS, '        "reactions": [],\n', ""),
        of="getMessage listMessages createMessage",
        killed_by="R19.new-message",
    ),
    mutant(
        "rest.messages.attachments-null",
        "A message without attachments has null for them.",
        Edit(PAYLOADS, '"attachments": []', '"attachments": None'),
        of="getMessage listMessages createMessage",
        killed_by="R19.new-message",
    ),
]
