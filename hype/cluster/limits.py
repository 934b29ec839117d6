"""The limits of one process: token buckets and failed logins. What they remember is bounded."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final, TypeVar

from hype.cluster import Limit, Spent

__all__ = ["LocalFailedLogins", "TokenBuckets"]

_SWEEP_AT = 1024
_MOST_KEYS: Final = 200_000
"""The keys that are remembered. Beyond them the oldest are forgotten: a client under one of them begins anew."""

_MOST_KNOWN: Final = 50_000
_MOST_DOUBLINGS: Final = 20

V = TypeVar("V")


class TokenBuckets:
    """Token buckets by key (ruling R31). A full bucket and an absent one are the same."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without buckets. clock: returns seconds that never go back."""
        self._clock = clock
        self._full_at: dict[str, float] = {}
        self._sweep_at = _SWEEP_AT

    def take(self, key: str, rate: float, burst: int) -> bool:
        """Take one token of a bucket that gains `rate` a second up to `burst`; return False when it is empty."""
        return self.spend(key, rate, burst).wait_s == 0

    def spend(self, key: str, rate: float, burst: int) -> Spent:
        """Do what `take` does; return what is left, and the seconds until the next token.

        A bucket is stored as the moment at which it will be full again. Taking a token moves that moment 1/rate seconds
        away; it is never further away than burst/rate seconds.
        """
        now = self._clock()
        full_at = max(now, self._full_at.get(key, now)) + 1 / rate
        # The tolerance of a billionth: rounding must not lose a token that is due exactly now.
        if full_at - now > burst / rate + 1e-9:
            return Spent(0, full_at - now - burst / rate, full_at - now - 1 / rate)
        self._full_at[key] = full_at
        self._sweep(now)
        return Spent(math.floor(burst - (full_at - now) * rate + 1e-9), 0.0, full_at - now)

    def _sweep(self, now: float) -> None:
        if len(self._full_at) < self._sweep_at:
            return
        self._full_at = _newest({key: at for key, at in self._full_at.items() if at > now}, _MOST_KEYS)
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._full_at))


class LocalFailedLogins:
    """A `hype.cluster.FailedLogins` that has, per key, the moments at which its failures stop counting."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without failures. clock: returns seconds that never go back."""
        self._clock = clock
        self._until: dict[str, deque[float]] = {}
        self._known: dict[tuple[str, str], None] = {}  # the one that was noted last is last
        self._sweep_at = _SWEEP_AT

    def blocked_s(self, limits: Sequence[Limit]) -> float:
        """Return the seconds until all `limits` have room; 0.0 when they have room now."""
        return self._blocked_s(limits, self._clock())

    def record(self, limits: Sequence[Limit]) -> float:
        """Count one failure and return 0.0 if all `limits` have room; otherwise return what `blocked_s` does."""
        now = self._clock()
        blocked_s = self._blocked_s(limits, now)
        if blocked_s > 0:
            return blocked_s
        for limit in limits:
            self._until.setdefault(limit.key, deque()).append(now + limit.window_s)
        self._sweep(now)
        return 0.0

    def note_success(self, account: str, address: str) -> None:
        """Remember that a user has logged in from an address."""
        self._known.pop((account, address), None)
        self._known[account, address] = None
        if len(self._known) > _MOST_KNOWN:
            self._known.pop(next(iter(self._known)))

    def knows(self, account: str, address: str) -> bool:
        """Return whether a user has logged in from an address before, as far as is remembered."""
        return (account, address) in self._known

    def _blocked_s(self, limits: Sequence[Limit], now: float) -> float:
        return max((self._wait_s(limit, now) for limit in limits), default=0.0)

    def _wait_s(self, limit: Limit, now: float) -> float:
        until = self._until.get(limit.key)
        if until is None:
            return 0.0
        while until and until[0] <= now:
            until.popleft()
        if len(until) < limit.most:
            return 0.0
        if limit.delay_s is None:
            return until[-limit.most] - now
        last = until[-1] - limit.window_s
        doublings = min(len(until) - limit.most, _MOST_DOUBLINGS)
        delay_s = min(limit.delay_s * (1 << doublings), limit.longest_delay_s)
        return max(0.0, last + delay_s - now)

    def _sweep(self, now: float) -> None:
        if len(self._until) < self._sweep_at:
            return
        left = {key: until for key, until in self._until.items() if until and until[-1] > now}
        self._until = _newest(left, _MOST_KEYS)
        self._sweep_at = max(_SWEEP_AT, 2 * len(self._until))


def _newest(entries: dict[str, V], most: int) -> dict[str, V]:
    """Return the `most` entries that were made last."""
    return entries if len(entries) <= most else dict(islice(entries.items(), len(entries) - most, None))
