"""A fair share of the worker for each connection: deficit round robin over what their datagrams cost.

One datagram can cost a thousand times as much as another: it goes to every receiver of its stream. So a connection has
a turn in each round, which is worth so many packets, and what it sends beyond that waits for the next round. What
cannot even wait is lost, and only for the connection that sent it.

(M. Shreedhar, G. Varghese: Efficient Fair Queuing using Deficit Round Robin, 1995.)
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

__all__ = ["Share", "Turns"]


class Share:
    """The cost that one connection may still cause in this round, and the datagrams that wait for its next turn.

    TURN: the packets sent on that a turn is worth, some milliseconds of work. MOST: the datagrams that wait at most.
    """

    TURN, MOST = 4096, 256
    CHECK = 24  # what a connectivity check costs, in packets sent on: it is signed

    __slots__ = ("left", "waiting")

    def __init__(self) -> None:
        """Begin with a whole turn."""
        self.left = self.TURN
        self.waiting: deque[Callable[[], None]] = deque()

    def spend(self, cost: int) -> None:
        """Take the cost of a datagram off the turn. A datagram may cost more than is left: that is owed."""
        self.left -= cost

    @property
    def is_over(self) -> bool:
        """Whether the next datagram has to wait."""
        return self.left <= 0 or bool(self.waiting)


class Turns:
    """The shares of all connections, and the round that goes on."""

    def __init__(self, schedule: Callable[[], object]) -> None:
        """Begin the first round. schedule: has `serve` called once the loop has read what is there."""
        self.put_off = 0  # datagrams that had to wait
        self.lost = 0  # those of them that had no room to
        self._schedule = schedule
        self._scheduled = False
        self._used: set[Share] = set()
        self._waiting: dict[Share, None] = {}  # the next one first

    def use(self, share: Share) -> None:
        """Take note that a datagram of this connection is handled now."""
        self._used.add(share)

    def wait(self, share: Share, handle: Callable[[], None]) -> None:
        """Have a datagram wait for the connection's next turn, or lose it when too many wait. handle: handles it."""
        self.put_off += 1
        if len(share.waiting) >= share.MOST:
            self.lost += 1
            return
        share.waiting.append(handle)
        self._waiting[share] = None
        self.end_soon()

    def end_soon(self) -> None:
        """Have the round end once the loop has read what is there."""
        if not self._scheduled:
            self._scheduled = True
            self._schedule()

    def begin(self) -> None:
        """Begin a round, unless one goes on whose end is scheduled."""
        if not self._scheduled:
            self._refill()

    def serve(self) -> None:
        """Begin the next round, and handle the datagrams whose turn has come."""
        self._scheduled = False
        self._refill()
        for share in list(self._waiting):
            while share.waiting and share.left > 0:
                share.waiting.popleft()()
            del self._waiting[share]
            if share.waiting:
                self._waiting[share] = None
        if self._waiting:
            self.end_soon()

    def _refill(self) -> None:
        for share in self._used:
            share.left = min(share.TURN, share.left + share.TURN)
        self._used = {share for share in self._used if share.left < share.TURN}
