"""Registration, login, guests, tokens, logout and passwords (rulings R21 to R24, P2, P3, P9 and A16)."""

from __future__ import annotations

from hype import passwords, payloads
from hype.cluster import SessionRevoked
from hype.database import Conflict as Taken
from hype.errors import BadRequest, Forbidden, NotAuthenticated
from hype.ids import new_id
from hype.models import DEFAULT_SERVER, ServerMember, Session, User
from hype.operations import throttle
from hype.operations.call import Answer, Call, ok
from hype.tokens import Claims, Pair

__all__ = [
    "change_password",
    "get_current_user",
    "login_guest",
    "login_user",
    "logout_everywhere",
    "logout_user",
    "refresh_tokens",
    "register_user",
]

_WRONG = "The current password is wrong"
_TAKEN = {"username": "Username already taken", "email_key": "Email already taken"}


def register_user(call: Call) -> Answer:
    """Create a user, ONLINE at once (operation registerUser, amendment A8).

    Of two racing registrations one gets 400.
    """
    username, email = call.body["username"], call.body["email"].strip()
    _refuse_reserved(call, username)
    _refuse_taken(username, email)
    password_hash = call.hash(passwords.hash_password, call.body["password"])
    try:
        user = User.add(username=username, email=email, password_hash=password_hash, online=True)
    except Taken as taken:
        raise _taken(taken) from taken
    ServerMember.add(DEFAULT_SERVER, user.id)
    throttle.note_owner(call, email)
    return _signed_in(call, user)


def login_guest(call: Call) -> Answer:
    """Create a user without email and password, ONLINE at once (operation loginGuest)."""
    _refuse_reserved(call, call.body["username"])
    try:
        user = User.add(username=call.body["username"], is_guest=True, online=True)
    except Taken as taken:
        raise _taken(taken) from taken
    ServerMember.add(DEFAULT_SERVER, user.id)
    return _signed_in(call, user)


def login_user(call: Call) -> Answer:
    """Log a user in; an unknown email takes as long as a wrong password (operation loginUser, ruling R22)."""
    email = call.body["email"]
    attempt = throttle.begin(call, email)
    user = User.by_email(email)
    password_hash = None if user is None else user.password_hash
    if not call.hash(passwords.verify, call.body["password"], password_hash) or user is None:
        attempt.failed()
        raise NotAuthenticated("Invalid email or password")
    attempt.succeeded()
    expired_before = call.services.expiry.before_ms()
    if expired_before is not None:
        Session.forget_expired(expired_before)
    user = user.logged_in()
    if user.password_hash != password_hash:  # it was changed while this one was checked
        raise NotAuthenticated("Invalid email or password")
    return _signed_in(call, user)


def refresh_tokens(call: Call) -> Answer:
    """Exchange a refresh token for new tokens (operation refreshTokens).

    Where a refresh token works once, a second use ends the session. The revocation is committed before the 401 is
    raised, so raising does not undo it (ruling P3).
    """
    claims = call.services.tokens.read_refresh(call.body["refreshToken"])
    pair = _rotated(call, claims)
    if pair is None:
        call.unit.commit()
        raise NotAuthenticated("Invalid refresh token")
    return ok(_tokens(pair))


def get_current_user(call: Call) -> Answer:
    """Return the caller (operation getCurrentUser)."""
    return ok({"user": payloads.auth_user(call.caller)})


def logout_user(call: Call) -> Answer:
    """End the session where the policy says so (operation logoutUser, ruling P2)."""
    if call.session is not None and call.operation.policy.get("revokesSession", False):
        _revoke(call, call.session)
    return Answer({"success": True, "message": "Logged out successfully"})


def logout_everywhere(call: Call) -> Answer:
    """End all sessions of the caller (operation logoutEverywhere, amendment A16)."""
    return _ended(call, Session.revoke_all(call.caller.id))


def change_password(call: Call) -> Answer:
    """Give the caller a new password, and end the other sessions (operation changePassword, amendment A16).

    The row of the user is written first: a login with the old password that comes first is ended with the others.
    """
    user, session = call.caller, call.caller_session
    if user.password_hash is None:
        raise BadRequest("Guests have no password")
    attempt = throttle.begin(call, user.email or "")
    if not call.hash(passwords.verify, call.body["currentPassword"], user.password_hash):
        attempt.failed()
        raise Forbidden(_WRONG)
    attempt.succeeded()
    if not user.replace_password(call.hash(passwords.hash_password, call.body["newPassword"])):
        raise Forbidden(_WRONG)  # it was changed while this one was checked
    now = Session.find(session.id)
    if now is None or now.revoked_at is not None:  # the session has ended meanwhile
        raise NotAuthenticated("Invalid token")
    return _ended(call, Session.revoke_all(user.id, but=session.id))


def _refuse_reserved(call: Call, username: str) -> None:
    """Raise BadRequest for a name that looks like the server's own."""
    if call.services.contract.reserved(username):
        raise BadRequest(_TAKEN["username"])


def _refuse_taken(username: str, email: str) -> None:
    """Raise BadRequest for a taken name or email, before the password is hashed in vain."""
    if User.named(username) is not None:
        raise BadRequest(_TAKEN["username"])
    if User.by_email(email) is not None:
        raise BadRequest(_TAKEN["email_key"])


def _taken(conflict: Taken) -> BadRequest:
    return BadRequest(_TAKEN[conflict.column])


def _signed_in(call: Call, user: User) -> Answer:
    """Open a session; answer with the user and the first pair of tokens."""
    session_id = new_id()
    pair = call.services.tokens.pair(user, session_id)
    Session.add(
        session_id=session_id, user_id=user.id, refresh_jti=pair.refresh_jti, expires_at=pair.refresh_expires_at
    )
    return ok({"user": payloads.auth_user(user), **_tokens(pair)})


def _rotated(call: Call, claims: Claims) -> Pair | None:
    """Return the session's next pair of tokens; None for a token that may not be used.

    A second use of a single-use token ends the session (ruling P3).
    """
    user, session = User.in_session(claims.user_id, claims.session_id) or (None, None)
    if session is None or user is None or session.revoked_at is not None or session.user_id != user.id:
        return None
    pair = call.services.tokens.pair(user, session.id)
    if not call.operation.policy.get("singleUseRefreshToken", False):
        session.extend(refresh_jti=pair.refresh_jti, expires_at=pair.refresh_expires_at)
        return pair
    if session.rotate(used_jti=claims.jti, new_jti=pair.refresh_jti, expires_at=pair.refresh_expires_at):
        return pair
    _revoke(call, session)
    return None


def _ended(call: Call, session_ids: list[str]) -> Answer:
    """Tell the gateway, once it is committed, and the client that sessions have ended."""
    if session_ids:
        call.unit.announce(*map(SessionRevoked, session_ids))
    return ok({"endedSessions": len(session_ids)})


def _tokens(pair: Pair) -> dict[str, str]:
    return {"accessToken": pair.access_token, "refreshToken": pair.refresh_token}


def _revoke(call: Call, session: Session) -> None:
    if session.revoke():
        call.unit.announce(SessionRevoked(session.id))
