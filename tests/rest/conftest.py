"""The server that all tests of this folder share; each test has its own users."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hype_contract.actors.clients.rest import Rest
from hype_contract.actors.world import World
from tests.running import LOG, Running, begin

ORIGIN = "http://localhost:5173"


@pytest.fixture(scope="package")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a hardened server on SQLite; its log must be clean at the end."""
    folder = tmp_path_factory.mktemp("rest")
    environment = {"DATABASE_URL": "sqlite:///hype.db", "CORS_ORIGINS": f"{ORIGIN},https://chat.example"}
    running = Running(begin(folder, environment), folder / LOG, "hardened")
    yield running
    running.leave()


@pytest.fixture
def world(server: Running) -> World:
    """Return the users and channels of one test."""
    return server.world()


@pytest.fixture
def rest(world: World) -> Rest:
    """Return the client that checks every answer against openapi.yaml."""
    return world.rest
