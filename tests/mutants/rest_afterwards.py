"""Bugs that show in what comes after: later tokens, a status that something else changed, what a deletion leaves
(rulings R13, R16, R20, R22 to R24, P3 and P9)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tests.mutants.changes import each, rows, showing, telling
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import Around, Operation, Payload, Query, Within

_AUTHORS: dict[str, Any] = {}
_MOST: dict[str, int] = {}
_USED: dict[str, str] = {}
_USED_AGAIN: dict[str, str] = {}


def _taken_over(perform: Any, call: Any) -> Any:
    from hype.models import Channel

    channel = Channel.find(call.path["id"])
    if channel is not None and call.user is not None:
        channel.change({"created_by_id": call.user.id})
    return perform(call)


def _rotate(rotate: Any, session: Any, *, used_jti: str, new_jti: str, expires_at: int) -> Any:
    done = rotate(used_jti=used_jti, new_jti=new_jti, expires_at=expires_at)
    (_USED if done else _USED_AGAIN)[session.id] = used_jti
    return done


def _without_email(pair: Any, tokens: Any, user: Any, session_id: str) -> Any:
    return pair(SimpleNamespace(id=user.id, username=user.username, email=None), session_id)


def _signs_off(perform: Any, call: Any) -> Any:
    call.caller.change({"status": "OFFLINE"})
    return perform(call)


def _signs_in(perform: Any, call: Any) -> Any:
    from hype.models import User

    user = User.by_email(call.body["email"])
    if user is not None:
        user.logged_in()
        call.unit.commit()
    return perform(call)


def _only_of_the_registered(begin: Any, call: Any, email: str) -> Any:
    from hype.models import User

    attempt = begin(call, email)
    return (
        attempt
        if User.by_email(email) is not None
        else SimpleNamespace(failed=lambda: None, succeeded=attempt.succeeded)
    )


def _successes_too(begin: Any, call: Any, email: str) -> Any:
    attempt = begin(call, email)
    return SimpleNamespace(failed=attempt.failed, succeeded=attempt.failed)


def _most_ever(payload: dict[str, Any], row: Any) -> dict[str, Any]:
    count = payload["_count"]
    _MOST[row.id] = max(_MOST.get(row.id, 0), count["messages"])
    return {**payload, "_count": {**count, "messages": _MOST[row.id]}}


def _all_of_the_author(remove: Any, message: Any) -> Any:
    from hype.models import Channel
    from hype.models.tables import Messages

    here = (Messages.channel == message.channel_id) & (Messages.author == message.author_id)
    for _ in rows(Messages.delete().where(here & (Messages.id != message.id)).returning(Messages.id)):
        Channel.forget_message(message.channel_id)
    return remove()


MUTANTS = [
    mutant(
        "rest.channels.change-takes-it-over",
        "A user who changes a channel is its creator from then on.",
        Operation("updateChannel", _taken_over),
        of="updateChannel",
        killed_by="P6.anyone",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.tokens.reuse-of-the-last-alone",
        "Only the refresh token that was used last ends the session when it comes again; older ones are just refused.",
        Query("Session.rotate", _rotate),
        Within(
            "refreshTokens",
            Query(
                "Session.revoke",
                lambda revoke, session: _USED.get(session.id) == _USED_AGAIN.get(session.id) and revoke(),
            ),
        ),
        of="refreshTokens",
        killed_by="P3.reuse-of-an-older-token",
        profiles=HARDENED,
    ),
    mutant(
        "rest.tokens.refreshed-without-email",
        "Tokens that a refresh gives do not carry the email.",
        Within("refreshTokens", Around("hype.tokens:Tokens.pair", _without_email)),
        of="refreshTokens",
        killed_by="R23.claims-of-later-tokens",
    ),
    mutant(
        "rest.tokens.refresh-signs-in",
        "A refresh sets the status to online.",
        Within(
            "refreshTokens",
            Around(
                "hype.tokens:Tokens.pair", lambda pair, tokens, user, session_id: pair(user.logged_in(), session_id)
            ),
        ),
        of="refreshTokens",
        killed_by="R24.status-stays",
    ),
    mutant(
        "rest.logout.signs-off",
        "A logout sets the status to offline.",
        Operation("logoutUser", _signs_off),
        of="logoutUser",
        killed_by="R24.status-stays",
    ),
    mutant(
        "rest.login.failure-signs-in",
        "A user who tries to log in is online before the password is looked at.",
        Operation("loginUser", _signs_in),
        of="loginUser",
        killed_by="R22.wrong-credentials",
    ),
    mutant(
        "rest.login.email-in-lower-case",
        "Login answers with the email in lower case, not as it was typed.",
        Operation("loginUser", telling(each("user", each("email", str.lower)))),
        of="loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.login.unknown-emails-unlimited",
        "Failed logins are counted for registered emails only.",
        Around("hype.operations:begin", _only_of_the_registered),
        of="loginUser",
        killed_by="P9.unknown-email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.login.successes-count",
        "Logins that succeed count for the limit of failures.",
        Around("hype.operations:begin", _successes_too),
        of="loginUser",
        killed_by="P9.below-the-limit",
        profiles=HARDENED,
    ),
    mutant(
        "rest.channels.count-never-falls",
        "_count.messages counts the messages that were written, deleted or not.",
        Payload("Channel", _most_ever),
        of="getChannel listChannels",
        killed_by="R13.members",
    ),
    mutant(
        "rest.messages.delete-takes-the-older-ones",
        "Deleting a message deletes all messages of its author in the channel.",
        Query("Message.remove", _all_of_the_author),
        of="deleteMessage",
        killed_by="R20.delete",
    ),
    mutant(
        "rest.messages.author-remembered",
        "The answer to a new message shows its author as of their first message.",
        Operation(
            "createMessage",
            showing(lambda data, call: {**data, "author": _AUTHORS.setdefault(data["authorId"], data["author"])}),
        ),
        of="createMessage",
        killed_by="R24.author-as-now",
    ),
]
