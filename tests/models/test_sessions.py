"""Sessions: a refresh token works once, and an ended session stays ended (rulings P2 and P3)."""

from __future__ import annotations

import asyncio

from hype.database import Database, Unit
from hype.models import Session, User
from hype.models.base import now_ms


def _session(expires_at: int = 2**50) -> Session:
    user = User.named("anna") or User.add(username="anna")
    return Session.add(session_id=f"s{expires_at}", user_id=user.id, refresh_jti="first", expires_at=expires_at)


def test_a_refresh_token_is_exchanged_once(transaction: Unit) -> None:
    """The next exchange needs the successor."""
    session = _session()
    assert session.rotate(used_jti="first", new_jti="second", expires_at=2**50)
    assert not session.rotate(used_jti="first", new_jti="third", expires_at=2**50)
    assert session.rotate(used_jti="second", new_jti="third", expires_at=2**51)
    found = Session.find(session.id)
    assert found is not None
    assert (found.refresh_jti, found.expires_at) == ("third", 2**51)


async def test_of_racing_exchanges_one_wins(database: Database) -> None:
    """Exactly one of ten requests with one token gets new tokens."""
    session = await database.run(lambda unit: _session())

    def rotate(number: int) -> bool:
        return session.rotate(used_jti="first", new_jti=f"n{number}", expires_at=2**50)

    results = await asyncio.gather(*(database.run(lambda unit, number=number: rotate(number)) for number in range(10)))  # type: ignore[misc]
    assert sorted(results) == [False] * 9 + [True]


def test_a_revoked_session_stays_revoked(transaction: Unit) -> None:
    """A session is revoked once, and its tokens cannot be exchanged any more."""
    session = _session()
    assert session.revoke()
    assert not session.revoke()
    assert not session.rotate(used_jti="first", new_jti="second", expires_at=2**50)
    found = Session.find(session.id)
    assert found is not None
    assert found.revoked_at is not None


def test_extending_a_session_ends_no_token(transaction: Unit) -> None:
    """The documented profile gives out another refresh token, and the session stays."""
    session = _session(expires_at=5)
    session.extend(refresh_jti="second", expires_at=2**50)
    found = Session.find(session.id)
    assert found is not None
    assert (found.refresh_jti, found.expires_at, found.revoked_at) == ("second", 2**50, None)


def test_expired_sessions_are_deleted(transaction: Unit) -> None:
    """A session whose tokens have expired is deleted; others stay."""
    old, current = _session(now_ms() - 1), _session(now_ms() + 60_000)
    Session.forget_expired(now_ms())
    assert (Session.find(old.id), Session.find(current.id)) == (None, current)
