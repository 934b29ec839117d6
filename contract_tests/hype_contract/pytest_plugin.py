"""`pytest --pyargs hype_contract --hype-base-url URL`: a test for each requirement.

pytest loads this wherever the package is installed, so it imports nothing that takes time or may be missing, and does
nothing unless it is told of a target *and* this package is what pytest is to collect. `pytest_items.py` does the rest.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hype_contract.command import arguments

if TYPE_CHECKING:
    from hype_contract.pytest_items import Session

_PREFIX = "hype_"
_HERE = Path(__file__).parent
_OF_PYTEST = ("--junit",)
"""Options that pytest has itself."""
_SESSION: pytest.StashKey[Session] = pytest.StashKey()


class _Group:
    """Declares an option of `hype-contract` as one of pytest, with `--hype-` before its name."""

    def __init__(self, group: pytest.OptionGroup) -> None:
        self._group = group

    def add_argument(self, name: str, **attributes: Any) -> None:
        """As argparse has it."""
        if name in _OF_PYTEST:
            return
        dest = attributes.pop("dest", name.removeprefix("--").replace("-", "_"))
        if name == "--base-url":
            attributes |= {"default": None, "help": "the REST API of the server to judge (default: none is judged)"}
        self._group.addoption(f"--hype-{name.removeprefix('--')}", dest=_PREFIX + dest, **attributes)

    def add_mutually_exclusive_group(self) -> _Group:
        """pytest has none; the last one wins."""
        return self


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of `hype-contract`."""
    title = "hype-contract (pytest --pyargs hype_contract --hype-base-url URL)"
    arguments.declare(lambda _: _Group(parser.getgroup("hype-contract", title)))


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Instead of files that look like tests, this package holds requirements."""
    if path != _HERE:
        return None
    options = _options(parent.config)
    if options.base_url is None:
        if "hype_contract" in parent.config.args:
            raise pytest.UsageError("hype_contract judges a server: say which one with --hype-base-url URL")
        return None
    from hype_contract.pytest_items import Requirements

    def keep(session: Session) -> None:
        parent.config.stash[_SESSION] = session

    return Requirements.of(options, path, parent, keep)


def _options(config: pytest.Config) -> Namespace:
    every = vars(config.option).items()
    return Namespace(**{name.removeprefix(_PREFIX): value for name, value in every if name.startswith(_PREFIX)})


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """What is judged, and by which seed."""
    session = config.stash.get(_SESSION, None)
    return session.heading() if session else []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test took as long as its cases, which ran beside those of others."""
    report = yield
    seconds: float | None = getattr(item, "hype_seconds", None)
    if seconds is not None:
        report.duration = seconds if report.when == "setup" else 0.0
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The verdict in words."""
    session = config.stash.get(_SESSION, None)
    for line in session.summary() if session else ():
        terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """What the run opened is closed, also when it was broken off."""
    session = config.stash.get(_SESSION, None)
    if session:
        session.close()
