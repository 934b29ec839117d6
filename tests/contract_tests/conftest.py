"""What the tests of the harness share: the real contract, and a world on a fake server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from contract_tests import contract
from contract_tests.clients.http import connect
from contract_tests.contract import Contract
from contract_tests.people import World
from contract_tests.transcript import Secrets
from tests.contract_tests.fake import Fake, running


@pytest.fixture(scope="session")
def law() -> Contract:
    """The published contract, hardened."""
    return contract.load("hardened")


@pytest.fixture
def fake() -> Iterator[Fake]:
    """A fake server that behaves."""
    with running(Fake()) as server:
        yield server


@pytest.fixture
def world_on(law: Contract) -> Iterator[Callable[[Fake], World]]:
    """Makes the world of a case on a fake server."""
    with ExitStack() as stack:

        def make(fake: Fake) -> World:
            http = stack.enter_context(connect(fake.base_url))
            return World(law, http, fake.ws_url, "0/test", Secrets())

        yield make
