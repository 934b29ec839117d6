"""The stored presence of users: one greenlet writes it, so that quick changes cannot end with the wrong value (R24)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from hype import greenlets
from hype.errors import Unavailable

__all__ = ["Presence"]

_logger = logging.getLogger(__name__)

_STOP_S = 1.0


class Presence:
    """The writer of presence: for each user whose sockets changed, it stores whether there is a socket now."""

    def __init__(self, connected: Callable[[str], bool], write: Callable[[str, bool], None]) -> None:
        """Create a writer that has nothing to write.

        connected: returns whether the user has a socket now. write: stores that, in a greenlet, and may fail.
        """
        self._connected = connected
        self._write = write
        self._changed: dict[str, None] = {}
        self._writing: asyncio.Handle | asyncio.Future[None] | None = None
        self._stopped = False

    def changed(self, user_id: str) -> None:
        """Note that the user's first socket was opened, or that the last one was closed; needs a running event loop."""
        self._changed[user_id] = None
        if self._writing is None and not self._stopped:
            self._writing = asyncio.get_running_loop().call_soon(self._begin)

    async def stop(self) -> None:
        """Stop writing; drop the changes that are not stored yet. A write that hangs is left alone after a second."""
        self._stopped = True
        writing = self._writing
        if writing is not None:
            writing.cancel()
        if isinstance(writing, asyncio.Future):
            await asyncio.wait([writing], timeout=_STOP_S)

    def _begin(self) -> None:
        self._writing = greenlets.spawn(self._store_all)
        self._writing.add_done_callback(self._end)

    def _end(self, writing: asyncio.Future[None]) -> None:
        self._writing = None
        if self._changed and not self._stopped:
            self._begin()

    def _store_all(self) -> None:
        while self._changed:
            user_id = next(iter(self._changed))
            del self._changed[user_id]
            self._store(user_id)

    def _store(self, user_id: str) -> None:
        try:
            self._write(user_id, self._connected(user_id))
        except Unavailable:
            pass  # the database's own line says so
        except Exception:
            # A failed write must not end the writing. The user's next socket corrects the stored presence.
            _logger.exception("presence was not stored", extra={"user": user_id})
