"""Bugs of texts that are not Unicode: U+0000 and unpaired surrogates in requests (rulings R5 and R11)."""

from __future__ import annotations

from tests.mutants.registry import GONE, Edit, Law, mutant

MESSAGES = "hype/operations/messages.py"
SCHEMAS = "openapi.yaml#/components/schemas"
TEXT = f"{SCHEMAS}/UnicodeText"

_NEW = 'content=call.body["content"]'

MUTANTS = [
    mutant(
        "rest.texts.null-taken",
        "A text with U+0000 is accepted.",
        Law(f"{TEXT}/pattern", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.pattern.outside",
    ),
    mutant(
        "rest.texts.null-is-500",
        "A text with U+0000 is a 500, as from PostgreSQL's own refusal.",
        Law(f"{TEXT}/pattern", GONE),
        Edit(MESSAGES, _NEW, 'content=call.body["content"] if "\\0" not in call.body["content"] else call.body["\\0"]'),
        of="createMessage",
        killed_by="bounds.createMessage.content.pattern.outside",
    ),
    mutant(
        "rest.texts.surrogate-taken",
        "An unpaired surrogate in a message is stored as U+FFFD.",
        Law(f"{TEXT}/x-hype-well-formed", GONE),
        Edit(MESSAGES, _NEW, f'{_NEW}.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")'),
        of="createMessage",
        killed_by="bounds.createMessage.content.x-hype-well-formed.outside",
    ),
    mutant(
        "rest.texts.surrogate-is-500",
        "An unpaired surrogate is a 500: the database cannot store it.",
        Law(f"{TEXT}/x-hype-well-formed", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.x-hype-well-formed.outside",
    ),
    mutant(
        "rest.texts.every-surrogate-refused",
        "Characters beyond U+FFFF are refused, as if each half of their pair stood alone.",
        Law(f"{TEXT}/pattern", r"^[^\x00\U00010000-\U0010ffff]*$"),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.",
    ),
    mutant(
        "rest.texts.issue-of-a-pattern",
        "A text that is not Unicode gives zod's issue of a pattern instead of a custom one.",
        Law(f"{TEXT}/x-hype-issue", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="R5.issue-per-rule.createMessage.content",
    ),
    mutant(
        "rest.texts.null-in-a-topic",
        "A topic, which may be null, is not looked at for U+0000 and surrogates.",
        Law(f"{SCHEMAS}/ChannelTopic/anyOf/0/allOf", GONE),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.topic.pattern.outside",
    ),
]
