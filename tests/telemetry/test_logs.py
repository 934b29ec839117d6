"""The format of the log."""

from __future__ import annotations

import io
import json
import logging
import sys

from hype.telemetry.logs import JsonLines, OneLine, set_up


def record(message: str, *args: object, **extra: object) -> logging.LogRecord:
    """Return a record as `logging.getLogger("hype.x").warning` makes it."""
    made = logging.makeLogRecord({"name": "hype.x", "msg": message, "args": args, "levelname": "WARNING", **extra})
    made.created = 1_761_215_400.25
    return made


def test_json_lines_carry_message_and_extras() -> None:
    """A log collector finds every member under its name."""
    line = JsonLines().format(record("slow %s", "query", seconds=2))
    assert json.loads(line) == {
        "time": "2025-10-23T10:30:00.250Z",
        "level": "warning",
        "logger": "hype.x",
        "message": "slow query",
        "seconds": 2,
    }


def test_json_stays_one_line_with_a_traceback() -> None:
    """A traceback does not add lines."""
    try:
        raise RuntimeError("went\nwrong")
    except RuntimeError:
        line = JsonLines().format(record("failed", exc_info=sys.exc_info()))
    assert "\n" not in line
    assert json.loads(line)["error"].endswith("\nRuntimeError: went")


def test_text_is_one_readable_line() -> None:
    """A line has time, level, logger, message and extras."""
    assert OneLine().format(record("listening", port=3001)) == "10:30:00.250 WARNING hype.x: listening port=3001"


def test_a_clients_text_cannot_forge_a_line() -> None:
    """Line breaks and escape sequences in a message are escaped."""
    text = OneLine().format(record("bad token %s", "x\n12:00:00 INFO hype: all is well\x1b[2J\u2028"))
    assert len(text.splitlines()) == 1
    assert "\x1b" not in text


def test_set_up_drops_lines_below_the_level() -> None:
    """A line below the level is not written."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = (root.level, list(root.handlers))
    try:
        set_up("warning", json_lines=True, stream=stream)
        logging.getLogger("hype.x").info("quiet")
        logging.getLogger("hype.x").warning("loud")
        set_up("debug", json_lines=True, stream=stream)
        logging.getLogger("hype.x").debug("louder")
        logging.getLogger("peewee").debug("INSERT INTO users VALUES ('anna')")
        logging.getLogger("peewee").warning("no row is 'anna'")
    finally:
        root.setLevel(before[0])
        root.handlers[:] = before[1]
        logging.getLogger("hype").setLevel(logging.NOTSET)
    said = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert said == ["loud", "louder", "no row is '…'"]
