"""The log does not flood, and says what it leaves out."""

from __future__ import annotations

import io
import logging

import pytest

from hype.telemetry.logs import OneLine
from hype.telemetry.throttle import Throttled
from tests.clocks import HandClock


class Log:
    """A logger of its own, with a throttled handler and a clock that the test moves."""

    def __init__(self) -> None:
        """Begin with an empty log."""
        self.clock, self.stream = HandClock(), io.StringIO()
        self.handler = Throttled(self.stream, self.clock)
        self.handler.setFormatter(OneLine())
        self.logger = logging.Logger("hype.x")  # noqa: LOG001 - each test has its own
        self.logger.addHandler(self.handler)

    @property
    def messages(self) -> list[str]:
        """The lines so far, without time, level and logger."""
        return [line.partition(" hype.x: ")[2] or line for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Log:
    """Return a log."""
    return Log()


def test_the_first_lines_of_a_kind_are_written(log: Log) -> None:
    """Ten lines of a kind are written in a minute; the next line after it says how many were left out."""
    for number in range(1244):
        log.logger.warning("no answer to %s", number)
    assert log.messages == [f"no answer to {number}" for number in range(10)]
    log.clock.advance(60)
    log.logger.warning("something else")
    assert log.messages[10:] == ["… 1,234 more like this in the last minute: no answer to %s", "something else"]
    log.logger.warning("no answer to %s", "later")
    assert log.messages[-1] == "no answer to later"


def test_one_kind_does_not_silence_another(log: Log) -> None:
    """Other messages, levels and loggers are kinds of their own; numbers within a message make no new kind."""
    for number in range(20):
        log.logger.warning(f"task 0x{number:x} failed")  # noqa: G004 - as asyncio does
    log.logger.error("task 0x1 failed")
    log.logger.warning("another")
    assert len(log.messages) == 12
    assert log.messages[-2:] == ["task 0x1 failed", "another"]


def test_a_stack_is_written_once(log: Log) -> None:
    """Each failure has its line, and the first of a kind its stack; an error of another place is another kind."""

    def fail(number: int) -> None:
        if number > 4:
            raise RuntimeError("another place")
        raise RuntimeError("one place")

    for number in range(6):
        try:
            fail(number)
        except RuntimeError:
            log.logger.exception("failed")
    text = log.stream.getvalue()
    assert text.count("Traceback") == 2
    assert text.count("failed (RuntimeError: one place)") == 4


def test_what_was_left_out_is_written_at_the_end(log: Log) -> None:
    """A process that ends within the minute still says what it left out."""
    for _ in range(12):
        log.logger.warning("no answer")
    log.handler.close()
    assert log.messages[-1] == "… 2 more like this in the last minute: no answer"


def test_debug_is_not_throttled(log: Log) -> None:
    """The level `debug` shows every line."""
    for _ in range(100):
        log.logger.debug("seen")
    assert log.messages == ["seen"] * 100


def test_the_kinds_are_bounded(log: Log) -> None:
    """Thousands of kinds are all written, and the oldest are forgotten."""
    for number in range(26**3):
        letters = "".join(chr(97 + number // 26**place % 26) for place in range(3))
        log.logger.warning(letters)
    assert len(log.messages) == 26**3
    assert len(vars(log.handler)["_windows"]) <= 500
