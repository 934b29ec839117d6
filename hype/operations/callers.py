"""The caller of an operation or a frame: the user that a token, a claim or an earlier identity names (R7, P4, R31)."""

from __future__ import annotations

from dataclasses import dataclass

from hype.errors import NotAuthenticated, NotFound
from hype.models import Session, User
from hype.operations.call import Services

__all__ = ["Identity", "authenticate", "authenticate_again", "identity_of_token", "identity_of_user"]


@dataclass(frozen=True, slots=True)
class Identity:
    """The user that a socket acts for. session_id: None for a claimed identity, which has no session."""

    user_id: str
    username: str
    session_id: str | None


def authenticate(services: Services, token: str | None) -> tuple[User, Session]:
    """Return the user and the session of an access token, read in one statement.

    token: None when there is none, "" for a malformed header. Raises NotAuthenticated with ruling R7's texts: `Not
    authenticated`, `Invalid token`, `Token expired`.
    """
    if not token:
        raise NotAuthenticated("Not authenticated")
    claims = services.tokens.read_access(token)
    user, session = User.in_session(claims.user_id, claims.session_id) or (None, None)
    if user is None or session is None or session.revoked_at is not None or session.user_id != user.id:
        raise NotAuthenticated("Invalid token")
    return user, session


def authenticate_again(user_id: str, session_id: str | None) -> tuple[User, Session | None]:
    """Return the user and the session of an identity that was bound earlier, read in one statement.

    Raises NotAuthenticated `Invalid token` when the user does not exist any more or the session has been revoked.
    """
    user, session = User.in_session(user_id, session_id) or (None, None)
    # A session without a row has expired and was deleted. Expiry does not close an open socket (ruling R31).
    if user is None or (session is not None and session.revoked_at is not None):
        raise NotAuthenticated("Invalid token")
    return user, session


def identity_of_token(services: Services, token: str) -> Identity:
    """Return the identity that an access token proves. Raises NotAuthenticated like `authenticate`."""
    user, session = authenticate(services, token)
    return Identity(user.id, user.username, session.id)


def identity_of_user(user_id: str | None, username: str | None) -> Identity:
    """Return the identity of a user, without a session and without proof (the documented profile's claim, ruling P4).

    The username counts only where there is no user id. Raises NotFound `User not found`.
    """
    user = User.named(username or "") if user_id is None else User.find(user_id)
    if user is None:
        raise NotFound("User not found")
    return Identity(user.id, user.username, None)
