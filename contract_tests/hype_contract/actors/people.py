"""Users of the target, those that an ended case no longer needs, the rate of a user's frames, and unique names."""

from __future__ import annotations

import math
import secrets
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

_RESTED_S = 3.0
"""Seconds after which a user has all of the contract's rates again, and the target knows that no socket is open."""

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


class IdleGuests:
    """Guests that an ended case has left as they were. Later cases take them in place of new ones. Thread-safe.

    A guest keeps its name, because the scripts of all cases give one name to one token.
    """

    def __init__(self, lifetime_s: float | None = None, rested_s: float = _RESTED_S) -> None:
        """Have no guest yet.

        lifetime_s: of an access token, in seconds; None for that of the contract. rested_s: the fewest seconds between
        two cases of a guest.
        """
        self._oldest_s = _OLDEST_S if lifetime_s is None else lifetime_s / 3
        self._rested_s = rested_s
        self._idle: defaultdict[str, deque[tuple[float, Guest]]] = defaultdict(deque)
        self._lock = Lock()

    def take(self, label: str) -> Guest | None:
        """Return the guest with this label that was idle for the longest time; None if there is none to take."""
        now = time.monotonic()
        with self._lock:
            idle = self._idle[label]
            for _ in range(len(idle)):
                since, guest = idle[0]
                if now - since < self._rested_s:
                    return None
                idle.popleft()
                if now - guest.made_at <= self._oldest_s:
                    return guest
                self._idle[""].append((since, guest))
        return None

    def give(self, label: str, guest: Guest, *, tired: bool = True) -> None:
        """Take back a guest. The sockets are closed, and the channels are deleted.

        tired: the guest had a socket, or has used much of its rates; otherwise the next case may have it at once.
        """
        with self._lock:
            if tired:
                self._idle[label].append((time.monotonic(), guest))
            else:
                self._idle[label].appendleft((-math.inf, guest))

    def leave(self) -> Iterator[Guest]:
        """Yield each guest that is idle; no case takes one of them any more."""
        with self._lock:
            every = [guest for idle in self._idle.values() for _, guest in idle]
            self._idle.clear()
        yield from every


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
