"""Bugs of texts that are not Unicode: U+0000 and unpaired surrogates in requests (rulings R5 and R11)."""

from __future__ import annotations

from tests.mutants.changes import asking, crash, each
from tests.mutants.registry import mutant
from tests.mutants.seams import GONE, Operation, SpecPatch

SCHEMAS = "openapi.yaml#/components/schemas"
TEXT = f"{SCHEMAS}/UnicodeText"


def replaced_surrogates(text: str) -> str:
    """Return the text with U+FFFD in place of each unpaired surrogate."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


MUTANTS = [
    mutant(
        "rest.texts.null-taken",
        "A text with U+0000 is accepted.",
        SpecPatch(f"{TEXT}/pattern", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.pattern.outside",
    ),
    mutant(
        "rest.texts.null-is-500",
        "A text with U+0000 is a 500, as from PostgreSQL's own refusal.",
        SpecPatch(f"{TEXT}/pattern", GONE),
        Operation("createMessage", asking(each("content", lambda text: crash() if "\0" in text else text))),
        of="createMessage",
        killed_by="bounds.createMessage.content.pattern.outside",
    ),
    mutant(
        "rest.texts.surrogate-taken",
        "An unpaired surrogate in a message is stored as U+FFFD.",
        SpecPatch(f"{TEXT}/x-hype-well-formed", GONE),
        Operation("createMessage", asking(each("content", replaced_surrogates))),
        of="createMessage",
        killed_by="bounds.createMessage.content.x-hype-well-formed.outside",
    ),
    mutant(
        "rest.texts.surrogate-is-500",
        "An unpaired surrogate is a 500: the database cannot store it.",
        SpecPatch(f"{TEXT}/x-hype-well-formed", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.x-hype-well-formed.outside",
    ),
    mutant(
        "rest.texts.every-surrogate-refused",
        "Characters beyond U+FFFF are refused, as if each half of their pair stood alone.",
        SpecPatch(f"{TEXT}/pattern", r"^[^\x00\U00010000-\U0010ffff]*$"),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="bounds.createMessage.content.",
    ),
    mutant(
        "rest.texts.issue-of-a-pattern",
        "A text that is not Unicode gives zod's issue of a pattern instead of a custom one.",
        SpecPatch(f"{TEXT}/x-hype-issue", GONE),
        of="createMessage updateMessage createChannel updateUser",
        killed_by="R5.issue-per-rule.createMessage.content",
    ),
    mutant(
        "rest.texts.null-in-a-topic",
        "A topic, which may be null, is not looked at for U+0000 and surrogates.",
        SpecPatch(f"{SCHEMAS}/ChannelTopic/anyOf/0/allOf", GONE),
        of="createChannel updateChannel",
        killed_by="bounds.createChannel.topic.pattern.outside",
    ),
]
