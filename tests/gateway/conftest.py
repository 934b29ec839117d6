"""The running gateways of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
import pytest_asyncio

from tests.gateway.running import RunningGateway, run_gateway


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Function
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run the tests of a module with `ON_EACH_LOOP` on uvloop as well, where it is installed."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {"asyncio": asyncio.new_event_loop}
    if getattr(item.module, "ON_EACH_LOOP", False):
        try:
            import uvloop
        except ImportError:
            return factories
        factories["uvloop"] = uvloop.new_event_loop
    return factories


@pytest_asyncio.fixture
async def gateway(database_url: str) -> AsyncIterator[RunningGateway]:
    """Run a hardened gateway without limits, once on SQLite and once on PostgreSQL."""
    async with run_gateway(database_url, HYPE_LIMITS="off") as running:
        yield running


@pytest_asyncio.fixture
async def documented_gateway(database_url: str) -> AsyncIterator[RunningGateway]:
    """Run a gateway in the documented profile, where a claim binds a socket."""
    async with run_gateway(database_url, "documented") as running:
        yield running
