"""Registration, login, guests, tokens and logout (rulings R21 to R24, P2, P3 and P9)."""

from __future__ import annotations

from hype import passwords, payloads
from hype.cluster import SessionRevoked
from hype.database import Conflict as Taken
from hype.errors import BadRequest, NotAuthenticated
from hype.ids import new_id
from hype.models import DEFAULT_SERVER, ServerMember, Session, User
from hype.operations import throttle
from hype.operations.call import Answer, Call, ok
from hype.tokens import Claims, Pair

__all__ = ["get_current_user", "login_guest", "login_user", "logout_user", "refresh_tokens", "register_user"]

_TAKEN = {"username": "Username already taken", "email_key": "Email already taken"}


def register_user(call: Call) -> Answer:
    """Create a user, OFFLINE until login (operation registerUser).

    Of two racing registrations one gets 400.
    """
    username, email = call.body["username"], call.body["email"].strip()
    _refuse_reserved(call, username)
    _refuse_taken(username, email)
    password_hash = call.hash(passwords.hash_password, call.body["password"])
    try:
        user = User.add(username=username, email=email, password_hash=password_hash)
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
    Session.forget_expired()
    return _signed_in(call, user.logged_in())


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


def _tokens(pair: Pair) -> dict[str, str]:
    return {"accessToken": pair.access_token, "refreshToken": pair.refresh_token}


def _revoke(call: Call, session: Session) -> None:
    if session.revoke():
        call.unit.announce(SessionRevoked(session.id))
