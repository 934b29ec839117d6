"""The option of the long run with garbage."""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add it to `pytest --help`."""
    group = parser.getgroup("media", "garbage for a media worker (tests/sfu/test_garbage.py)")
    group.addoption("--garbage", type=int, default=20_000, metavar="N", help="how many (default %(default)s)")
