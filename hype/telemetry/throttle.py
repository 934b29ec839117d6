"""A log that does not flood: a few lines of a kind each minute, and then the number of those that were left out."""

from __future__ import annotations

import copy
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final, TextIO

from hype.telemetry.redaction import summary

__all__ = ["Throttled"]

_MOST: Final = 10  # lines of a kind in a window
_WINDOW_S: Final = 60.0
_KINDS: Final = 500  # that are remembered at a time
_NUMBERS: Final = re.compile(r"0x[0-9a-fA-F]+|\d+")  # asyncio writes addresses into its messages

_Kind = tuple[str, int, str, str]


class _Window:
    """The lines of a kind since `began`."""

    __slots__ = ("began", "left_out", "record", "written")

    def __init__(self, began: float, record: logging.LogRecord) -> None:
        self.began = began
        self.record = record
        self.written = 0
        self.left_out = 0


class Throttled(logging.StreamHandler[TextIO]):
    """A handler that writes at most ten lines of a kind a minute, with the stack of the first.

    A kind is a logger, a level, a message without its values, and the class and place of an error. `debug` is not
    throttled: it is switched on to see everything.
    """

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """Write to `stream`. clock: returns seconds that never go back."""
        super().__init__(stream)
        self._clock = clock
        self._windows: OrderedDict[_Kind, _Window] = OrderedDict()
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write the record, or count it; first write what was left out of windows that are over."""
        if record.levelno < logging.INFO:
            super().emit(record)
            return
        now = self._clock()
        self._end_windows(now)
        kind = _kind(record)
        window = self._windows.get(kind)
        if window is None:
            window = self._windows[kind] = _Window(now, record)
        if window.written >= _MOST:
            window.left_out += 1
            self._wake(window.began + _WINDOW_S - now)
            return
        window.written += 1
        super().emit(record if window.written == 1 else _without_stack(record))
        if len(self._windows) > _KINDS:
            self._end_window()

    def close(self) -> None:
        """Write what was left out so far."""
        with self.lock or threading.RLock():
            if self._timer is not None:
                self._timer.cancel()
            while self._windows:
                self._end_window()
        super().close()

    def _end_windows(self, now: float) -> None:
        while self._windows and next(iter(self._windows.values())).began + _WINDOW_S <= now:
            self._end_window()

    def _end_window(self) -> None:
        """Forget the oldest window, and say what was left out."""
        _, window = self._windows.popitem(last=False)
        if window.left_out:
            said = copy.copy(window.record)
            said.msg, said.args = "… %s more like this in the last minute: %s", (f"{window.left_out:,}", said.msg)
            said.exc_info = said.exc_text = None
            said.created = time.time()
            super().emit(said)

    def _wake(self, after_s: float) -> None:
        """Look again when the window is over, although nobody logs then."""
        if self._timer is None:
            self._timer = threading.Timer(max(0.0, after_s), self._on_time)
            self._timer.daemon = True
            self._timer.start()

    def _on_time(self) -> None:
        with self.lock or threading.RLock():
            self._timer = None
            now = self._clock()
            self._end_windows(now)
            full = next((each for each in self._windows.values() if each.left_out), None)
            if full is not None:
                self._wake(full.began + _WINDOW_S - now)


def _kind(record: logging.LogRecord) -> _Kind:
    error = record.exc_info[1] if record.exc_info else None
    return record.name, record.levelno, _NUMBERS.sub("#", str(record.msg))[:200], "" if error is None else _place(error)


def _place(error: BaseException) -> str:
    """Return the class of an error, and where it was raised."""
    frame: Any = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    at = "" if frame is None else f"{frame.tb_frame.f_code.co_filename}:{frame.tb_lineno}"
    return f"{type(error).__qualname__} {at}"


def _without_stack(record: logging.LogRecord) -> logging.LogRecord:
    """Return a copy of a record that names its error in the line itself."""
    plain = copy.copy(record)
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        plain.msg, plain.args = "%s (%s)", (record.getMessage(), summary(error))
    plain.exc_info = plain.exc_text = None
    return plain
