"""The table into which the health check writes; it is empty between two checks (amendment A17)."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("CREATE TABLE probes (number BIGINT NOT NULL, content TEXT NOT NULL)")
