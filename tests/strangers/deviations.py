"""The lawful deviations, each with what allows it.

Rows are loaded before the server is changed, so nothing here imports the server until it is called.
"""

from __future__ import annotations

import random
import re
import secrets
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from tests.mutants.changes import refusal, without
from tests.mutants.registry import Mutant, Seam
from tests.mutants.seams import Around, Event, Frame, Operation
from tests.strangers.documents import Document, changing, rerouting

__all__ = ["EVERY", "Deviation", "events", "stranger"]

_OFF_S: Final = 7200
_ID: Final = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True)
class Deviation:
    """A difference from the reference. lawful: what allows it, as a sentence.

    before: is called before the server is loaded.
    """

    name: str
    lawful: str
    changes: tuple[Seam, ...] = ()
    before: Callable[[], None] = lambda: None


def stranger(some: Sequence[Deviation]) -> Mutant:
    """Return these deviations as one change of the server, in both profiles."""
    changes = tuple(change for each in some for change in each.changes)
    return Mutant("stranger", "It is lawful.", changes, (), "")


# More than the specs name


def _more(value: Any) -> Any:
    """Return the value with members that the specs do not name in each object, in another order and never the same."""
    if isinstance(value, list):
        return [_more(item) for item in value]
    if not isinstance(value, dict):
        return value
    members = {name: item if name in _MAPS else _more(item) for name, item in reversed(value.items())}
    return {"__v": secrets.randbelow(1000), **members, "served": {"by": secrets.token_hex(4), "tags": [None]}}


_MAPS: Final = ("endpoints", "parameters")
"""Members whose own members are not the specs' to name, and have values of one type."""


def _more_in_answers(document: Document) -> None:
    document.body = _more(document.body)


# Other words


def _quoted(document: Document) -> bool:
    """Return whether the seed quotes the text of this refusal: as a `const`, or at this very operation."""
    error = document.body["error"]
    if error.startswith("Forbidden: You can only") or error in _FIXED:
        return True
    return (document.method, document.path.partition("?")[0].rpartition("/")[0], error) in _QUOTED or (
        document.method,
        document.path,
        error,
    ) in _QUOTED


_FIXED: Final = (
    "User not found",
    "Internal server error",
    "Invalid email or password",
    "Invalid status",
    "content must not exceed 2000 characters",
)
_QUOTED: Final = (
    ("POST", "/auth/register", "Validation failed"),
    ("POST", "/auth/register", "Username already taken"),
    ("POST", "/auth/register", "Email already taken"),
    ("POST", "/auth/guest", "Username already taken"),
    ("PUT", "/api/users", "Validation failed"),
    ("PUT", "/api/users", "Username already taken"),
    ("GET", "/auth/me", "Not authenticated"),
    ("POST", "/auth/refresh", "Invalid refresh token"),
    ("POST", "/auth/refresh", "Refresh token expired"),
)


def _other_words(document: Document) -> None:
    if document.status >= 400 and "error" in document.body and not _quoted(document):
        document.body["error"] = f"Request refused ({document.status})"


# Ids


def _any_id(original: Any) -> str:
    """Return an id that is no CUID."""
    return str(uuid.uuid4()) if secrets.randbelow(2) else str(secrets.randbelow(10**18))


def _cuid2(original: Any, cls: Any, **members: Any) -> Any:
    first, rest = random.choice("abdefgh"), (random.choice("0123456789abcdefghijklmnopqrstuvwxyz") for _ in range(23))
    return original(**{**members, "id": members.get("id") or first + "".join(rest)})


def _odd_id_is_400(*members: str) -> Any:
    def changed(perform: Any, call: Any) -> Any:
        for member in members:
            given = call.body.get(member, call.query.get(member, "id"))
            if not _ID.fullmatch(given):
                raise refusal(400, None, [{"code": "custom", "path": [member], "message": "Invalid id"}])
        return perform(call)

    return changed


def _empty_refresh_token(perform: Any, call: Any) -> Any:
    if call.body["refreshToken"] == "":
        raise refusal(400, None, [{"code": "custom", "path": ["refreshToken"], "message": "Required"}])
    return perform(call)


# Validation


def _zod_4(document: Document) -> None:
    for issue in document.body.get("details") or [] if isinstance(document.body, dict) else []:
        _as_zod_4(issue)


def _as_zod_4(issue: dict[str, Any]) -> None:
    issue.pop("received", None)
    issue.pop("exact", None)
    kind = issue.pop("type", None)
    if kind is not None:
        issue["origin"] = kind
    if issue["code"] == "invalid_string":
        issue["code"], issue["format"] = "invalid_format", issue.pop("validation")
    if issue["code"] == "invalid_enum_value":
        issue["code"], issue["values"] = "invalid_value", issue.pop("options")


def _minus_one(document: Document) -> None:
    """Tell of a negative number in a query as of one that is no number: digits alone are accepted."""
    for issue in document.body.get("details") or [] if isinstance(document.body, dict) else []:
        if document.method == "GET" and issue["code"] == "too_small" and issue["minimum"] == 0:
            issue["code"], issue["expected"], issue["received"] = "invalid_type", "number", "nan"


# The gateway


def _forged_is_forbidden(handle: Any, frame: Any) -> Any:
    claimed = frame.data.get("userId", frame.socket.identity.user_id)
    if claimed != frame.socket.identity.user_id:
        raise refusal(403, "You are somebody else")
    return handle(frame)


