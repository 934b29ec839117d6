"""The worker that the tests of a file share, and a socket to send from."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
import pytest_asyncio

from hype.sfu.worker.outgoing import Arena, OutgoingSocket
from hype.sfu.worker.stamps import FIELDS
from tests.sfu.worker.keys import GCM
from tests.sfu.worker.receiving import Client
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


@pytest.fixture
def sender() -> Iterator[socket.socket]:
    """Yield a socket of this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        yield udp


@pytest.fixture
def outgoing(sender: socket.socket) -> OutgoingSocket:
    """Return that socket as a worker sends from it."""
    return OutgoingSocket(Arena(FIELDS), sender.fileno(), segmentation=True)


@pytest.fixture
def listen() -> Iterator[Callable[..., Client]]:
    """Yield what makes a client that may be a fan-out's receiver. All close at the end."""
    with ExitStack() as stack:

        def one(number: int = 0, profile: int = GCM, **options: Any) -> Client:
            client = Client(number, profile, **options)
            stack.enter_context(client.socket)
            return client

        yield one


@pytest.fixture
def client(listen: Callable[..., Client]) -> Client:
    """Return one such client."""
    return listen()
