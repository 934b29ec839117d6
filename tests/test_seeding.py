"""The seed: stored once, as the seed document says, by any number of processes (operation listServers)."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from hype.database import Database
from hype.models import Channel, Server, User
from hype.seeding import seed
from tests.databases import commit

SEED = """
import sys
from hype.database import Database
from hype.seeding import seed
database = Database(sys.argv[1])
database.open()
print(len(seed(database)))
database.close()
"""
STORED = ["default-server", "text-general", "text-random", "voice-general", "voice-gaming"]


def test_the_seed_has_the_default_server(database: Database) -> None:
    """A new database gets the seed document's server, owned by `system`, who is no member and cannot log in."""
    assert seed(database) == STORED
    (server,) = commit(database, Server.listed)
    assert (server.id, server.name) == ("default-server", "Hype Community")
    assert server.description == "Welcome to Hype! This is the default server for all users."
    assert re.fullmatch("c[a-z0-9]{24}", server.owner_id)
    owner = commit(database, lambda: User.find(server.owner_id))
    assert owner is not None
    assert (owner.username, owner.email, owner.password_hash, server.member_count) == ("system", None, None, 0)


def test_the_seed_has_the_default_channels(database: Database) -> None:
    """A new database gets four channels in the seed document's order, with its names, topic and bitrate."""
    seed(database)
    rows = commit(database, Channel.listed)
    assert [(row.id, row.type, row.position, row.bitrate, row.user_limit) for row in rows] == [
        ("text-general", "TEXT", 0, None, None),
        ("text-random", "TEXT", 1, None, None),
        ("voice-general", "VOICE", 2, 64, None),
        ("voice-gaming", "VOICE", 3, 64, None),
    ]
    assert (rows[0].name, rows[0].topic, rows[2].name) == ("general", "General discussion", "General Voice")


def test_seeding_again_changes_nothing(database: Database) -> None:
    """A renamed channel stays renamed, and a deleted one deleted."""
    seed(database)
    general, random, *_ = commit(database, Channel.listed)
    commit(database, lambda: general.change({"name": "lobby"}))
    commit(database, random.remove)
    assert seed(database) == []
    left = commit(database, Channel.listed)
    assert [row.name for row in left] == ["lobby", "General Voice", "Gaming"]


def test_one_of_several_processes_seeds(database: Database, database_url: str) -> None:
    """Exactly one process stores everything, the others find it there, and none fails."""
    command = [sys.executable, "-c", SEED, database_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(outputs) == ["0", "0", "0", "5"]
    assert [user.username for user in commit(database, User.listed)] == ["system"]
    assert len(commit(database, Channel.listed)) == 4


def test_a_seed_that_fails_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed seed is rolled back, because half a seed would never be completed."""
    monkeypatch.setattr(Channel, "add", None)
    with pytest.raises(TypeError):
        seed(database)
    assert commit(database, User.listed) == []
