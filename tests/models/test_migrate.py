"""Migrations: once per database, all or nothing, with the models' columns."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from hype import migrations
from hype.database import Conflict, Database
from hype.models import Channel, Message, Server, User, tables
from hype.models.migrate import migrate
from tests.databases import commit, make_channel, make_crowd, make_message

TABLES = [getattr(tables, name) for name in tables.__all__]
ALL = len(list(Path(migrations.__path__[0]).glob("[0-9]*.py")))
"""The number of migrations."""
MIGRATE = """
import sys
from hype.database import Database
from hype.models.migrate import migrate
database = Database(sys.argv[1])
database.open()
print(len(migrate(database)))
database.close()
"""


def test_each_script_runs_once(database_url: str) -> None:
    """A new database gets every script, an up-to-date one none."""
    database = Database(database_url)
    database.open()
    assert migrate(database)[0] == "0001_initial"
    assert migrate(database) == []
    database.close()


def test_one_of_several_processes_migrates(database_url: str) -> None:
    """Several servers that start on an empty database migrate it once, and none fails."""
    command = [sys.executable, "-c", MIGRATE, database_url]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    outputs = [process.communicate(timeout=60)[0].strip() for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0, 0]
    assert sorted(outputs) == ["0", "0", "0", str(ALL)]


def test_ids_are_compared_byte_by_byte(postgres_url: str) -> None:
    """Lists have one order on every database, whatever the language of a PostgreSQL server."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    columns = "SELECT table_name, column_name, collation_name FROM information_schema.columns"
    keys = f"{columns} WHERE table_schema = 'public' AND (column_name = 'id' OR column_name LIKE '%%_id')"
    with database.migrating() as peewee_database:
        collations = {(table, column): collation for table, column, collation in peewee_database.execute_sql(keys)}
    database.close()
    assert ("messages", "channel_id") in collations
    del collations["schema_migration", "id"]  # the runner's own, a number
    assert set(collations.values()) == {"C"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.__name__))
def test_tables_have_the_models_columns(database: Database, table: Any) -> None:
    """Each table has exactly the columns of its model, with the same nullability."""
    with database.migrating() as peewee_database:
        stored = {column.name: column.null for column in peewee_database.get_columns(table._meta.table_name)}
    stored["id"] = False  # SQLite reports a primary key as nullable
    expected = {field.column_name: bool(field.null) for field in table._meta.sorted_fields}
    assert stored == expected


def test_messages_of_an_older_database_are_counted(database_url: str) -> None:
    """A database of the first release gets the number of each channel's messages."""
    database = Database(database_url)
    database.open()
    migrate(database)
    full, empty = commit(database, lambda: (make_channel("anna"), make_channel("bob")))
    commit(database, lambda: [make_message(full) for _ in range(3)])
    with database.migrating() as peewee_database:
        peewee_database.execute_sql("ALTER TABLE channels DROP COLUMN message_count")
        peewee_database.execute_sql("DELETE FROM schema_migration WHERE name = '0002_message_count'")
    assert migrate(database) == ["0002_message_count"]
    counts = commit(database, lambda: [Channel.find(channel.id) for channel in (full, empty)])
    database.close()
    assert [channel.message_count for channel in counts if channel is not None] == [3, 0]


def test_messages_of_an_older_database_keep_their_order(database_url: str) -> None:
    """The messages that a database had before they had ordinals are listed as before, and a new one comes last."""
    database = Database(database_url)
    database.open()
    migrate(database)
    channel = commit(database, make_channel)
    commit(database, lambda: [make_message(channel, text) for text in ("first", "second", "third")])
    with database.migrating() as peewee_database:
        for statement in (
            "DROP INDEX messages_listed",
            "ALTER TABLE messages DROP COLUMN ordinal",
            "ALTER TABLE channels DROP COLUMN last_ordinal",
            "CREATE INDEX messages_listed ON messages (channel_id, created_at, id)",
            "DELETE FROM schema_migration WHERE name = '0003_message_order'",
        ):
            peewee_database.execute_sql(statement)
    assert migrate(database) == ["0003_message_order"]
    commit(database, lambda: make_message(channel, "fourth"))
    page = commit(database, lambda: Message.page(channel.id, limit=100, offset=0))
    database.close()
    assert page is not None
    assert [json.loads(text)["content"] for text in page.texts] == ["fourth", "third", "second", "first"]


def test_users_of_an_older_database_are_counted(database_url: str) -> None:
    """A database from before the total gets the number of its users, and new ones are counted."""
    database = Database(database_url)
    database.open()
    migrate(database)
    commit(database, lambda: make_crowd(3))
    with database.migrating() as peewee_database:
        peewee_database.execute_sql("DROP TABLE totals")
        peewee_database.execute_sql("DELETE FROM schema_migration WHERE name = '0005_totals'")
    assert migrate(database) == ["0005_totals"]
    commit(database, lambda: User.add(username="anna"))
    with pytest.raises(Conflict):
        commit(database, lambda: User.add(username="anna"))
    (part,) = commit(database, lambda: [*User.parts_as_json(1, 0, reader_id=None, emails_hidden=True)])
    database.close()
    assert part.total == 4


def _functions(database: Database) -> set[str]:
    """Return the names of the functions in a PostgreSQL database."""
    known = "SELECT proname FROM pg_proc WHERE proname LIKE 'hype%%'"
    with database.migrating() as peewee_database:
        return {name for (name,) in peewee_database.execute_sql(known)}


def test_costly_queries_are_functions_on_postgresql(postgres_url: str) -> None:
    """PostgreSQL keeps the plans of costly queries in functions. `migrate` creates those that are missing."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    functions = _functions(database)
    assert [name.rpartition("_")[0] for name in sorted(functions)] == [
        "hype_message_added_alone",
        "hype_page_of_messages",
        "hype_tick",
        "hype_tick_for",
        "hype_user_in_session",
        "hype_users",
        "hype_users_without_emails",
    ]
    with database.migrating() as peewee_database:
        lost = min(functions)
        peewee_database.execute_sql(f"DROP FUNCTION {lost}")
        peewee_database.execute_sql(
            "CREATE FUNCTION hype_users_of_another_version() RETURNS int AS 'SELECT 1' LANGUAGE sql"
        )
    migrate(database)
    channel = commit(database, make_channel)
    commit(database, lambda: make_message(channel, "first"))
    page = commit(database, lambda: Message.page(channel.id, limit=1, offset=0))
    found = _functions(database)
    database.close()
    assert found == {*functions, "hype_users_of_another_version"}
    assert page is not None
    assert page.total == 1


def test_a_reference_needs_its_row(database: Database) -> None:
    """A row cannot name a user who does not exist."""
    with pytest.raises((sqlite3.IntegrityError, psycopg2.IntegrityError)):
        commit(database, lambda: Server.add(name="nobody's", owner_id="nobody"))
