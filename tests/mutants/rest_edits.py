"""Bugs of messages once they are written: edits, deletions, authors (rulings R20 and R24)."""

from __future__ import annotations

from typing import Any

from tests.mutants.changes import each, refusing, replaced, telling, without
from tests.mutants.registry import mutant
from tests.mutants.seams import Operation, Payload, Query, SpecPatch

ONE = "openapi.yaml#/paths/~1api~1messages~1{id}"

_GONE: dict[str, int] = {}
_SEEN: dict[str, Any] = {}


def _only_if_it_moves(edit: Any, message: Any, content: str) -> Any:
    return message if message.edited and content == message.content else edit(content)


def _answers_the_old_text(perform: Any, call: Any) -> Any:
    from hype.models import Message

    row: Any = Message.find(call.path["id"])
    answer = perform(call)
    return replaced(answer, body={**answer.body, "data": {**answer.body["data"], "content": row.content}})


def _not_stored(edit: Any, message: Any, content: str) -> Any:
    return message.change({"edited": True})._replace(content=content)


def _count_on(remove: Any, message: Any) -> Any:
    _GONE[message.channel_id] = _GONE.get(message.channel_id, 0) + 1
    return remove()


def _with_the_gone(page: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
    found = page(channel_id, limit, offset)
    return found and found._replace(total=found.total + _GONE.get(channel_id, 0))


def _gone_is_deleted(perform: Any, call: Any) -> Any:
    from hype.models import Message
    from hype.operations import Answer

    if Message.find(call.path["id"]) is None:
        return Answer({"success": True, "data": {"id": call.path["id"]}})
    return perform(call)


MUTANTS = [
    mutant(
        "rest.edits.not-marked",
        "An edited message is not marked as edited.",
        Query("Message.edit", lambda edit, message, content: message.change({"content": content})),
        of="updateMessage",
        killed_by="R20.sets-edited",
    ),
    mutant(
        "rest.edits.same-text-not-marked",
        "An edit that leaves the text as it is does not mark the message.",
        Query(
            "Message.edit",
            lambda edit, message, content: message.change(
                {"content": content, "edited": message.edited or content != message.content}
            ),
        ),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.same-text-moves-nothing",
        "An edit that leaves the text as it is does not move updatedAt.",
        Query("Message.edit", _only_if_it_moves),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.created-anew",
        "An edit moves createdAt.",
        Query(
            "Message.edit",
            lambda edit, message, content: message.change(
                {"content": content, "edited": True, "created_at": message.created_at + 1}
            ),
        ),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.answer-is-old",
        "The answer to an edit shows the old text.",
        Operation("updateMessage", _answers_the_old_text),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.not-stored",
        "An edit is answered and announced, but the old text stays stored.",
        Query("Message.edit", _not_stored),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.of-anybody",
        "A user with a token can edit every user's message.",
        SpecPatch(f"{ONE}/put/x-hype-policy/allow", ["anyone"]),
        of="updateMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.edits.not-yours-in-other-words",
        "The 403 of an edit speaks of deleting.",
        Operation("updateMessage", refusing(403, 403, "Forbidden: You can only delete your own messages")),
        of="updateMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.edits.without-token",
        "An edit without a token is 403 instead of 401.",
        SpecPatch(f"{ONE}/put/security", [{}, {"bearer": []}]),
        Operation("updateMessage", refusing(401, 403, "Forbidden: You can only edit your own messages")),
        of="updateMessage deleteMessage",
        killed_by="R7.no-token.updateMessage",
    ),
    mutant(
        "rest.deletions.of-anybody",
        "A user with a token can delete every user's message.",
        SpecPatch(f"{ONE}/delete/x-hype-policy/allow", ["anyone"]),
        of="deleteMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.deletions.are-marks",
        "A deleted message stays, with another text.",
        Query("Message.remove", lambda remove, message: bool(message.edit("[deleted]"))),
        of="deleteMessage getMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.still-counted",
        "meta.total still counts messages that were deleted.",
        Query("Message.remove", _count_on),
        Query("Message.page", _with_the_gone),
        of="deleteMessage listMessages",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.twice",
        "Deleting a message that is gone is 200.",
        Operation("deleteMessage", _gone_is_deleted),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.answer-nothing",
        "A deletion answers without the id.",
        Operation("deleteMessage", telling(without("id"))),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.messages.unknown-is-400",
        "A message that does not exist is 400.",
        *(
            Operation(operation_id, refusing(404, 400))
            for operation_id in ("getMessage", "updateMessage", "deleteMessage")
        ),
        of="getMessage updateMessage deleteMessage",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.authors.stale",
        "A message shows its author as the profile was when the server first saw it.",
        Payload("Author", lambda payload, row: _SEEN.setdefault(row.author_id, payload)),
        of="getMessage listMessages",
        killed_by="R24.author-as-now",
    ),
    mutant(
        "rest.authors.lower-case-status",
        "The status of a message's author is in lower case.",
        Payload("Author", each("status", str.lower)),
        of="getMessage listMessages createMessage",
        killed_by="R24.author-as-now",
    ),
    mutant(
        "rest.authors.no-display-name",
        "A message's author has no displayName.",
        Payload("Author", without("displayName")),
        of="getMessage listMessages createMessage",
        killed_by="R24.author-as-now",
    ),
]
