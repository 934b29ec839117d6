"""Bugs of messages: pages, content, edits, authors (rulings R18 to R20 and R24)."""

from __future__ import annotations

import html
import re
import sys
import unicodedata
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from tests.mutants.changes import answering, asking, at_query, each, instead_of, refusing, sets, status_is, without
from tests.mutants.lists import arranged_page, by_row
from tests.mutants.registry import mutant
from tests.mutants.seams import GONE, Around, Operation, Payload, Query, SpecPatch, Within

SCHEMAS = "openapi.yaml#/components/schemas"
LIST = "openapi.yaml#/paths/~1api~1messages/get"
ONE = "openapi.yaml#/paths/~1api~1messages~1{id}"


def page_of(arrange: Callable[[list[Any]], list[Any]]) -> Query:
    """Return the change by which a page is a part of all messages of the channel, arranged otherwise."""
    return Query("Message.page", arranged_page(arrange))


def _of_all_channels(page: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
    from hype.models import Channel

    found = page(channel_id, limit, offset)
    every = by_row(model, [text for channel in Channel.listed() for text in page(channel.id, sys.maxsize, 0).texts])
    newest_first = sorted(every, key=lambda row: (row.created_at, row.id), reverse=True)
    return found and found._replace(lines="\n".join(every[row] for row in newest_first[offset : offset + limit]))


def _total_of_everything(page: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
    from hype.models import Channel

    found = page(channel_id, limit, offset)
    return found and found._replace(total=sum(channel.message_count for channel in Channel.listed()))


def _query(change: Callable[[list[tuple[str, str]], set[str]], object]) -> Around:
    """Return the change by which a query is read otherwise. change: gets its pairs and the names of its numbers."""

    def read(original: Any, text: str, parameters: Any) -> Any:
        numbers = {parameter.name for parameter in parameters if parameter.type == "integer"}
        return original(urlencode(change(parse_qsl(text, keep_blank_values=True), numbers)), parameters)  # type: ignore[arg-type]

    return Around("hype.rest.query:read", read)


def announcements_are_text(tick: Any, model: Any, channel_id: str, *caller: Any) -> Any:
    """Return a moment of a channel's clock, and show an announcement channel as one of text."""
    found = tick(channel_id, *caller)
    return found._replace(type="TEXT") if found is not None and found.type == "ANNOUNCEMENT" else found


def _plain_number(text: str) -> str:
    return str(int(text)) if re.fullmatch(r"\s*[+-]?\d+\s*", text) else text


def _in_utf16(value: Any) -> Any:
    """Return the value with two characters for each that takes two units."""
    if isinstance(value, dict):
        return {name: _in_utf16(member) for name, member in value.items()}
    return re.sub("[\U00010000-\U0010ffff]", "\u4e00\u4e00", value) if isinstance(value, str) else value


MUTANTS = [
    mutant(
        "rest.messages.oldest-first",
        "The page of messages begins with the oldest one.",
        page_of(lambda newest_first: newest_first[::-1]),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.last-edited-first",
        "A message that is edited jumps to the top of the page.",
        page_of(lambda rows: sorted(rows, key=lambda row: row.updated_at, reverse=True)),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.offset-ignored",
        "The offset of a page is ignored.",
        Query("Message.page", lambda page, model, channel_id, limit, offset: page(channel_id, limit, 0)),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.offset-from-one",
        "The offset counts from one, so every page repeats a message.",
        Query(
            "Message.page", lambda page, model, channel_id, limit, offset: page(channel_id, limit, max(0, offset - 1))
        ),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.page-of-20",
        "A page without a limit has 20 messages.",
        SpecPatch(f"{LIST}/parameters/1/schema/default", 20),
        of="listMessages",
        killed_by="R18.default-limit",
    ),
    mutant(
        "rest.messages.limit-cut-at-50",
        "A limit over 50 gives 50 messages.",
        Query("Message.page", lambda page, model, channel_id, limit, offset: page(channel_id, min(limit, 50), offset)),
        of="listMessages",
        killed_by="R18.default-limit",
    ),
    mutant(
        "rest.messages.total-of-the-page",
        "meta.total counts the page instead of the channel.",
        Operation("listMessages", answering(lambda body: each("meta", sets(total=len(body["data"])))(body))),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.messages.total-of-everything",
        "meta.total counts the messages of all channels.",
        Query("Message.page", _total_of_everything),
        of="listMessages",
        killed_by="R18.",
    ),
    mutant(
        "rest.messages.no-meta",
        "A page has no meta.",
        Operation("listMessages", answering(without("meta"))),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.of-all-channels",
        "A page shows the messages of every channel.",
        Query("Message.page", _of_all_channels),
        of="listMessages",
        killed_by="R18.",
    ),
    mutant(
        "rest.messages.limit-of-101",
        "A limit of 101 is accepted.",
        SpecPatch(f"{LIST}/parameters/1/schema/maximum", 101),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.limit-clamped",
        "A limit that is out of range is clamped instead of refused.",
        SpecPatch(f"{LIST}/parameters/1/schema/maximum", GONE),
        SpecPatch(f"{LIST}/parameters/1/schema/minimum", GONE),
        Operation("listMessages", at_query(each("limit", lambda limit: max(1, min(100, limit))))),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.odd-limit-is-default",
        "A limit that is no number counts as none given.",
        _query(
            lambda pairs, numbers: [
                (name, text) for name, text in pairs if name not in numbers or re.fullmatch("-?[0-9]+", text)
            ]
        ),
        of="listMessages",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.lenient-numbers",
        "`+5`, ` 5` and the digits of other scripts are numbers in a query.",
        _query(
            lambda pairs, numbers: [(name, _plain_number(text) if name in numbers else text) for name, text in pairs]
        ),
        of="listMessages listUsers",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.repeated-limit",
        "Of a repeated query parameter the first value counts.",
        _query(lambda pairs, numbers: dict(reversed(pairs))),
        of="listMessages listUsers",
        killed_by="R18.query-bounds",
    ),
    mutant(
        "rest.messages.channel-optional",
        "Without a channelId the messages of the first channel are listed.",
        SpecPatch(f"{LIST}/parameters/0/required", False),
        Operation("listMessages", at_query(lambda query: {"channelId": "text-general", **query})),
        of="listMessages",
        killed_by="R18.channel",
    ),
    mutant(
        "rest.messages.voice-channel-is-empty",
        "A voice channel has an empty page of messages instead of 400.",
        Operation("listMessages", instead_of(400, [], meta={"total": 0, "limit": 50, "offset": 0})),
        of="listMessages",
        killed_by="R18.text-channel",
    ),
    mutant(
        "rest.messages.unknown-channel-is-empty",
        "A channel that does not exist has an empty page of messages.",
        Operation("listMessages", instead_of(404, [], meta={"total": 0, "limit": 50, "offset": 0})),
        of="listMessages",
        killed_by="R18.channel",
    ),
    mutant(
        "rest.messages.to-announcements",
        "Every user can write in an announcement channel.",
        Within("createMessage", Query("Channel.tick", announcements_are_text)),
        of="createMessage",
        killed_by="R19.text-channels-only",
    ),
    mutant(
        "rest.messages.unknown-channel-is-400",
        "A message to a channel that does not exist is 400 instead of 404.",
        Operation("createMessage", refusing(404, 400)),
        of="createMessage",
        killed_by="R19.no-voice-channel",
    ),
    mutant(
        "rest.messages.answers-200",
        "A new message is answered with 200 instead of 201.",
        Operation("createMessage", status_is(200)),
        of="createMessage",
        killed_by="R19.new-message",
    ),
    mutant(
        "rest.messages.trimmed",
        "White space around a message is cut off.",
        Operation("createMessage", asking(each("content", str.strip))),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.escaped",
        "A message is stored with HTML entities.",
        Operation("createMessage", asking(each("content", html.escape))),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.normalised",
        "A message is stored in Unicode's form NFC.",
        Operation("createMessage", asking(each("content", lambda text: unicodedata.normalize("NFC", text)))),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.edit-trimmed",
        "White space around an edited text is cut off.",
        Operation("updateMessage", asking(each("content", str.strip))),
        of="updateMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.blank",
        "A message of blanks is accepted.",
        SpecPatch(f"{SCHEMAS}/MessageContent/allOf/1", GONE),
        of="createMessage updateMessage",
        killed_by="R19.not-blank",
    ),
    mutant(
        "rest.messages.ascii-blank",
        "Only ASCII counts as white space, so a message of no-break spaces is accepted.",
        SpecPatch(f"{SCHEMAS}/MessageContent/allOf/1/x-hype-not-blank", GONE),
        of="createMessage updateMessage",
        killed_by="R19.not-blank",
    ),
    mutant(
        "rest.messages.empty",
        "An empty text is accepted in an edit.",
        SpecPatch(
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
        SpecPatch(f"{SCHEMAS}/MessageContent/maxLength", 1999),
        of="createMessage updateMessage",
        killed_by="bounds.createMessage.content.maxLength",
    ),
    mutant(
        "rest.messages.longest-2001",
        "A message of 2001 characters is accepted.",
        SpecPatch(f"{SCHEMAS}/MessageContent/maxLength", 2001),
        of="createMessage updateMessage",
        killed_by="R19.too-long",
    ),
    mutant(
        "rest.messages.utf16-length",
        "The length of a text is counted in UTF-16 units, as JavaScript does.",
        Around("hype.spec:Rule.failure", lambda failure, rule, value, at=(): failure(_in_utf16(value), at)),
        of="createMessage",
        killed_by="R19.verbatim",
    ),
    mutant(
        "rest.messages.too-long-with-details",
        "A text that is too long is answered `Validation failed`.",
        SpecPatch(f"{SCHEMAS}/MessageContent/x-hype-failure", GONE),
        of="createMessage",
        killed_by="R19.too-long",
    ),
    mutant(
        "rest.messages.reactions-missing",
        "A message has no reactions member.",
        Payload("Message", without("reactions")),
        of="getMessage listMessages createMessage",
        killed_by="R19.new-message",
    ),
    mutant(
        "rest.messages.attachments-null",
        "A message without attachments has null for them.",
        Payload("Message", sets(attachments=None)),
        of="getMessage listMessages createMessage",
        killed_by="R19.new-message",
    ),
]
