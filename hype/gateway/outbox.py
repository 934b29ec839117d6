"""The queue of frames to one socket: bounded, so that a client that does not read costs a known amount."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

__all__ = ["End", "Outbox"]


@dataclass(frozen=True, slots=True)
class End:
    """The last item of an outbox: close with this code."""

    code: int
    reason: str


class Outbox:
    """A queue of frames with one reader. It holds at most `max_bytes` (ruling R32, `maxQueueBytes`)."""

    def __init__(self, max_bytes: int) -> None:
        """Start empty."""
        self._max_bytes = max_bytes
        self._bytes = 0
        self._frames: deque[bytes] = deque()
        self._end: End | None = None
        self._filled = asyncio.Event()

    def put(self, frame: bytes) -> bool:
        """Add a frame; return False, and add nothing, when it does not fit. After `end` frames are dropped."""
        if self._end is not None:
            return True
        if self._bytes + len(frame) > self._max_bytes:
            return False
        self._frames.append(frame)
        self._bytes += len(frame)
        self._filled.set()
        return True

    def end(self, end: End, *, flush: bool = True) -> None:
        """Take no more frames. The first end counts.

        flush: True sends the queued frames first, False drops them.
        """
        if self._end is None:
            self._end = end
            self._filled.set()
            if not flush:
                self._frames.clear()

    async def get(self) -> bytes | End:
        """Return the next frame, or the end when no frame is left."""
        while not self._frames:
            if self._end is not None:
                return self._end
            self._filled.clear()
            await self._filled.wait()
        frame = self._frames.popleft()
        self._bytes -= len(frame)
        return frame
