"""Fixtures of the harness's tests: the real contract, and a world on a fake server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from hype_contract.actors.clients.http import connect
from hype_contract.actors.world import World
from hype_contract.contract import specs
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from tests.hype_contract.fake import Fake, running


@pytest.fixture(scope="session")
def contract() -> Contract:
    """Return the published contract of the hardened profile."""
    return specs.load("hardened")


@pytest.fixture
def fake() -> Iterator[Fake]:
    """Yield a fake server that keeps the contract."""
    with running(Fake()) as server:
        yield server


@pytest.fixture
def world_on(contract: Contract) -> Iterator[Callable[[Fake], World]]:
    """Yield a function that makes the world of a case on a fake server."""
    with ExitStack() as stack:

        def make(fake: Fake) -> World:
            http = stack.enter_context(connect(fake.base_url))
            return World(contract, http, fake.ws_url, "0/test", Secrets())

        yield make
