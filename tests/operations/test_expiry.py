"""The removal of expired sessions: a clock that leaps logs nobody out (ruling A25)."""

from __future__ import annotations

from dataclasses import replace

from hype.models import Session, User
from hype.models.base import now_ms
from hype.operations.expiry import Expiry
from tests.clocks import HandClock
from tests.operations.backend import Backend

DAY = 86_400
YEARS = 2 * 365 * DAY


class Clocks:
    """A clock that can leap, and the counter beside it."""

    def __init__(self) -> None:
        """Start both."""
        self.clock, self.counter = HandClock(), HandClock()
        self.clock.advance(100 * DAY)
        self.expiry = Expiry(self.clock, self.counter)

    def pass_by(self, seconds: float) -> int | None:
        """Let time pass; return the seconds since the epoch before which sessions may be removed."""
        self.clock.advance(seconds)
        self.counter.advance(seconds)
        before = self.expiry.before_ms()
        return None if before is None else before // 1000


def test_a_clock_is_believed_after_an_hour() -> None:
    """A process removes no session in its first hour; afterwards, those that expired 30 days ago."""
    clocks = Clocks()
    assert clocks.pass_by(0) is None
    assert clocks.pass_by(3599) is None
    assert clocks.pass_by(1) == int(clocks.clock.now) - 30 * DAY


def test_a_leap_of_the_clock_is_not_believed() -> None:
    """Two years ahead for a minute, nothing more is removed, and afterwards neither."""
    clocks = Clocks()
    before = clocks.pass_by(3600)
    assert before is not None
    clocks.clock.advance(YEARS)
    assert clocks.pass_by(30) == before + 30
    assert clocks.pass_by(30) == before + 60
    clocks.clock.advance(-YEARS)
    assert clocks.pass_by(1) == before + 61


def test_a_process_that_starts_during_a_leap_removes_nothing() -> None:
    """A clock that is ahead from the start is not believed before it has shown an hour."""
    clocks = Clocks()
    clocks.clock.advance(YEARS)
    clocks.expiry = Expiry(clocks.clock, clocks.counter)
    assert clocks.pass_by(60) is None
    clocks.clock.advance(-YEARS)
    assert clocks.pass_by(3540) is None
    assert clocks.pass_by(3600) == int(clocks.clock.now) - 30 * DAY


def test_a_clock_that_goes_back_is_believed_at_once() -> None:
    """A corrected clock removes less from then on."""
    clocks = Clocks()
    assert clocks.pass_by(3600) is not None
    clocks.clock.advance(-50 * DAY)
    assert clocks.pass_by(1) == int(clocks.clock.now) - 30 * DAY


def test_a_login_removes_old_sessions_only(hardened: Backend) -> None:
    """A login during a leap keeps everybody's session; one with a clock that is believed removes what is old."""
    clocks = Clocks()
    clocks.clock.now = now_ms() / 1000
    clocks.expiry = Expiry(clocks.clock, clocks.counter)
    hardened.services = replace(hardened.services, expiry=clocks.expiry)
    account = {"username": "anna", "email": "anna@example.com", "password": "mypassword123"}
    hardened.data("registerUser", account)

    def sessions_after_a_login() -> set[str]:
        hardened.data("loginUser", {"email": account["email"], "password": account["password"]})
        find = hardened.services.database.run_now
        return {key for key in ("old", "current") if find(lambda unit, key=key: Session.find(key))}  # type: ignore[misc]

    def store(key: str, expires_at: int) -> None:
        user = User.named("anna")
        assert user is not None
        Session.add(session_id=key, user_id=user.id, refresh_jti="x", expires_at=expires_at)

    hardened.services.database.run_now(lambda unit: store("old", now_ms() - 31 * DAY * 1000))
    hardened.services.database.run_now(lambda unit: store("current", now_ms() + DAY * 1000))
    clocks.clock.advance(YEARS)
    assert sessions_after_a_login() == {"old", "current"}
    clocks.clock.advance(-YEARS)
    assert sessions_after_a_login() == {"old", "current"}
    clocks.pass_by(3600)
    assert sessions_after_a_login() == {"current"}
