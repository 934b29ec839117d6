"""The databases of the fault matrix."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from tests.promises.faults.cluster import Cluster, cluster


@pytest.fixture(scope="module")
def own_cluster() -> Iterator[Cluster]:
    """Run a PostgreSQL server for one module, whose tests break it and mend it again."""
    with cluster() as own:
        yield own


@pytest.fixture
def own_database(own_cluster: Cluster) -> str:
    """Return the name of an empty database whose owner is `hype`, no superuser."""
    name = f"hype_{uuid.uuid4().hex}"
    own_cluster.do("DO $$ BEGIN CREATE ROLE hype LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$")
    own_cluster.do("ALTER ROLE hype CONNECTION LIMIT -1")
    own_cluster.do(f"CREATE DATABASE {name} OWNER hype")
    return name
