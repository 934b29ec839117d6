"""A clock that a test moves by hand."""

from __future__ import annotations


class HandClock:
    """A clock that moves only when the test moves it: pass the object itself as `clock`."""

    def __init__(self) -> None:
        """Start at a time that is neither zero nor round."""
        self.now = 1234.5

    def __call__(self) -> float:
        """Return the present time in seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Move the time forward."""
        self.now += seconds
