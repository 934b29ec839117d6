"""The stored presence of users: one task writes it, so that quick changes cannot end with the wrong value (R24)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

__all__ = ["Presence"]

_logger = logging.getLogger(__name__)


class Presence:
    """The writer of presence: for each user whose sockets changed, it stores whether there is a socket now."""

    def __init__(self, connected: Callable[[str], bool], write: Callable[[str, bool], Awaitable[None]]) -> None:
        """Create a writer that does not run yet.

        connected: returns whether the user has a socket now. write: stores that, and may fail.
        """
        self._connected = connected
        self._write = write
        self._changed: dict[str, None] = {}
        self._waking = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start to write; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="gateway presence")

    async def stop(self) -> None:
        """Stop writing; drop the changes that are not stored yet."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def changed(self, user_id: str) -> None:
        """Note that the user's first socket was opened, or that the last one was closed."""
        self._changed[user_id] = None
        self._waking.set()

    async def _run(self) -> None:
        while True:
            await self._waking.wait()
            self._waking.clear()
            while self._changed:
                user_id = next(iter(self._changed))
                del self._changed[user_id]
                await self._store(user_id)

    async def _store(self, user_id: str) -> None:
        try:
            await self._write(user_id, self._connected(user_id))
        except Exception:
            # A failed write must not end the task. The user's next socket corrects the stored presence.
            _logger.exception("presence was not stored", extra={"user": user_id})
