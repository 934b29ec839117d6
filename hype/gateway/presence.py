"""Who is online, told to the database by one task, so that quick comings and goings cannot end wrong (ruling R24)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

__all__ = ["Presence"]

_logger = logging.getLogger(__name__)


class Presence:
    """Writes down, for each user whose sockets came or went, whether they have one when it is their turn."""

    def __init__(self, connected: Callable[[str], bool], write: Callable[[str, bool], Awaitable[None]]) -> None:
        """connected: whether the user has a socket now. write: stores that, and may fail."""
        self._connected = connected
        self._write = write
        self._changed: dict[str, None] = {}
        self._waking = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to write; needs a running event loop."""
        self._task = asyncio.create_task(self._run(), name="gateway presence")

    async def stop(self) -> None:
        """Stop writing; what has not been written yet is forgotten."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def changed(self, user_id: str) -> None:
        """The user's first socket came, or the last one went."""
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
            # Presence is worth less than the task that keeps it: the user's next coming or going sets it right.
            _logger.exception("presence was not stored", extra={"user": user_id})
