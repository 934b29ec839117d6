"""The number of a channel's messages in its row, so that counting costs the same however many there are."""

from typing import Any


def up(migrator: Any, db: Any) -> None:
    db.execute_sql("ALTER TABLE channels ADD COLUMN message_count BIGINT NOT NULL DEFAULT 0")
    db.execute_sql(
        "UPDATE channels SET message_count = (SELECT count(*) FROM messages WHERE messages.channel_id = channels.id)"
    )
