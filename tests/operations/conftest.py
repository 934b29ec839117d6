"""A world for each profile, on each database."""

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
from tests.operations.world import StillMedia, World


@contextmanager
def made(database_url: str, profile: Profile) -> Iterator[World]:
    """A world on a seeded database, and its end."""
    announced: list[Effect] = []
    database = Database(database_url, announced.extend)
    database.open()
    try:
        migrate(database)
        seed(database)
        config = Config.load({"DATABASE_URL": database_url, "HYPE_PROFILE": profile}, Path("no-such.env"))
        yield World(database, config, announced, profile, StillMedia())
    finally:
        database.close()


@pytest.fixture
def hardened(database_url: str) -> Iterator[World]:
    """The world in profile hardened."""
    with made(database_url, "hardened") as world:
        yield world


@pytest.fixture
def documented(database_url: str) -> Iterator[World]:
    """The world in profile documented."""
    with made(database_url, "documented") as world:
        yield world
