"""Many rows at once, and what the database says of the statements that read them."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any, Final

import psycopg2

from hype.database import Database
from hype.models import Channel, Message, User

ROOM: Final = "text-general"
"""The channel that gets the messages."""

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
_BEGAN_MS = 1_700_000_000_000

_USERS = """INSERT INTO users (id, username, display_name, status, is_guest, is_online, created_at, updated_at)
    {numbers} SELECT 'cbench' || n, 'bench-' || n, 'Number ' || n, 'ONLINE', true, false, {began} + n, {began} + n
    FROM numbers"""
_TOTAL = "UPDATE totals SET number = (SELECT count(*) FROM users) WHERE id = 'users'"
_MESSAGES = """INSERT INTO messages (id, content, edited, author_id, channel_id, ordinal, created_at,
        updated_at)
    {numbers} SELECT 'cbench' || n, 'hello world ' || n, false, 'cbench1', '{room}', n, {began} + n, {began} + n
    FROM numbers"""
_CHANNELS = """INSERT INTO channels (id, name, type, position, server_id, created_by_id, last_message_at, message_count,
        created_at, updated_at)
    {numbers} SELECT 'cbench' || n, 'bench-' || n, 'TEXT', 100 + n, 'default-server', 'cbench1', 0, 0, {began} + n,
        {began} + n FROM numbers"""
_COUNTED = """UPDATE channels SET last_message_at = {began} + {last}, last_ordinal = {last}, message_count =
    (SELECT count(*) FROM messages WHERE channel_id = '{room}') WHERE id = '{room}'"""


class Rows:
    """The rows of a database whose server has made its tables. Each kind only grows."""

    def __init__(self, url: str) -> None:
        """Take the URL of the database."""
        self._url = url
        self._counts = {"users": 0, "messages": 0, "channels": 0}

    def fill(self, *, users: int = 0, messages: int = 0, channels: int = 0) -> None:
        """Add what is missing to these numbers of rows, beside the rows of the seed."""
        wanted = {"users": users, "channels": channels, "messages": messages}
        statements = {"users": [_USERS, _TOTAL], "channels": [_CHANNELS], "messages": [_MESSAGES, _COUNTED]}
        for kind, last in wanted.items():
            first = self._counts[kind] + 1
            if last >= first:
                numbers = _NUMBERS.format(first=first, last=last)
                for sql in statements[kind]:
                    self._execute(sql.format(numbers=numbers, began=_BEGAN_MS, room=ROOM, last=last))
                self._counts[kind] = last
        self._execute("ANALYZE")

    def _execute(self, sql: str) -> None:
        if self._url.startswith("sqlite:"):
            with closing(sqlite3.connect(self._url.removeprefix("sqlite:///"), timeout=60)) as file:
                file.execute(sql)
                file.commit()
            return
        with closing(psycopg2.connect(self._url)) as connection:
            connection.cursor().execute(sql)
            connection.commit()


class _Recording(Database):
    """A database that keeps the statements that are read."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.seen: list[tuple[str, Sequence[object]]] = []

    def read(self, sql: str, parameters: Sequence[object]) -> Any:
        """Keep the statement, and do it."""
        self.seen.append((sql, parameters))
        return super().read(sql, parameters)


def explained(url: str) -> dict[str, list[str]]:
    """Return the plan of each statement of the three lists that are measured, by the operation."""
    database = _Recording(url)
    database.open()
    try:
        plans = {}
        for name, work in {
            "listMessages": lambda unit: Message.page(ROOM, 50, 0),
            "listUsers": lambda unit: [*User.parts_as_json(100, 0, reader_id=None, emails_hidden=True)],
            "listChannels": lambda unit: [*Channel.parts(1000, 0)],
        }.items():
            database.seen.clear()
            database.run_now(work)
            plans[name] = [line for sql, values in list(database.seen) for line in _plan(database, sql, values)]
        return plans
    finally:
        database.close()


def _plan(database: _Recording, sql: str, values: Sequence[object]) -> list[str]:
    if database.dialect == "sqlite":
        rows: Any = Database.read(database, "EXPLAIN QUERY PLAN " + sql, values)
    elif (called := re.match(r"SELECT \* FROM (hype_\w+)", sql)) is not None:
        rows = _kept_plan(database, called[1])
    else:
        rows = Database.read(database, "EXPLAIN (ANALYZE, TIMING OFF) " + sql, values)
    return [str(row[-1]) for row in rows]


def _kept_plan(database: _Recording, name: str) -> Any:
    """Return the plan that PostgreSQL keeps of a function's query, with the settings of the function."""
    known = "SELECT prosrc, array_to_string(proconfig, ';SET LOCAL ') FROM pg_proc WHERE proname = %s"
    ((body, settings),) = Database.read(database, known, (name,))
    query = re.sub(r"^BEGIN RETURN QUERY |; END$", "", str(body).strip()).replace("%", "%%")
    statements = f"BEGIN;SET LOCAL {settings};EXPLAIN (GENERIC_PLAN) {query}"
    rows = Database.read(database, statements, ())
    Database.read(database, "ROLLBACK", ())
    return rows
