"""Who is asking: by access token, or by the documented profile's claim (rulings R7, P4 and R31)."""

from __future__ import annotations

from dataclasses import dataclass

from hype.database import Unit
from hype.models import Session, User
from hype.operations import Services

__all__ = ["Identity", "authenticate", "claim", "present"]


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom a socket acts for. session_id is None for a claimed identity, which has no session."""

    user_id: str
    username: str
    session_id: str | None


def authenticate(services: Services, token: str | None) -> tuple[User, Session]:
    """The user and session of an access token; call it inside a transaction.

    Raises NotAuthenticated with ruling R7's texts: `Not authenticated`, `Invalid token`, `Token expired`.
    """
    raise NotImplementedError


def present(unit: Unit, services: Services, token: str | None) -> Identity:
    """The gateway's way to `authenticate`: opens the transaction itself and returns plain values."""
    raise NotImplementedError


def claim(unit: Unit, user_id: str | None, username: str | None) -> Identity:
    """The identity that a frame claims without proof, which only the documented profile allows.

    The id decides; a username counts when there is no id. Raises NotFound `User not found`.
    """
    raise NotImplementedError
