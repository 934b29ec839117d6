"""Migrations: once per database, all or nothing, with the models' columns."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import peewee
import pytest

from hype import migrations, models
from hype.database import Database, Unit, proxy
from hype.models.migrate import migrate

TABLES = [models.Channel, models.Message, models.Server, models.ServerMember, models.Session, models.User]
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


def test_one_of_several_threads_migrates(database_url: str) -> None:
    """Several threads that start together migrate once; all but one find nothing to do."""
    database = Database(database_url)
    database.open()
    start = Barrier(8)

    def run(_: int) -> int:
        start.wait()
        return len(migrate(database))

    with ThreadPoolExecutor(start.parties) as threads:
        assert sorted(threads.map(run, range(start.parties))) == [0] * 7 + [ALL]
    database.close()


def test_ids_are_compared_byte_by_byte(postgres_url: str) -> None:
    """Lists have one order on every database, whatever the language of a PostgreSQL server."""
    database = Database(postgres_url)
    database.open()
    migrate(database)
    columns = "SELECT table_name, column_name, collation_name FROM information_schema.columns"
    keys = f"{columns} WHERE table_schema = 'public' AND (column_name = 'id' OR column_name LIKE '%%_id')"

    def read(unit: Unit) -> list[tuple[str, str, str]]:
        with unit.transaction():
            return list(proxy.obj.execute_sql(keys))

    collations = {(table, column): collation for table, column, collation in database.run_now(read, write=False)}
    database.close()
    assert ("messages", "channel_id") in collations
    del collations["schema_migration", "id"]  # the runner's own, a number
    assert set(collations.values()) == {"C"}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: str(table.__name__))
def test_tables_have_the_models_columns(transaction: Unit, table: type[models.User]) -> None:
    """Each table has exactly the columns of its model, with the same nullability."""
    stored = {column.name: column.null for column in proxy.obj.get_columns(table._meta.table_name)}
    stored["id"] = False  # SQLite reports a primary key as nullable
    expected = {field.column_name: bool(field.null) for field in table._meta.sorted_fields}
    assert stored == expected


def test_a_reference_needs_its_row(database: Database) -> None:
    """A row cannot name a user who does not exist."""

    def orphan(unit: Unit) -> None:
        with unit.transaction():
            models.Server.create(name="nobody's", owner="nobody")

    with pytest.raises(peewee.IntegrityError):
        database.run_now(orphan, write=True)
