"""Transports that no client has connected yet: how long they may stay (ruling R30, amendment A20).

mediasoup-client connects a transport when it first produces or consumes. Somebody who is alone in a channel has a
transport that is not connected, however long that takes. The worker judges a transport once it is connected.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from hype.sfu.signalling.rooms import Transport

__all__ = ["PATIENCE_S", "Waiting"]

PATIENCE_S: Final = 30.0
"""Seconds between two looks at a transport that is not connected."""


class Waiting:
    """One timer per transport that waits for its client. It belongs to the event loop."""

    def __init__(
        self, attends: Callable[[str, str], bool], close: Callable[[Transport], None], patience_s: float = PATIENCE_S
    ) -> None:
        """attends: (user id, channel id) → whether the user is in the channel. close: ends a transport."""
        self._attends = attends
        self._close = close
        self._patience_s = patience_s
        self._timers: dict[str, asyncio.TimerHandle] = {}  # by transport id

    def begin(self, transport: Transport) -> None:
        """Close the transport after `patience_s` seconds, unless it is connected or its user is in the channel."""
        loop = asyncio.get_running_loop()
        self._timers[transport.id] = loop.call_later(self._patience_s, self._look, transport)

    def end(self, transport: Transport) -> None:
        """Wait no more: the transport is connected, or closed."""
        timer = self._timers.pop(transport.id, None)
        if timer is not None:
            timer.cancel()

    def stop(self) -> None:
        """Wait for no transport any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()

    def _look(self, transport: Transport) -> None:
        # `connected` without an `end`: the worker is being asked, and may refuse.
        if transport.connected or self._attends(transport.user_id, transport.channel_id):
            self.begin(transport)
        else:
            self._close(transport)
