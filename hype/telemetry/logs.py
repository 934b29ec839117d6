"""Logging for the whole server: lines to read in development, JSON lines in production.

Only this module configures `logging`. Every other module calls `logging.getLogger(__name__)`.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import TextIO

__all__ = ["JsonLines", "OneLine", "set_up"]

_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}


def set_up(level: str, json_lines: bool, stream: TextIO | None = None) -> None:
    """Send everything logged at `level` (a name such as `info`) and above to `stream` (default stderr)."""
    handler = logging.StreamHandler(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines() if json_lines else OneLine())
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}


def _escaped(text: str) -> str:
    # A message may contain a client's text, which must not be able to forge a log line.
    return text.translate({code: f"\\u{code:04x}" for code in (*range(32), 127, 0x85, 0x2028, 0x2029)})


def _utc(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class OneLine(logging.Formatter):
    """A formatter of lines to read.

    A line looks like `12:00:00.123 INFO hype.server: listening port=3001`, with a traceback below it if there is one.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as text, with the members of `extra` as name=value at the end."""
        extras = "".join(f" {name}={value}" for name, value in _extras(record).items())
        line = f"{_utc(record)[11:23]} {record.levelname} {record.name}: "
        line += _escaped(record.getMessage() + extras)
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


class JsonLines(logging.Formatter):
    """A formatter of JSON objects, one a line: time, level, logger, message, members of `extra`, error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        document: dict[str, object] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extras(record),
        }
        if record.exc_info:
            document["error"] = self.formatException(record.exc_info)
        return json.dumps(document, default=str)
