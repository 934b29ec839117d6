"""Runs the numbered scripts of `hype/migrations`, each once per database (`hype migrate`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playhouse.migrations import Runner

from hype.database import Database, Unit, proxy

_SCRIPTS = Path(__file__).parents[1] / "migrations"


def migrate(database: Database) -> list[str]:
    """Bring an open database up to date; the names of the scripts that were applied, in order.

    All of them or, if one fails, none. Of two processes that start at once, one applies them and the other
    waits and finds nothing to do.
    """

    def work(unit: Unit) -> list[str]:
        with unit.transaction():
            unit.alone()
            return [str(name) for name in _runner().up()]

    return database.run_now(work, write=True)


def pending(database: Database) -> list[str]:
    """The names of the scripts that an open database has not seen yet, in order; changes nothing."""

    def work(unit: Unit) -> list[str]:
        with unit.transaction():
            return [script.name for script in _runner().status() if not script.applied]

    return database.run_now(work, write=False)


def _runner() -> Any:
    return Runner(proxy.obj, str(_SCRIPTS))
