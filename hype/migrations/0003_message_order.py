"""The place of a message in its channel, so that the order does not depend on the clock (ruling A25)."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("ALTER TABLE messages ADD COLUMN ordinal BIGINT NOT NULL DEFAULT 0")
    db.execute_sql("ALTER TABLE channels ADD COLUMN last_ordinal BIGINT NOT NULL DEFAULT 0")
    # Until now the time was the order: unique in its channel, and rising.
    db.execute_sql("UPDATE messages SET ordinal = created_at")
    db.execute_sql("UPDATE channels SET last_ordinal = last_message_at")
    db.execute_sql("DROP INDEX messages_listed")
    db.execute_sql("CREATE INDEX messages_listed ON messages (channel_id, ordinal)")