def events(*names: str, change: Callable[[dict[str, Any]], dict[str, Any]]) -> Around:
    """Return the change of the data of these events, or of all events."""

    def encode(original: Any, name: str, data: Any) -> Any:
        return original(name, change(dict(data)) if name in names or not names else data)

    return Around("hype.gateway:encode", encode)


def _other_flags(data: dict[str, Any]) -> dict[str, Any]:
    leaves = data["channelId"] is None
    return {**data, "isMuted": random.random() < 0.5, "isDeafened": True} if leaves else data


def _only_to_room(
    original: Any, hub: Any, channel_id: str, name: str, data: Any, *, except_user: Any = None, also_to: Any = None
) -> None:
    """Send an event to the sockets in the room, and to no other one."""
    original(channel_id, name, data, except_user=except_user)


# Without extensions

_ABSENT: Final = (
    ("GET", re.compile(r"/health/(live|ready)|/metrics")),
    ("POST", re.compile(r"/auth/(logout-all|password)|/api/voice/transport/restart-ice")),
    ("DELETE", re.compile(r"/api/voice/consume/[^/]*")),
    ("GET", re.compile(r"/api/voice/channels/[^/]*/producers")),
)
_UNPAGED: Final = re.compile(r"/api/(channels|servers|servers/[^/]*/channels)")
_LISTS: Final = re.compile(r"/api/(users|channels|servers|servers/[^/]*/channels)")


def _absent(method: str, path: str) -> str:
    known = any(method == each and pattern.fullmatch(path) for each, pattern in _ABSENT)
    return "/not-here" if known else path


def _keeps_query(method: str, path: str) -> bool:
    return _UNPAGED.fullmatch(path) is None


def _no_meta(document: Document) -> None:
    if document.method == "GET" and document.status == 200 and _LISTS.fullmatch(document.path):
        document.body.pop("meta", None)


def _null_refused(perform: Any, call: Any) -> Any:
    names = [name for name in ("displayName", "bio") if name in call.body and call.body[name] is None]
    if names:
        details = [
            {
                "code": "invalid_type",
                "path": [name],
                "message": "Expected string",
                "expected": "string",
                "received": "null",
            }
            for name in names
        ]
        raise refusal(400, None, details)
    return perform(call)


def _silent(*ignored: object) -> None:
    """Send, or do, nothing."""


# Time


def _set_the_clock_back() -> None:
    """Set the clocks of this process two hours back."""
    now, now_ns = time.time, time.time_ns
    setattr(time, "time", lambda: now() - _OFF_S)  # noqa: B010 - mypy takes no assignment to a function
    setattr(time, "time_ns", lambda: now_ns() - _OFF_S * 10**9)  # noqa: B010 - the same


def _given_now() -> Any:
    from hype.database import given

    return given("now")


EVERY: Final = (
    Deviation(
        "extra-members",
        "A1: extra members are allowed in every object, and JSON objects have no order.",
        (
            changing(_more_in_answers),
            events(change=_more),
        ),
    ),
    Deviation(
        "other-texts",
        "A1, A3: examples bind nobody; texts are demanded only where the seed quotes them.",
        (changing(_other_words),),
    ),
    Deviation("opaque-ids", "A2, R3: ids are opaque.", (Around("hype.ids:new_id", _any_id),)),
    Deviation("cuid2", "A23: user ids are CUIDs, of either version.", (Around("hype.models:User.add", _cuid2),)),
    Deviation(
        "odd-id-400",
        "A2: 400 or 404 for a channelId or serverId outside the id alphabet.",
        (
            Operation("createMessage", _odd_id_is_400("channelId")),
            Operation("listMessages", _odd_id_is_400("channelId")),
            Operation("createChannel", _odd_id_is_400("serverId")),
            Operation("createSendTransport", _odd_id_is_400("channelId")),
            Operation("createRecvTransport", _odd_id_is_400("channelId")),
        ),
    ),
    Deviation(
        "empty-refresh-token-400",
        'A4: `refreshToken: ""` may be 400 or 401.',
        (Operation("refreshTokens", _empty_refresh_token),),
    ),
    Deviation("zod-4", "A1b: zod 4's names of issues are accepted.", (changing(_zod_4),)),
    Deviation("minus-one", "A3: -1 where digits are wanted may be `invalid_type`.", (changing(_minus_one),)),
    Deviation(
        "forged-forbidden",
        "A10: a forged userId in `message` or `typing` may be refused.",
        (Frame("message", _forged_is_forbidden), Frame("typing", _forged_is_forbidden)),
    ),
    Deviation(
        "leaving-flags", "A10: flags of leaving may have any value.", (events("voice_state", change=_other_flags),)
    ),
    Deviation(
        "null-from-outside",
        "The room hears that a user has left; a socket outside it need not.",
        (Around("hype.gateway:Hub.to_room", _only_to_room),),
    ),
    Deviation(
        "one-updatedAt",
        "A7: two updates within a millisecond may have one updatedAt.",
        (Around("hype.models:forward", lambda original, column: _given_now()),),
    ),
    Deviation("other-clock", "No spec says whose clock is right.", before=_set_the_clock_back),
    Deviation(
        "no-extensions",
        "An implementation without the extensions conforms.",
        (
            rerouting(_absent, _keeps_query),
            changing(_no_meta),
            Event("message_edited message_deleted typing error transport_closed", _silent),
            Around("hype.gateway:Hub.to_user", _silent),
            Frame("user_left", _silent),
            events("new_producer", "producer_closed", "speaking_state", change=without("channelId")),
            Operation("updateUser", _null_refused),
        ),
    ),
)
