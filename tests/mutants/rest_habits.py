"""Bugs of habit: looked up by what is at hand, remembered from the first look, patterns in place of texts."""

from __future__ import annotations

from typing import Any, Final

from tests.mutants.changes import instead_of, refusal
from tests.mutants.registry import Mutant, mutant
from tests.mutants.seams import Around, Operation, Payload, Query

_NEWEST: dict[str, str] = {}
_SHOWN: dict[str, Any] = {}
_FREE: Final = "freed"


def _last_page(perform: Any, call: Any) -> Any:
    answer = perform(call)
    if b'"data":[]' not in answer.body.replace(b" ", b"") if isinstance(answer.body, bytes) else answer.body["data"]:
        return answer
    call.query = {**call.query, "offset": 0}
    return perform(call)


def _only_the_newest(read: Any, tokens: Any, token: str) -> Any:
    """Refuse an access token of a session that has been refreshed since."""
    from hype.errors import NotAuthenticated

    claims = read(token)
    if _NEWEST.get(claims.session_id, token) != token:
        raise NotAuthenticated("Invalid token")
    return claims


def _remember_the_newest(perform: Any, call: Any) -> Any:
    answer = perform(call)
    access = answer.body["data"]["accessToken"]
    _NEWEST[call.services.tokens.read_access(access).session_id] = access
    return answer


def _guests_give_way(perform: Any, call: Any) -> Any:
    from hype.models import User

    guest = User.named(call.body["username"])
    if guest is not None and guest.is_guest:
        guest.change({"username": guest.username[:20] + _FREE})
    return perform(call)


def _as_at_first(perform: Any, call: Any) -> Any:
    return _SHOWN.setdefault(call.caller.id, perform(call))


def _by_the_name(read: Any, tokens: Any, token: str) -> Any:
    """Find the user of a token by the name that the token has."""
    from hype.models import User

    claims = read(token)
    user = User.find(claims.user_id)
    if user is None or user.username != claims.username:
        raise refusal(401, "Invalid token")
    return claims


def _like(find: Any, model: Any, email: str) -> Any:
    """Find the first user whose address is like this one, with `_` for any character."""
    if "_" not in email:
        return find(email)
    return next(
        (
            user
            for user in model.listed()
            if user.email is not None
            and len(user.email) == len(email)
            and all(b in ("_", a) for a, b in zip(user.email.lower(), email.lower(), strict=True))
        ),
        None,
    )


def _nothing_to_change(perform: Any, call: Any) -> Any:
    if not call.body:
        raise refusal(400, None, [{"code": "custom", "path": [], "message": "At least one field is required"}])
    return perform(call)


MUTANTS: Final[tuple[Mutant, ...]] = (
    mutant(
        "rest.habits.past-the-end-is-the-beginning",
        "A page of messages behind the last one shows the first.",
        Operation("listMessages", _last_page),
        of="listMessages",
        killed_by="R18.pages",
    ),
    mutant(
        "rest.habits.refresh-ends-the-access-token",
        "A refresh ends the access token of before, which has minutes left.",
        Operation("refreshTokens", _remember_the_newest),
        Around("hype.tokens:Tokens.read_access", _only_the_newest),
        of="refreshTokens",
        killed_by="P3.refresh",
    ),
    mutant(
        "rest.habits.guests-give-way",
        "A registration takes the name of a guest, who gets another one.",
        Operation("registerUser", _guests_give_way),
        of="registerUser",
        killed_by="R6.username-taken",
    ),
    mutant(
        "rest.habits.me-as-at-first",
        "GET /auth/me shows a user as at the first look.",
        Operation("getCurrentUser", _as_at_first),
        of="getCurrentUser",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.habits.member-number-stays",
        "A server's number of members is that of its first answer.",
        Payload(
            "Server",
            lambda made, row: {
                **made,
                "_count": {**made["_count"], "members": _SHOWN.setdefault("members", made["_count"]["members"])},
            },
        ),
        of="listServers getServer",
        killed_by="R15.member-count",
    ),
    mutant(
        "rest.habits.channels-of-no-server",
        "The channels of a server that is not there are an empty list.",
        Operation("listServerChannels", instead_of(404, [])),
        of="listServerChannels",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.habits.tokens-of-a-name",
        "A user who takes another name is no longer known by the tokens of before.",
        Around("hype.tokens:Tokens.read_access", _by_the_name),
        of="updateUser",
        killed_by="R23.new-username",
    ),
    mutant(
        "rest.habits.email-is-a-pattern",
        "An underscore in an email stands for any character when a user is looked up.",
        Query("User.by_email", _like),
        of="registerUser loginUser",
        killed_by="R21.email",
    ),
    mutant(
        "rest.habits.nothing-to-change-in-a-channel",
        "An update of a channel without members is refused.",
        Operation("updateChannel", _nothing_to_change),
        of="updateChannel",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.habits.nothing-to-change-in-a-profile",
        "An update of a profile without members is refused.",
        Operation("updateUser", _nothing_to_change),
        of="updateUser",
        killed_by="R20.every-updated-at",
    ),
)
