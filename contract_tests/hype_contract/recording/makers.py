"""Which case made which user and which channel: frames about those of another case are none of a case's business."""

from __future__ import annotations

import threading


class Makers:
    """The users and channels of a run, each with the case that made it. Thread-safe."""

    def __init__(self) -> None:
        self._maker: dict[str, object] = {}
        self._lock = threading.Lock()

    def made(self, id: str, maker: object) -> None:
        """Enter that `maker` made the user or the channel with this id."""
        with self._lock:
            self._maker.setdefault(id, maker)

    def take_over(self, id: str, maker: object) -> None:
        """Enter that the user with this id belongs to `maker` from now on, and to no earlier one."""
        with self._lock:
            self._maker[id] = maker

    def of_another(self, id: str, maker: object) -> bool:
        """Return whether another one than `maker` made it; False if it is not known who did."""
        return self._maker.get(id, maker) is not maker
