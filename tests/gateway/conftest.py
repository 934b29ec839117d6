"""The running gateways of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway.running import RunningGateway, run_gateway


@pytest_asyncio.fixture
async def gateway(database_url: str) -> AsyncIterator[RunningGateway]:
    """Run a hardened gateway without a rate limit, once on SQLite and once on PostgreSQL."""
    async with run_gateway(database_url, WS_RATE_BURST="1000000", WS_RATE_PER_SECOND="1000000") as running:
        yield running


@pytest_asyncio.fixture
async def documented_gateway(database_url: str) -> AsyncIterator[RunningGateway]:
    """Run a gateway in the documented profile, where a claim binds a socket."""
    async with run_gateway(database_url, "documented") as running:
        yield running
