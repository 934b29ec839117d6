"""The runner of the numbered scripts in `hype/migrations`, each once per database (`hype migrate`).

It also creates the functions of this version's statements (see `hype.database.statements`).
"""

from __future__ import annotations

from pathlib import Path

from playhouse.migrations import Runner

from hype.database import Database, create_functions

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def migrate(database: Database) -> list[str]:
    """Bring an open database up to date; return the names of the scripts that were applied, in order.

    Either all of them are applied or, if one fails, none. Of two processes that start at once, one applies them; the
    other waits and finds nothing to do.
    """
    with database.migrating() as peewee_database:
        applied = [str(name) for name in Runner(peewee_database, str(_SCRIPTS)).up()]
        if database.dialect == "postgresql":
            create_functions(peewee_database.execute_sql)
        return applied
