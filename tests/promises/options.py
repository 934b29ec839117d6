"""The options of the long runs."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add them to `pytest --help`."""
    group = parser.getgroup("fuzz", "generated requests and frames (tests/promises/test_fuzz.py)")
    group.addoption("--fuzz", type=int, default=2000, metavar="N", help="how many (default %(default)s)")
    group.addoption("--fuzz-seed", type=int, default=1, metavar="N", help="another seed makes other ones")
    group.addoption("--fuzz-report", type=Path, metavar="FILE", help="append what was answered, as counts")
