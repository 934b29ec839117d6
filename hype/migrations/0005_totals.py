"""The number of users in a row of its own, so that a list says its total at the same cost however many there are."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    text = "TEXT" if "Sqlite" in type(migrator).__name__ else 'TEXT COLLATE "C"'
    db.execute_sql(f"CREATE TABLE totals (id {text} PRIMARY KEY, number BIGINT NOT NULL)")
    db.execute_sql("INSERT INTO totals (id, number) SELECT 'users', count(*) FROM users")
