"""Bugs of tokens and sessions (rulings R7, R23, P2 and P3)."""

from __future__ import annotations

import re
from contextvars import ContextVar
from typing import Any

from tests.mutants.changes import answering, each, now_ms, refusal, refusing, replaced, rows, telling, without
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import AnswerHead, Around, Operation, Payload, Query, RequestHead, SpecPatch, Within
from tests.mutants.token_changes import (
    whatever_the_session,
)

LOGOUT = "openapi.yaml#/paths/~1auth~1logout/post/x-hype-policy/revokesSession"
REFRESH = "openapi.yaml#/paths/~1auth~1refresh/post/x-hype-policy/singleUseRefreshToken"

_NEWEST: ContextVar[bool] = ContextVar("newest")


def of_all_sessions(revoke: Any, session: Any) -> bool:
    """Revoke all sessions of the user."""
    from hype.models.tables import Sessions

    live = (Sessions.user == session.user_id) & Sessions.revoked_at.is_null()
    return bool(rows(Sessions.update(revoked_at=now_ms()).where(live).returning(Sessions.id)))


def _authorization(pattern: str) -> RequestHead:
    """Return the change by which the header Authorization may be of this pattern, whose group is the token."""

    def change(request: Any) -> None:
        match = re.fullmatch(pattern, request.headers.get("authorization", "").strip())
        if match:
            request.headers["authorization"] = f"Bearer {match[1]}"

    return RequestHead(change)


def _malformed_is_none(request: Any) -> None:
    if not re.fullmatch(r"(?i)bearer +\S+", request.headers.get("authorization", "").strip()):
        request.headers.pop("authorization", None)


def _answers_403(answer: Any, request: Any) -> None:
    if answer.status == 401:
        answer.status = 403


def _bad_tokens(before: str, then: str) -> Around:
    """Return the change by which operations treat a token otherwise. before, then: a way to treat it (`auth`)."""

    def load(original: Any, profile: Any, folder: Any = None) -> Any:
        contract = original(profile, folder)
        operations = {
            name: replaced(operation, auth=then) if operation.auth == before else operation
            for name, operation in contract.operations.items()
        }
        return replaced(contract, operations=operations)

    return Around("hype.spec:load", load)


def _revoked_and_rolled_back(revoke: Any, session: Any) -> Any:
    revoke()
    raise refusal(401, "Invalid refresh token")


def _looked_at_before(perform: Any, call: Any) -> Any:
    from hype import greenlets
    from hype.models import Session

    claims = call.services.tokens.read_refresh(call.body["refreshToken"])
    session = Session.find(claims.session_id)
    _NEWEST.set(session is not None and session.refresh_jti == claims.jti)
    greenlets.sleep(0.05)  # the moment in which another request comes
    return perform(call)


def _if_it_was_the_newest(rotate: Any, session: Any, *, used_jti: str, new_jti: str, expires_at: int) -> Any:
    if _NEWEST.get():
        session.extend(refresh_jti=new_jti, expires_at=expires_at)
    return _NEWEST.get()


def _alive(in_session: Any, model: Any, user_id: str, session_id: str | None) -> Any:
    user, session = in_session(user_id, session_id) or (None, None)
    return user and (user, session and session._replace(revoked_at=None))


def _rotated_though_revoked(rotate: Any, session: Any, *, used_jti: str, new_jti: str, expires_at: int) -> bool:
    from hype.models.tables import Sessions

    unused = (Sessions.id == session.id) & (Sessions.refresh_jti == used_jti)
    exchange = Sessions.update(refresh_jti=new_jti, expires_at=expires_at).where(unused)
    return bool(rows(exchange.returning(Sessions.id)))


def _as_in_the_token(authenticate: Any, services: Any, token: str | None) -> Any:
    user, session = authenticate(services, token)
    return user._replace(username=services.tokens.read_access(token).username), session


