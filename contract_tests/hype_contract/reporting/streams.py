"""The standard streams of the process: they may be closed, full, or unable to encode a character."""

from __future__ import annotations

import errno
import io
import os
import sys


class Lasting(io.TextIOWrapper):
    """A text stream that goes on when its file takes no more, so that the run ends and the other reports are written.

    A character that the encoding lacks is written as an escape. `complaint`: why text was lost, or None.
    """

    complaint: str | None = None

    def __init__(self, stream: io.TextIOWrapper) -> None:
        """Take over the file of `stream`."""
        encoding, buffered = stream.encoding, not stream.line_buffering
        super().__init__(stream.detach(), encoding, "backslashreplace", line_buffering=not buffered)

    def write(self, text: str) -> int:
        """Write, unless an earlier text could not be written."""
        if self.complaint is None:
            try:
                return super().write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write what is still in memory."""
        try:
            super().flush()
        except OSError as error:
            self._lose(error)

    def _lose(self, error: OSError) -> None:
        """Send the rest to the null device: Python tries to write it once more when the process ends."""
        self.complaint = "" if error.errno == errno.EPIPE else error.strerror or str(error)
        os.dup2(os.open(os.devnull, os.O_WRONLY), self.fileno())


def make_lasting() -> None:
    """Let the standard streams of this process take every text."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # the process was started with a closed stream
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends
        elif type(stream) is io.TextIOWrapper:  # and not one of a test
            setattr(sys, name, Lasting(stream))


def complain(text: str) -> None:
    """Write a line to stderr."""
    print(text, file=sys.stderr, flush=True)


def lost() -> str | None:
    """Return why text for stdout was lost; None if it was not, or if its reader has read enough (`| head`)."""
    sys.stdout.flush()
    return (sys.stdout.complaint or None) if isinstance(sys.stdout, Lasting) else None
