"""Bugs of who a socket stands for, and for how long (rulings P2 to P4 and R31)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import jwt

from tests.mutants.audiences import Sockets, saying, user_of
from tests.mutants.changes import without
from tests.mutants.gateway_frames import closing, closing_with, read_as, when_refused
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.rest_sessions import LOGOUT, REFRESH
from tests.mutants.seams import Around, Edit, Event, Frame, Operation, Query, SpecPatch, Within
from tests.mutants.token_changes import SECRET_OF, believing, or_the_other, whatever_the_session

_IDENTITY = "hype/gateway/identity.py"
_BY_URL = "hype.gateway:Identities.bind_by_url"
_REVOKED = "Session revoked"
_TIMEOUT_S = 10

_CLOSED: set[str] = set()
_IN_FRAME: ContextVar[bool] = ContextVar("in_frame", default=False)
_SOCKETS = Sockets()


def _closes(change: Callable[[Any, Any, int, str], object]) -> Around:
    """Return the change by which the server closes a socket otherwise. change: gets what closes it, and with what."""
    return Around(
        "hype.gateway:Socket.close", lambda close, socket, code, reason="": change(close, socket, code, reason)
    )


def _is_bad_token(code: int, reason: str) -> bool:
    return code == 4401 and reason.lower() in {"invalid token", "token expired"}


def _closed_in_time(add: Any, hub: Any, socket: Any) -> None:
    add(socket)
    asyncio.get_running_loop().call_later(_TIMEOUT_S, socket.close, 4401, "Not authenticated in time")


def _note_frame(identify: Any, identities: Any, socket: Any, name: str, data: Any) -> Any:
    _IN_FRAME.set(True)
    return identify(socket, name, data)


def _waits(close: Any, socket: Any, code: int, reason: str) -> None:
    if _IN_FRAME.get() or not _is_bad_token(code, reason):
        close(code, reason)


def _is_an_error(close: Any, socket: Any, code: int, reason: str) -> None:
    if _IN_FRAME.get() and _is_bad_token(code, reason):
        _SOCKETS.hub.to_socket(socket, "error", {"code": "unauthenticated", "message": reason})
    else:
        close(code, reason)


def _strangers_type(send: Any, event: Any) -> None:
    if event.data["code"] == "unknown_type" and event.socket.identity is None:
        event = event.with_data(code="unauthenticated", message="Not authenticated")
    send(event)


def _without_claims(*members: str) -> Callable[[Any], Any]:
    """Return a change of a frame that takes members of its data away."""

    def changed(frame: Any) -> Any:
        data = frame.get("data")
        return {**frame, "data": without(*members)(data)} if isinstance(data, dict) else frame

    return changed


def _closes_one(close: Any, socket: Any, code: int, reason: str) -> None:
    session_id = socket.identity.session_id if reason == _REVOKED else ""
    if not session_id or session_id not in _CLOSED:
        close(code, reason)
    _CLOSED.add(session_id)


def _closes_all_of_the_user(publish: Any, cluster: Any, effects: Any) -> None:
    for session_id in [effect.session_id for effect in effects if type(effect).__name__ == "SessionRevoked"]:
        bound = [socket for socket in _SOCKETS if socket.identity is not None]
        users = {user_of(socket) for socket in bound if socket.identity.session_id == session_id}
        for socket in bound:
            if user_of(socket) in users:
                socket.close(4401, _REVOKED)
    publish(effects)


def _refresh_closes(perform: Any, call: Any) -> Any:
    from hype.cluster import SessionRevoked

    answer = perform(call)
    claims = call.services.tokens.read_refresh(call.body["refreshToken"])
    call.unit.announce(SessionRevoked(claims.session_id))
    return answer


def _unknown_claim(send: Any, event: Any) -> None:
    unknown = event.data["code"] == "not_found" and event.data["message"] == "User not found"
    send(event.with_data(code="forbidden") if unknown else event)


def _bad_closes(bind: Any, identities: Any, socket: Any, token: str) -> None:
    try:
        jwt.decode(token, SECRET_OF["access"], algorithms=["HS256"])
    except (jwt.PyJWTError, ValueError):
        socket.close(4401, "Invalid token")
    bind(socket, token)


MUTANTS = [
    mutant(
        "gateway.identity.no-timeout",
        "A socket without a token stays open.",
        SpecPatch("asyncapi.yaml#/channels/gateway/x-hype-limits/authTimeoutMs"),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.timeout-after-3-s",
        "A socket is closed when it has not sent a token within three seconds.",
        SpecPatch("asyncapi.yaml#/channels/gateway/x-hype-limits/authTimeoutMs", 3000),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.timeout-for-all",
        "Every socket is closed ten seconds after it was opened.",
        Around("hype.gateway:Hub.add", _closed_in_time),
        of="user_joined.in",
        killed_by="R31.auth-timeout",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.bad-token-waits",
        "A socket with a bad token in the URL stays open until the time for a token is over.",
        Around("hype.gateway:Identities.identify", _note_frame),
        _closes(_waits),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.bad-token-is-an-error",
        "A bad token in user_joined is answered with an error, and the socket stays.",
        *_SOCKETS.seams,
        Around("hype.gateway:Identities.identify", _note_frame),
        _closes(_is_an_error),
        of="user_joined.in",
        killed_by="R31.bad-token-in-frame-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.close-code-4001",
        "A bad token closes with 4001.",
        closing_with(4401, 4001),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.refresh-token",
        "A refresh token opens a socket.",
        or_the_other("access", "refresh"),
        of="user_joined.in",
        killed_by="R31.bad-token-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.unsigned-token",
        "The signature of a token is not looked at.",
        believing("access"),
        of="user_joined.in",
        killed_by="R31.bad-token-in-frame-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logged-out-token",
        "The access token of a session that was logged out opens a socket.",
        Around("hype.operations:authenticate", whatever_the_session),
        of="user_joined.in logoutUser",
        killed_by="P2.logged-out-token-opens-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.stranger-is-closed",
        "A socket that sends an event before its token is closed at once.",
        when_refused("unauthenticated", lambda actions: [*actions, closing(4401, "")]),
        of="message.in typing.in",
        killed_by="R31.unauthenticated-changes-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.stranger-gets-forbidden",
        "An event before authentication is answered forbidden.",
        Event(
            "error",
            lambda send, event: send(
                event.with_data(code="forbidden") if event.data["code"] == "unauthenticated" else event
            ),
        ),
        of="error.out",
        killed_by="R31.unauthenticated-code",
    ),
    mutant(
        "gateway.identity.unknown-types-of-strangers",
        "Before authentication an unknown type is answered unauthenticated.",
        Event("error", _strangers_type),
        of="error.out",
        killed_by="R31.unauthenticated-code",
    ),
    mutant(
        "gateway.identity.claims-are-enough",
        "In the hardened profile a claimed userId is believed where no token was sent.",
        SpecPatch("asyncapi.yaml#/channels/gateway/x-hype-identity", "claim"),
        of="user_joined.in voice_state.in",
        killed_by="R31.unauthenticated-changes-nothing",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.claims-unchecked",
        "A claim that is not the token's user is passed over, and the frame is done as the token's.",
        read_as(_without_claims("userId", "username")),
        of="user_joined.in voice_state.in",
        killed_by="R31.claim-of-another",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.username-claims-unchecked",
        "A claimed username that is not the token's is passed over.",
        read_as(_without_claims("username")),
        of="user_joined.in",
        killed_by="R31.claim-of-another",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.another-token-takes-over",
        "Another user's token on a socket makes it theirs.",
        Edit(_IDENTITY, 'raise Forbidden("This connection already has another identity")', "pass"),
        of="user_joined.in",
        killed_by="R31.second-token",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.same-token-refused",
        "A token on a socket that has an identity is always refused.",
        Edit(
            _IDENTITY,
            "if socket.identity is not None and socket.identity.user_id != found.user_id:",
            'if socket.identity is not None and (socket.identity.user_id != found.user_id or "token" in said):',
        ),
        of="user_joined.in",
        killed_by="R31.second-token-code",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.first-frame-ignored",
        "A token in user_joined identifies the socket, and its channelId is not looked at.",
        Frame("user_joined", saying(lambda data: without("channelId")(data) if "token" in data else data)),
        of="user_joined.in",
        killed_by="R31.token-in-first-frame",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-leaves-sockets",
        "Logging out leaves the session's sockets open.",
        _closes(lambda close, socket, code, reason: None if reason == _REVOKED else close(code, reason)),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-one",
        "Logging out closes one of the session's sockets.",
        _closes(_closes_one),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-normally",
        "Logging out closes the session's sockets with 1000.",
        _closes(lambda close, socket, code, reason: close(1000 if reason == _REVOKED else code, reason)),
        of="logoutUser",
        killed_by="P2.logout-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.logout-closes-all",
        "Logging out closes all the user's sockets, those of other sessions too.",
        *_SOCKETS.seams,
        Around("hype.cluster:LocalCluster.publish", _closes_all_of_the_user),
        of="logoutUser",
        killed_by="P2.logout-spares-other-sessions",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.reuse-leaves-sockets",
        "A refresh token that is used twice is refused, and ends nothing.",
        Within("refreshTokens", Query("Session.revoke", lambda revoke, session: False)),
        of="refreshTokens",
        killed_by="P3.reuse-closes-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.refresh-closes",
        "Every refresh closes the session's sockets.",
        Operation("refreshTokens", _refresh_closes),
        of="refreshTokens",
        killed_by="P3.refresh-keeps-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.identity.claim-by-name",
        "A claimed username that comes without a userId is not looked up.",
        Query("User.named", lambda named, model, username: None),
        of="user_joined.in",
        killed_by="P4.claim",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.claim-by-voice-state",
        "The userId in a voice_state claims nothing.",
        read_as(lambda frame: _without_claims("userId")(frame) if frame.get("type") == "voice_state" else frame),
        of="voice_state.in",
        killed_by="P4.claim-by-voice-state",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.claim-of-nobody",
        "A claim of a user who does not exist is answered forbidden.",
        Event("error", _unknown_claim),
        of="user_joined.in",
        killed_by="P4.unknown-claim-code",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.second-claim",
        "A second claim changes the user of a socket.",
        Edit(
            _IDENTITY,
            "if known is None:",
            'if known is None or said.get("userId"):',
        ),
        Edit(_IDENTITY, 'raise Forbidden("This connection already has another identity")', "pass"),
        of="user_joined.in",
        killed_by="P4.second-identity",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.url-token-unread",
        "In the documented profile ?token= is not looked at.",
        Around(_BY_URL, lambda bind, identities, socket, token: None),
        of="user_joined.in",
        killed_by="P4.good-url-token-counts",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.bad-url-token",
        "In the documented profile a bad ?token= closes the socket.",
        Around(_BY_URL, _bad_closes),
        of="user_joined.in",
        killed_by="P4.bad-url-token-ignored",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.documented-logout",
        "In the documented profile a logout closes the session's sockets.",
        SpecPatch(LOGOUT, True),
        of="logoutUser",
        killed_by="P2.logout-keeps-sockets",
        profiles=DOCUMENTED,
    ),
    mutant(
        "gateway.identity.documented-reuse",
        "In the documented profile a refresh token works once.",
        SpecPatch(REFRESH, True),
        of="refreshTokens",
        killed_by="P3.reuse-keeps-sockets",
        profiles=DOCUMENTED,
    ),
]
