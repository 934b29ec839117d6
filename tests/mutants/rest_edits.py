"""Bugs of messages once they are written: edits, deletions, authors (rulings R20 and R24)."""

from __future__ import annotations

from tests.mutants.registry import Edit, Law, mutant

MESSAGES = "hype/operations/messages.py"
MODEL = "hype/models/messages.py"
PAYLOADS = "hype/payloads.py"
ONE = "openapi.yaml#/paths/~1api~1messages~1{id}"

MUTANTS = [
    mutant(
        "rest.edits.not-marked",
        "An edited message is not marked as edited.",
        Edit(MODEL, '{"content": content, "edited": True}', '{"content": content}'),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.same-text-not-marked",
        "An edit that leaves the text as it is does not mark the message.",
        Edit(MODEL, '"edited": True}', '"edited": self.edited or content != self.content}'),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.same-text-moves-nothing",
        "An edit that leaves the text as it is does not move updatedAt.",
        Edit(
            MODEL,
            '        return self.change({"content"',
            "        if content == self.content and self.edited:\n            return self\n"
            '        return self.change({"content"',
        ),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.created-anew",
        "An edit moves createdAt.",
        Edit(MODEL, '"edited": True}', '"edited": True, "created_at": self.created_at + 1}'),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.answer-is-old",
        "The answer to an edit shows the old text.",
        Edit(
            MESSAGES,
            'data = payloads.message(row.edit(call.body["content"]))',
            'data = {**payloads.message(row.edit(call.body["content"])), "content": row.content}',
        ),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.not-stored",
        "An edit is answered and announced, but the old text stays stored.",
        Edit(MODEL, '{"content": content, "edited": True}', '{"edited": True}'),
        Edit(
            MESSAGES,
            'data = payloads.message(row.edit(call.body["content"]))',
            'data = {**payloads.message(row.edit(call.body["content"])), "content": call.body["content"]}',
        ),
        of="updateMessage",
        killed_by="R20.edit",
    ),
    mutant(
        "rest.edits.of-anybody",
        "Anybody with a token can edit anybody's message.",
        Law(f"{ONE}/put/x-hype-policy/allow", ["anyone"]),
        of="updateMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.edits.not-yours-in-other-words",
        "The 403 of an edit speaks of deleting.",
        Edit(MESSAGES, "You can only edit your own messages", "You can only delete your own messages"),
        of="updateMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.edits.without-token",
        "An edit without a token is 403 instead of 401.",
        Law(f"{ONE}/put/security", [{}, {"bearer": []}]),
        Edit(
            MESSAGES,
            "author=row.author.id == call.caller.id",
            "author=call.user is not None and row.author.id == call.user.id",
        ),
        of="updateMessage deleteMessage",
        killed_by="R7.no-token.updateMessage",
    ),
    mutant(
        "rest.deletions.of-anybody",
        "Anybody with a token can delete anybody's message.",
        Law(f"{ONE}/delete/x-hype-policy/allow", ["anyone"]),
        of="deleteMessage",
        killed_by="R20.author-only",
    ),
    mutant(
        "rest.deletions.are-marks",
        "A deleted message stays, with another text.",
        Edit(MESSAGES, "    if not row.remove():\n", '    if not row.edit("[deleted]"):\n'),
        of="deleteMessage getMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.still-counted",
        "meta.total still counts messages that were deleted.",
        Edit(
            MODEL,
            "        model = type(self)\n        return bool(",
            "        _GONE[self.channel_id] = _GONE.get(self.channel_id, 0) + 1\n        model = type(self)\n        return bool(",
        ),
        Edit(
            MODEL,
            "cls.counted([channel_id])[channel_id]",
            "cls.counted([channel_id])[channel_id] + _GONE.get(channel_id, 0)",
        ),
        Edit(MODEL, "class Message(Editable):", "_GONE: dict[str, int] = {}\n\n\nclass Message(Editable):"),
        of="deleteMessage listMessages",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.twice",
        "Deleting a message that is gone is 200.",
        Edit(
            MESSAGES,
            '    row = _own(call, "Forbidden: You can only delete',
            '    if Message.find(call.path["id"]) is None:\n        return ok({"id": call.path["id"]})\n'
            '    row = _own(call, "Forbidden: You can only delete',
        ),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.deletions.answer-nothing",
        "A deletion answers without the id.",
        Edit(MESSAGES, 'return ok({"id": row.id})', "return ok({})"),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.messages.unknown-is-400",
        "A message that does not exist is 400.",
        Edit(
            MESSAGES,
            '    if row is None:\n        raise NotFound("Message',
            '    if row is None:\n        raise BadRequest("Message',
        ),
        of="getMessage updateMessage deleteMessage",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.authors.stale",
        "A message shows its author as the profile was when the server first saw it.",
        Edit(PAYLOADS, '"author": author(row.author)', '"author": _SEEN.setdefault(row.author.id, author(row.author))'),
        Edit(PAYLOADS, "_EPOCH = ", "_SEEN: dict[str, dict[str, Any]] = {}\n_EPOCH = "),
        of="getMessage listMessages",
        killed_by="R24.author-as-now",
    ),
    mutant(
        "rest.authors.lower-case-status",
        "The status of a message's author is in lower case.",
        Edit(PAYLOADS, '"status": row.status,\n    }', '"status": row.status.lower(),\n    }'),
        of="getMessage listMessages createMessage",
        killed_by="R24.author-as-now",
    ),
    mutant(
        "rest.authors.no-display-name",
        "A message's author has no displayName.",
        Edit(
            PAYLOADS,
            '        "displayName": row.display_name,\n        "avatarUrl": row.avatar_url,\n        "status"',
            '        "avatarUrl": row.avatar_url,\n        "status"',
        ),
        of="getMessage listMessages createMessage",
        killed_by="R24.author-as-now",
    ),
]
