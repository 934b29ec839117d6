"""The worker that the tests of media share: one for each file of them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.sfu.worker.rig import Rig, started


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[Rig]:
    """One worker for all of them."""
    async with started() as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def rig(worker: Rig) -> AsyncIterator[Rig]:
    """That worker, with nobody there."""
    yield worker
    await worker.empty()
