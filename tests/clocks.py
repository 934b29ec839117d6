"""A clock that a test moves by hand."""

from __future__ import annotations


class HandClock:
    """Seconds that pass only when told to: pass the object itself as `clock`."""

    def __init__(self) -> None:
        """It starts somewhere that is neither zero nor round."""
        self.now = 1234.5

    def __call__(self) -> float:
        """The present moment."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
