"""Shortcuts of servers that keep everything in memory: what is forgotten, cached, counted once or shown to all."""

from __future__ import annotations

import json
from typing import Any

from tests.mutants.changes import answering, each, replaced, sets, showing, telling
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, Operation, Payload, Query, Within

_KEPT = 120
_FREED: list[str] = []
_HIDDEN: dict[str, Any] = {}
_CACHED: dict[str, Any] = {}
_READ: dict[str, Any] = {}
_SIGNED_IN: list[str] = []


def _last_120(page: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
    found = page(channel_id, max(0, min(limit, _KEPT - offset)), offset)
    return found and found._replace(total=min(found.total, _KEPT))


def _offset_up_to(most: int) -> Any:
    return lambda page, model, channel_id, limit, offset: page(channel_id, limit, offset if offset <= most else 0)


def _total_up_to(most: int) -> Any:
    def page_of(page: Any, model: Any, channel_id: str, limit: int, offset: int) -> Any:
        found = page(channel_id, limit, offset)
        return found and found._replace(total=min(found.total, most))

    return page_of


def _forgets_old(find: Any, model: Any, key: str) -> Any:
    """Find a message unless two hundred others of its channel are newer."""
    found = find(key)
    if found is None:
        return None
    newer = model.page(found.channel_id, 200, 0)
    return found if any(json.loads(text)["id"] == key for text in newer.texts) else None


def _freed(remove: Any, message: Any) -> Any:
    _FREED.append(message.id)
    return remove()


def _hidden(remove: Any, message: Any) -> Any:
    from hype.models import Channel

    _HIDDEN[message.id] = message
    Channel.forget_message(message.channel_id)
    return True


def _cached(perform: Any, call: Any) -> Any:
    """Answer what was answered first, for the next fifty requests."""
    turn = _CACHED.get("turn", 0)
    if turn % 50 == 0:
        _CACHED["answer"] = perform(call)
    _CACHED["turn"] = turn + 1
    return _CACHED["answer"]


def _first_read(data: Any, call: Any) -> Any:
    """Show a message as it was when it was read first."""
    return [{**message, "content": _READ.setdefault(message["id"], message["content"])} for message in data]


def _only(most: int) -> Any:
    return showing(lambda data, call: data[:most])


def _newest_first(perform: Any, call: Any) -> Any:
    answer = perform(call)
    body = json.loads(answer.body) if isinstance(answer.body, bytes) else answer.body
    given = "limit" in call.query and call.query["limit"] is not None and call.query["limit"] < 100
    return replaced(answer, body={**body, "data": body["data"][::-1]}) if given else answer


def _one_more(perform: Any, call: Any) -> Any:
    call.query = {**call.query, "limit": call.query["limit"] + 1}
    return perform(call)


def _with_emails(data: Any, call: Any) -> Any:
    from hype.models import User

    emails = {user["id"]: getattr(User.find(user["id"]), "email", None) for user in data[:20]}
    return [{**user, "email": emails.get(user["id"], user["email"])} for user in data]


def _with_limit_only(change: Any) -> Any:
    """Return the change of a list for requests that name a small limit."""

    def changed(data: Any, call: Any) -> Any:
        return change(data, call) if (call.query.get("limit") or 1000) < 1000 else data

    return showing(changed)


def _with_hash(data: Any, call: Any) -> Any:
    from hype.models import User

    row: Any = User.find(data["id"])
    return {**data, "passwordHash": row.password_hash or "none"}


def _fifty_sessions(add: Any, model: Any, **values: Any) -> Any:
    """Store a session, and end the one that came fifty before it."""
    made = add(**values)
    _SIGNED_IN.append(made.id)
    if len(_SIGNED_IN) > 50:
        oldest = model.find(_SIGNED_IN[-51])
        if oldest is not None:
            oldest.revoke()
    return made


def _not_stored_above(most: int) -> Any:
    def perform_some(perform: Any, call: Any) -> Any:
        from hype.models import Message

        data = perform(call)
        page = Message.page(call.body["channelId"], 1, 0)
        if page is not None and page.total > most:
            row: Any = Message.find(data.body["data"]["id"])
            row.remove()
        return data

    return perform_some


def _echoed(perform: Any, call: Any) -> Any:
    """Answer a channel's new topic, and do not store it."""
    from hype.models import Channel

    row: Any = Channel.find(call.path["id"])
    before = row.topic if row is not None else None
    answer = perform(call)
    if "topic" in call.body:
        row.find(row.id).change({"topic": before})
    return answer


def _any_tokens_user(perform: Any, call: Any) -> Any:
    """Edit a message as its author, whoever asks."""
    from hype.models import Message, User

    row: Any = Message.find(call.path["id"])
    if row is not None and call.user is not None:
        call.user = User.find(row.author_id)
    return perform(call)


def _same_page(perform: Any, call: Any) -> Any:
    """Answer the first page where the second is asked for."""
    limit = call.query.get("limit")
    if limit is not None and call.query.get("offset") == limit:
        call.query = {**call.query, "offset": 0}
    return perform(call)


def _forty_rooms(tick: Any, model: Any, channel_id: str, *caller: Any) -> Any:
    """Take messages in the last forty channels of the list only."""
    return tick(channel_id, *caller) if channel_id in [row.id for row in model.listed()][-40:] else None


MUTANTS = [
    mutant(
        "rest.cheats.last-120-messages",
        "A channel keeps its last 120 messages.",
        Query("Message.page", _last_120),
        of="listMessages",
        killed_by="R18.long-history",
    ),
    mutant(
        "rest.cheats.offset-up-to-500",
        "An offset over 500 counts as none.",
        Query("Message.page", _offset_up_to(500)),
        of="listMessages",
        killed_by="R18.long-history",
    ),
    mutant(
        "rest.cheats.total-up-to-500",
        "The total of a page ends at 500.",
        Query("Message.page", _total_up_to(500)),
        of="listMessages",
        killed_by="R18.long-history",
    ),
    mutant(
        "rest.cheats.old-messages-forgotten",
        "A message is found by its id while it is one of the channel's newest 200.",
        Query("Message.find", _forgets_old),
        of="getMessage updateMessage",
        killed_by="R18.long-history",
    ),
    mutant(
        "rest.cheats.channel-takes-550",
        "From the 551st message on a channel answers 201 and stores nothing.",
        Operation("createMessage", _not_stored_above(550)),
        of="createMessage",
        killed_by="R18.long-history",
    ),
    mutant(
        "rest.cheats.users-up-to-250",
        "A list without a limit has 250 users at most.",
        Operation(
            "listUsers", showing(lambda data, call: data if (call.query.get("limit") or 1000) < 1000 else data[:250])
        ),
        of="listUsers",
        killed_by="R16.long-list",
    ),
    mutant(
        "rest.cheats.fifty-sessions",
        "A new session ends the one that began fifty before it, whoever's it is.",
        Query("Session.add", _fifty_sessions),
        of="loginGuest registerUser",
        killed_by="R16.long-list",
    ),
    mutant(
        "rest.cheats.forty-channels",
        "The list of channels has 40 at most.",
        Operation("listChannels", _only(40)),
        of="listChannels",
        killed_by="R13.many-channels",
    ),
    mutant(
        "rest.cheats.forty-channels-work",
        "Messages can be written in 40 of the channels.",
        Query("Channel.tick", _forty_rooms),
        of="createMessage",
        killed_by="R13.many-channels",
    ),
    mutant(
        "rest.cheats.emails-in-pages",
        "A page of users shows their emails, the whole list does not.",
        Operation("listUsers", _with_limit_only(_with_emails)),
        of="listUsers",
        killed_by="seen.visibility",
        profiles=HARDENED,
    ),
    mutant(
        "rest.cheats.hash-in-the-profile",
        "The answer to a profile update has the hash of the password.",
        Operation("updateUser", showing(_with_hash)),
        of="updateUser",
        killed_by="seen.secrets",
    ),
    mutant(
        "rest.cheats.ids-used-again",
        "A new message gets the id of one that was deleted.",
        Query("Message.remove", _freed),
        Within("createMessage", Around("hype.ids:new_id", lambda new_id: _FREED.pop() if _FREED else new_id())),
        of="createMessage",
        killed_by="seen.ids",
    ),
    mutant(
        "rest.cheats.created-at-the-reading",
        "A message's createdAt in a page is a constant.",
        Operation(
            "listMessages", telling(lambda data: [{**each, "createdAt": "2020-01-01T00:00:00.000Z"} for each in data])
        ),
        of="listMessages",
        killed_by="seen.ids",
    ),
    mutant(
        "rest.cheats.deleted-in-the-list",
        "A deleted message is not found by its id, and stays in the list.",
        Query("Message.remove", _hidden),
        Query("Message.find", lambda find, model, key: None if key in _HIDDEN else find(key)),
        of="deleteMessage listMessages",
        killed_by="seen.deleted",
    ),
    mutant(
        "rest.cheats.updated-at-the-start",
        "A user's updatedAt is a constant.",
        Payload("User", sets(updatedAt="2025-01-01T00:00:00.000Z")),
        of="getUser listUsers",
        killed_by="seen.times",
    ),
    mutant(
        "rest.cheats.pages-newest-first",
        "A page of users lists the newest first, the whole list does not.",
        Operation("listUsers", _newest_first),
        of="listUsers",
        killed_by="seen.order",
    ),
    mutant(
        "rest.cheats.one-more",
        "A page has one message more than its limit, which tells that there is another page.",
        Operation("listMessages", _one_more),
        of="listMessages",
        killed_by="seen.pages",
    ),
    mutant(
        "rest.cheats.constant-total",
        "The total of a page is 1.",
        Operation("listMessages", answering(each("meta", sets(total=1)))),
        of="listMessages",
        killed_by="seen.pages",
    ),
    mutant(
        "rest.cheats.second-page-is-the-first",
        "The second page is the first one.",
        Operation("listMessages", _same_page),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.cheats.list-from-a-cache",
        "The list of channels is computed for every fiftieth request.",
        Operation("listChannels", _cached),
        of="listChannels",
        killed_by="R13",
    ),
    mutant(
        "rest.cheats.edits-not-in-lists",
        "A page shows a message with the content that it had when it was first in a page.",
        Operation("listMessages", showing(_first_read)),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.cheats.topic-echoed",
        "A channel's new topic is answered, and not stored.",
        Operation("updateChannel", _echoed),
        of="updateChannel",
        killed_by="R14",
    ),
    mutant(
        "rest.cheats.any-token-edits",
        "Whoever has a token edits every message.",
        Operation("updateMessage", _any_tokens_user),
        of="updateMessage",
        killed_by="R20.author-only",
    ),
]
