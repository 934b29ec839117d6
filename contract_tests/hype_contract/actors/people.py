"""Users of the target, those that an ended case no longer needs, the rate of a user's frames, and unique names."""

from __future__ import annotations

import math
import secrets
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_TAKES_A_SECOND = 3
"""The guests that the cases of a row take in a second, on a quick machine."""

_ROUGHLY_S = 5.0
"""The step of a rest of more than a second: how much a case uses of a rate may depend on chance."""

_OLDEST_S = 300.0
"""Seconds after which no further case takes a guest, since the guest's token expires (ruling R7)."""


@dataclass
class Person:
    """A user of the target. password, email: None for a guest. user: the object that `/auth/*` answered.

    made_at: when the tokens came, on the monotonic clock.
    """

    name: str
    username: str
    email: str | None
    password: str | None
    user: dict[str, Any]
    token: str
    refresh_token: str
    pace: Pacer
    made_at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])


@dataclass(frozen=True)
class Guest:
    """A guest as the target made it. answer: status and body of `loginGuest`. made_at: on the monotonic clock."""

    person: Person
    answer: tuple[int, bytes]
    made_at: float


@dataclass(frozen=True)
class _Idle:
    """A guest who rests. after: the number of the take by which the rest is over, as a rule."""

    after: int
    rested_at: float
    guest: Guest


class IdleGuests:
    """Guests that an ended case has left as they were. Later cases take them in place of new ones. Thread-safe.

    Which guests have had their rest is counted in guests that were taken meanwhile, and not in seconds: with the same
    seed as many guests are made again, however busy the machine is.
    """

    def __init__(self, lifetime_s: float | None = None) -> None:
        """Have no guest yet. lifetime_s: of an access token, in seconds; None for that of the contract."""
        self._oldest_s = _OLDEST_S if lifetime_s is None else lifetime_s / 3
        self._idle: list[_Idle] = []
        self._old: list[Guest] = []
        self._takes = 0
        self._lock = Lock()

    def take(self) -> tuple[Guest, float] | None:
        """Return the guest who has had the rest for the longest time, and the seconds that are left of it.

        Return None if there is no such guest.
        """
        now = time.monotonic()
        with self._lock:
            self._takes += 1
            self._old += [each.guest for each in self._idle if now - each.guest.made_at > self._oldest_s]
            self._idle = [each for each in self._idle if now - each.guest.made_at <= self._oldest_s]
            first = min(self._idle, key=lambda each: each.after, default=None)
            if first is None or first.after > self._takes:
                return None
            self._idle.remove(first)
            return first.guest, max(0.0, first.rested_at - now)

    def give(self, guest: Guest, rest_s: float = 0.0) -> None:
        """Take back a guest, whose sockets are closed and whose channels are deleted.

        rest_s: the seconds until the guest has all of the contract's rates again.
        """
        roughly_s = rest_s if rest_s <= 1 else math.ceil(rest_s / _ROUGHLY_S) * _ROUGHLY_S
        with self._lock:
            after = self._takes + math.ceil(roughly_s * _TAKES_A_SECOND)
            self._idle.append(_Idle(after, time.monotonic() + rest_s, guest))

    def leave(self) -> list[Guest]:
        """Return each guest that is idle; no case takes one of them any more."""
        with self._lock:
            every = [*self._old, *(each.guest for each in self._idle)]
            self._old, self._idle = [], []
        return every


class Pacer:
    """A token bucket on the client's side, which keeps a user's frames within the contract's rate (ruling R31).

    Thread-safe.
    """

    def __init__(self, burst: float, per_second: float) -> None:
        """Allow `burst` frames at once, then `per_second` frames a second. per_second: 0 means no limit."""
        self._burst = self._left = burst
        self._rate = per_second
        self._at = time.monotonic()
        self._lock = Lock()

    def wait(self) -> None:
        """Wait until one more frame may be sent."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
            self._at = now
            debt = -self._left / self._rate
        if debt > 0:
            time.sleep(debt)  # noqa: TID251 - the purpose is to keep the rate


def unique(prefix: str = "u") -> str:
    """Return a name that this target has never seen: `prefix` (cut to 16 characters) and 48 random bits."""
    return f"{prefix[:16]}-{secrets.token_hex(6)}"
