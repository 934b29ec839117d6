"""The backends of the tests: one for each profile, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hype.cluster import Effect
from hype.config import Config
from hype.database import Database
from hype.models.migrate import migrate
from hype.seeding import seed
from hype.spec import Profile
from tests.operations.backend import Backend, FakeMedia


@contextmanager
def open_backend(database_url: str, profile: Profile) -> Iterator[Backend]:
    """Open a backend on a seeded database, and close it."""
    announced: list[Effect] = []
    database = Database(database_url, announced.extend)
    database.open()
    try:
        migrate(database)
        seed(database)
        config = Config.load({"DATABASE_URL": database_url, "HYPE_PROFILE": profile}, Path("no-such.env"))
        backend = Backend(database, config, announced, profile, FakeMedia())
        yield backend
        backend.hashing.shutdown()
    finally:
        database.close()


@pytest.fixture
def hardened(database_url: str) -> Iterator[Backend]:
    """Open a backend in the hardened profile."""
    with open_backend(database_url, "hardened") as backend:
        yield backend


@pytest.fixture
def documented(database_url: str) -> Iterator[Backend]:
    """Open a backend in the documented profile."""
    with open_backend(database_url, "documented") as backend:
        yield backend
