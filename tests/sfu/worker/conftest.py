"""The worker that the tests of a file share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sfu.worker.rig import Rig, started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[Rig]:
    """Yield one worker for all tests of a file."""
    async with started() as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def rig(worker: Rig) -> AsyncIterator[Rig]:
    """Yield that worker, and close every connection at the end."""
    yield worker
    await worker.clear()
