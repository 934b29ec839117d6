"""The cluster of one process: all its state is in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from hype.cluster import Effect, Spent, Subscriber
from hype.cluster.limits import LocalFailedLogins, TokenBuckets
from hype.cluster.voice import LocalVoiceRegistry

__all__ = ["LocalCluster"]


class LocalCluster:
    """A `hype.cluster.Cluster` of one process."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Start without subscribers. clock: returns seconds that never go back."""
        self.voice = LocalVoiceRegistry()
        self.failed_logins = LocalFailedLogins(clock)
        self._buckets = TokenBuckets(clock)
        self._subscribers: list[Subscriber] = []

    def publish(self, effects: Sequence[Effect]) -> None:
        """Hand committed effects to every subscriber, in order."""
        for subscriber in self._subscribers:
            subscriber(effects)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Call `subscriber` with everything that is published from now on."""
        self._subscribers.append(subscriber)

    def take(self, key: str, rate: float, burst: int) -> bool:
        """Take one token of the bucket `key`; return False when it is empty."""
        return self._buckets.take(key, rate, burst)

    def spend(self, key: str, rate: float, burst: int) -> Spent:
        """Do what `take` does; return what is left of the bucket."""
        return self._buckets.spend(key, rate, burst)
