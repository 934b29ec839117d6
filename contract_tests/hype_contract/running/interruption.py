"""Ctrl+C and SIGTERM: the first ends the run in order, within seconds; the second ends the process at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_NAMES = {signal.SIGINT: "Ctrl+C", signal.SIGTERM: "SIGTERM"}


class Interrupted(KeyboardInterrupt):
    """The run was interrupted from outside; the text says how. `exit_code`: 128 and the number of the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"interrupted by {_NAMES.get(signal.Signals(number), 'a signal')}")
        self.exit_code = 128 + number


@contextmanager
def interruptible() -> Iterator[None]:
    """Raise `Interrupted` in the main thread at the first signal; at the second, end the process without a word."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may handle signals
        yield
        return
    first = True

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal first
        if not first:
            os._exit(128 + number)
        first = False
        raise Interrupted(number)

    before = {number: signal.signal(number, handle) for number in _NAMES}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
