"""The time that a transport may stay without a client that connects it (ruling R30, amendment A20).

mediasoup-client connects a transport when it first produces or consumes. So a user who is alone in a channel has a
transport that is not connected, however long that takes. The worker closes transports that were connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hype.sfu.signalling.rooms import Transport

__all__ = ["CHECK_INTERVAL_S", "UnconnectedTransports"]

CHECK_INTERVAL_S: Final = 30.0
"""Seconds between two checks of a transport that is not connected."""


class UnconnectedTransports:
    """The timers of the transports that no client has connected. It belongs to the event loop."""

    def __init__(
        self,
        attends: Callable[[str, str], bool],
        close: Callable[[Transport], None],
        interval_s: float = CHECK_INTERVAL_S,
    ) -> None:
        """Begin without timers.

        attends: (user id, channel id) → whether the user is in the channel. close: closes a transport.
        interval_s: seconds between two checks of a transport.
        """
        self._attends = attends
        self._close = close
        self._interval_s = interval_s
        self._timers: dict[str, asyncio.TimerHandle] = {}  # by transport id

    def add(self, transport: Transport) -> None:
        """Close the transport after the interval, unless it is connected or its user is in the channel."""
        loop = asyncio.get_running_loop()
        self._timers[transport.id] = loop.call_later(self._interval_s, self._check, transport)

    def remove(self, transport: Transport) -> None:
        """Check the transport no more: it is connected, or closed."""
        timer = self._timers.pop(transport.id, None)
        if timer is not None:
            timer.cancel()

    def clear(self) -> None:
        """Check no transport any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _check(self, transport: Transport) -> None:
        # A transport is `connected` and has a timer while the worker is asked to connect it, which it may refuse.
        if transport.connected or self._attends(transport.user_id, transport.channel_id):
            self.add(transport)
        else:
            self._close(transport)
