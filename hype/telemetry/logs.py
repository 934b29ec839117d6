"""Logging for the whole server: lines to read in development, JSON lines in production.

Only this module configures `logging`. Every other module calls `logging.getLogger(__name__)`. Other packages log from
`warning` on only: what they say below that shows frames, headers and SQL with its values.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from datetime import UTC, datetime
from typing import Final, TextIO

from hype.telemetry.redaction import redacted, stack, without_secrets
from hype.telemetry.throttle import Throttled

__all__ = ["JsonLines", "OneLine", "set_up"]

_OWN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_HYPE: Final = "hype"
_CLIENTS_FAULTS: Final = ("Invalid HTTP request received.", "Unsupported upgrade request.")  # uvicorn's warnings


def set_up(level: str, json_lines: bool, stream: TextIO | None = None) -> None:
    """Send everything logged at `level` (a name such as `info`) and above to `stream` (default stderr)."""
    handler = Throttled(stream if stream is not None else sys.stderr)
    handler.setFormatter(JsonLines() if json_lines else OneLine())
    own = logging.getLevelNamesMapping()[level.upper()]
    logging.basicConfig(level=max(own, logging.WARNING), handlers=[handler], force=True)
    logging.getLogger(_HYPE).setLevel(own)
    handler.addFilter(_is_ours_to_know)


def _is_ours_to_know(record: logging.LogRecord) -> bool:
    """Return whether a record is about the server: not about a client's mistake, nor about requests cut at the end."""
    if record.name != "uvicorn.error":
        return True
    cut = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut and not str(record.msg).startswith(_CLIENTS_FAULTS)


def _extras(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _OWN_ATTRIBUTES}


def _message(record: logging.LogRecord) -> str:
    """Return the text of a record; what another package quotes is left out of it."""
    text = record.getMessage()
    return text if record.name.partition(".")[0] == _HYPE else redacted(text)


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
        line += without_secrets(_escaped(_message(record) + extras))
        error = record.exc_info[1] if record.exc_info else None
        return line if error is None else f"{line}\n{stack(error)}"


class JsonLines(logging.Formatter):
    """A formatter of JSON objects, one a line: time, level, logger, message, members of `extra`, error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON."""
        document: dict[str, object] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": without_secrets(_message(record)),
            **{name: _member(value) for name, value in _extras(record).items()},
        }
        error = record.exc_info[1] if record.exc_info else None
        if error is not None:
            document["error"] = stack(error)
        return json.dumps(document, default=str)


def _member(value: object) -> object:
    return value if isinstance(value, bool | int | float | None) else without_secrets(str(value))