MUTANTS = [
    mutant(
        "rest.auth.no-www-authenticate",
        "401 comes without WWW-Authenticate.",
        AnswerHead(lambda answer, request: answer.headers.pop("www-authenticate", None)),
        of="getCurrentUser loginUser refreshTokens",
        killed_by="R7.www-authenticate",
    ),
    mutant(
        "rest.auth.refuses-with-403",
        "A missing token is answered with 403.",
        AnswerHead(_answers_403),
        of="getCurrentUser createMessage logoutUser",
        killed_by="R7.no-token",
    ),
    mutant(
        "rest.auth.unauthorized",
        "A missing token is answered `Unauthorized` instead of the documented text.",
        Around("hype.operations:authenticate", refusing(401, 401, "Unauthorized", like="Not authenticated")),
        of="getCurrentUser",
        killed_by="R6.not-authenticated",
    ),
    mutant(
        "rest.auth.bare-token",
        "The Authorization header works without the word Bearer.",
        _authorization(r"(\S+)"),
        of="getCurrentUser createMessage",
        killed_by="R7.malformed-header",
    ),
    mutant(
        "rest.auth.any-scheme",
        "The server takes the text behind the last blank of the Authorization header for the token.",
        _authorization(r"\w+ +(\S+)"),
        of="getCurrentUser createMessage",
        killed_by="R7.malformed-header",
    ),
    mutant(
        "rest.auth.malformed-is-nobody",
        "A malformed Authorization header counts as none for operations that need no token and refuse a bad one.",
        RequestHead(_malformed_is_none),
        of="updateUserStatus createChannel",
        killed_by="R7.malformed-header",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.auth.bad-token-is-nobody",
        "A bad token counts as none for operations that need no token and refuse a bad one.",
        _bad_tokens("checked", "optional"),
        of="updateUserStatus createChannel updateChannel deleteChannel",
        killed_by="R7.",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.auth.bad-token-on-reads",
        "A stale token in the browser makes public reads answer 401.",
        _bad_tokens("optional", "checked"),
        of="listChannels getUser listMessages listServers",
        killed_by="R7.bad-token-on-a-public-read",
    ),
    mutant(
        "rest.refresh.access-only",
        "A refresh gives a new access token only.",
        Operation("refreshTokens", telling(without("refreshToken"))),
        of="refreshTokens",
        killed_by="P3.refresh",
    ),
    mutant(
        "rest.refresh.no-rotation",
        "A refresh token can be used again and again.",
        SpecPatch(REFRESH, False),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.reuse-is-only-refused",
        "Using a refresh token twice is refused, but the stolen session goes on.",
        Within("refreshTokens", Query("Session.revoke", lambda revoke, session: False)),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.reuse-rolled-back",
        "The revocation after a re-used refresh token is rolled back by the exception.",
        Within("refreshTokens", Query("Session.revoke", _revoked_and_rolled_back)),
        of="refreshTokens",
        killed_by="P3.single-use",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.race",
        "Of two refreshes at once with one token both succeed: it is checked, and exchanged a moment later.",
        Operation("refreshTokens", _looked_at_before),
        Query("Session.rotate", _if_it_was_the_newest),
        of="refreshTokens",
        killed_by="P3.race",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.ends-all-sessions",
        "A re-used refresh token ends the user's other sessions too.",
        Within("refreshTokens", Query("Session.revoke", of_all_sessions)),
        of="refreshTokens",
        killed_by="P3.other-sessions-live",
        profiles=HARDENED,
    ),
    mutant(
        "rest.refresh.single-use-in-documented",
        "A refresh token works once in the documented profile too.",
        SpecPatch(REFRESH, True),
        of="refreshTokens",
        killed_by="P3.old-token-stays-valid",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.refresh.wrong-words",
        "A bad refresh token is answered `Invalid token`.",
        Around("hype.tokens:Tokens.read_refresh", refusing(401, 401, "Invalid token", like="Invalid refresh token")),
        of="refreshTokens",
        killed_by="R6.invalid-refresh-token",
    ),
    mutant(
        "rest.logout.revokes-nothing",
        "After logout the tokens still work.",
        SpecPatch(LOGOUT, False),
        of="logoutUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.access-lives",
        "Logout ends the refresh token only; the access token works until it expires.",
        Around("hype.operations:authenticate", whatever_the_session),
        of="logoutUser getCurrentUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.refresh-lives",
        "Logout ends the access token only; the refresh token still gives new ones.",
        Within("refreshTokens", Query("User.in_session", _alive)),
        Query("Session.rotate", _rotated_though_revoked),
        of="logoutUser refreshTokens",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.everywhere",
        "Logout ends all sessions of the user.",
        Within("logoutUser", Query("Session.revoke", of_all_sessions)),
        of="logoutUser",
        killed_by="P2.revokes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.logout.revokes-in-documented",
        "Logout ends the session in the documented profile too.",
        SpecPatch(LOGOUT, True),
        of="logoutUser",
        killed_by="P2.tokens-stay-valid",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.logout.in-an-envelope",
        "Logout answers an empty data object instead of its message.",
        Operation("logoutUser", answering(lambda body: {"success": True, "data": {}})),
        of="logoutUser",
        killed_by="P2.logout",
    ),
    mutant(
        "rest.me.bare-user",
        "GET /auth/me answers the user itself instead of an object that has it.",
        Operation("getCurrentUser", telling(lambda data: data["user"])),
        of="getCurrentUser",
        killed_by="R21.register",
    ),
    mutant(
        "rest.me.lower-case-status",
        "The status in /auth answers is in lower case.",
        Payload("AuthUser", each("status", str.lower)),
        of="getCurrentUser registerUser loginUser loginGuest",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.me.as-in-the-token",
        "GET /auth/me shows the username as it was when the token was given out.",
        Around("hype.operations:authenticate", _as_in_the_token),
        of="getCurrentUser",
        killed_by="R16.profile",
    ),
]
