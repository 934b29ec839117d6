"""The stages that the gateway's tests play on."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.gateway.stage import Stage, staged


@pytest_asyncio.fixture
async def stage(database_url: str) -> AsyncIterator[Stage]:
    """A hardened gateway, once on SQLite and once on PostgreSQL, whose rate limit is out of the way."""
    async with staged(database_url, WS_RATE_BURST="1000000", WS_RATE_PER_SECOND="1000000") as one:
        yield one


@pytest_asyncio.fixture
async def claims(database_url: str) -> AsyncIterator[Stage]:
    """A documented gateway, where one is who one says."""
    async with staged(database_url, "documented") as one:
        yield one
