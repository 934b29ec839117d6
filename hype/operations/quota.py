"""The quota of requests: the rate that an operation's `x-hype-limit` names (amendment A13)."""

from __future__ import annotations

import math
from typing import Final

from hype.addresses import limit_key
from hype.cluster import Cluster, Spent
from hype.errors import TooManyRequests
from hype.limits import Bucket

__all__ = ["Quota"]

_LONGEST_WINDOW_S: Final = 10**6


class Quota:
    """The place of one request under its rate.

    A request takes one token, however often its unit of work is tried.
    """

    __slots__ = ("_bucket", "_cluster", "_spent")

    def __init__(self, cluster: Cluster, bucket: Bucket | None) -> None:
        """Begin a request. bucket: the rate that counts it, None if none does."""
        self._cluster = cluster
        self._bucket = bucket
        self._spent: Spent | None = None

    def take(self, user_id: str | None, address: str) -> None:
        """Count the request for its user or its address. Raises TooManyRequests when that one is over the rate.

        user_id: None for an anonymous caller, who counts as the address.
        """
        bucket = self._bucket
        if bucket is None:
            return
        if self._spent is None:
            who = f"user {user_id}" if bucket.by == "user" and user_id is not None else f"address {limit_key(address)}"
            self._spent = self._cluster.spend(f"{bucket.name} {who}", bucket.per_second, bucket.burst)
        if self._spent.wait_s > 0:
            raise TooManyRequests(retry_after_s=self._spent.wait_s)

    @property
    def headers(self) -> dict[str, str]:
        """The response headers that tell what is left (IETF draft-ietf-httpapi-ratelimit-headers).

        None for a request that was not counted.
        """
        bucket, spent = self._bucket, self._spent
        if bucket is None or spent is None:
            return {}
        window_s = min(math.ceil(bucket.burst / bucket.per_second), _LONGEST_WINDOW_S)
        return {
            "RateLimit-Policy": f'"{bucket.name}";q={bucket.burst};w={window_s}',
            "RateLimit": f'"{bucket.name}";r={spent.left};t={math.ceil(spent.full_s)}',
        }
