"""Who is asking: by access token, or by the documented profile's claim (rulings R7, P4 and R31)."""

from __future__ import annotations

from dataclasses import dataclass

from hype.database import Unit
from hype.errors import NotAuthenticated, NotFound
from hype.models import Session, User
from hype.operations.call import Services

__all__ = ["Identity", "authenticate", "claim", "present", "still_there"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a socket acts for. session_id is None for a claimed identity, which has no session."""

    user_id: str
    username: str
    session_id: str | None


def authenticate(services: Services, token: str | None) -> tuple[User, Session]:
    """The user and session of an access token; call it inside a transaction. token: "" for a malformed header.

    Raises NotAuthenticated with ruling R7's texts: `Not authenticated`, `Invalid token`, `Token expired`.
    """
    if not token:
        raise NotAuthenticated("Not authenticated")
    claims = services.tokens.read_access(token)
    session = Session.find(claims.session_id)
    user = User.find(claims.user_id)
    if user is None or session is None or session.revoked_at is not None or session.user_id != user.id:
        raise NotAuthenticated("Invalid token")
    return user, session


def still_there(user_id: str, session_id: str | None) -> tuple[User, Session | None]:
    """The rows behind an identity bound earlier; call it inside a transaction.

    Raises NotAuthenticated `Invalid token` when the user is gone or the session has been revoked.
    """
    user = User.find(user_id)
    session = None if session_id is None else Session.find(session_id)
    # A session whose row is gone ran out long ago, and running out does not end a socket (ruling R31).
    if user is None or (session is not None and session.revoked_at is not None):
        raise NotAuthenticated("Invalid token")
    return user, session


def present(unit: Unit, services: Services, token: str | None) -> Identity:
    """The gateway's way to `authenticate`: opens the transaction itself and returns plain values."""
    with unit.transaction():
        user, session = authenticate(services, token)
        return Identity(user.id, user.username, session.id)


def claim(unit: Unit, user_id: str | None, username: str | None) -> Identity:
    """The identity that a frame claims without proof, which only the documented profile allows.

    The id decides; a username counts when there is no id. Raises NotFound `User not found`.
    """
    with unit.transaction():
        user = User.named(username or "") if user_id is None else User.find(user_id)
        if user is None:
            raise NotFound("User not found")
        return Identity(user.id, user.username, None)
