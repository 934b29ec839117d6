"""The runner of the numbered scripts in `hype/migrations`, each once per database (`hype migrate`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from hype.database import Database, Unit, proxy

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def migrate(database: Database) -> list[str]:
    """Bring an open database up to date; return the names of the scripts that were applied, in order.

    Either all of them are applied or, if one fails, none. Of two processes that start at once, one applies them; the
    other waits and finds nothing to do.
    """

    def work(unit: Unit) -> list[str]:
        with unit.transaction():
            unit.alone()
            return [str(name) for name in _runner().up()]

    return database.run_now(work, write=True)


def _runner() -> Any:
    return Runner(proxy.obj, str(_SCRIPTS))
