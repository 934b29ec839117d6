"""The pytest plugin: `pytest --pyargs hype_contract --hype-base-url URL` runs a test per requirement.

pytest loads this module wherever the package is installed. So it imports nothing that is slow or may be missing, and it
collects nothing unless the command names this package and a target. `pytest_items.py` does the rest.
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
_PACKAGE = "hype_contract"
_HERE = Path(__file__).parent
# pytest has this option itself, as --junit-xml.
_LEFT_OUT = ("--junit",)
_SESSION: pytest.StashKey[Session] = pytest.StashKey()


class _Group:
    """An argument group that declares each option of `hype-contract` as an option `--hype-…` of pytest."""

    def __init__(self, group: pytest.OptionGroup) -> None:
        self._group = group

    def add_argument(self, name: str, **attributes: Any) -> None:
        """Declare an option with the attributes that argparse knows."""
        if name in _LEFT_OUT:
            return
        dest = attributes.pop("dest", name.removeprefix("--").replace("-", "_"))
        if name == "--base-url":
            attributes |= {"default": None, "help": "the REST API of the server to judge (default: none is judged)"}
        self._group.addoption(f"--hype-{name.removeprefix('--')}", dest=_PREFIX + dest, **attributes)

    def add_mutually_exclusive_group(self) -> _Group:
        """Return this group, since pytest has no exclusive groups; the last option wins."""
        return self


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of `hype-contract`."""
    title = "hype-contract (pytest --pyargs hype_contract --hype-base-url URL)"
    arguments.declare(lambda _: _Group(parser.getgroup("hype-contract", title)))


def pytest_configure(config: pytest.Config) -> None:
    """Accept the name of a requirement as pytest prints it: `hype_contract::ID`, which names no file."""
    chosen = [argument.partition("::")[2] for argument in config.args if argument.startswith(_PACKAGE + "::")]
    if chosen:
        others = [argument for argument in config.args if argument.partition("::")[0] != _PACKAGE]
        config.args[:] = [*others, _PACKAGE]
        config.option.pyargs = True
        setattr(config.option, f"{_PREFIX}chosen", chosen)


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect this package as requirements, not as test files. Leave every other directory to pytest."""
    if path != _HERE:
        return None
    options = _options(parent.config)
    if options.base_url is None:
        if any(map(_names_package, parent.config.args)):
            raise pytest.UsageError("hype_contract judges a server: name it with --hype-base-url URL")
        return None
    from hype_contract.pytest_items import Requirements

    def keep(session: Session) -> None:
        parent.config.stash[_SESSION] = session

    return Requirements.of(options, path, parent, keep)


def _names_package(argument: str) -> bool:
    return argument in (_PACKAGE, str(_HERE))


def _options(config: pytest.Config) -> Namespace:
    every = vars(config.option).items()
    return Namespace(**{name.removeprefix(_PREFIX): value for name, value in every if name.startswith(_PREFIX)})


def pytest_report_collectionfinish(config: pytest.Config) -> list[str]:
    """Return the line about the target and the seed."""
    session = config.stash.get(_SESSION, None)
    return session.heading() if session else []


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Return a scheduler of pytest-xdist that gives all requirements to one process; None if none is judged.

    Two processes would judge the target twice, and at the same time.
    """
    if _options(config).base_url is None or not any(_names_package(argument) for argument in config.args):
        return None
    from hype_contract.pytest_distribution import OneProcess

    return OneProcess(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Set the duration of a test to the time of its cases, which ran beside those of other tests."""
    report = yield
    seconds: float | None = getattr(item, "hype_seconds", None)
    if seconds is not None:
        report.duration = seconds if report.when == "setup" else 0.0
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the closing lines with the verdict."""
    session = config.stash.get(_SESSION, None)
    for line in session.summary() if session else ():
        terminalreporter.line(line)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Close what the run opened, also after an interrupted run."""
    session = config.stash.get(_SESSION, None)
    if session:
        session.close()
