"""Users of the target, the rate at which each of them may send frames, and unique names."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Any


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
