"""The tables of the first release.

Only the specs state lengths and forms. Unique rules stand here, so that of two racing writers one loses;
`hype.database` reads the column from the name `<table>_<column>_key`.
"""

from typing import Any

# Both databases order ids and compare names byte by byte. Without COLLATE, PostgreSQL follows a language.
TABLES = """
CREATE TABLE users (
    id {text} PRIMARY KEY,
    username {text} NOT NULL,
    email TEXT,
    email_key {text},
    password_hash TEXT,
    display_name TEXT,
    bio TEXT,
    avatar_url TEXT,
    custom_status TEXT,
    status TEXT NOT NULL,
    is_guest BOOLEAN NOT NULL,
    is_online BOOLEAN NOT NULL,
    last_seen_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CONSTRAINT users_username_key UNIQUE (username),
    CONSTRAINT users_email_key_key UNIQUE (email_key)
);
CREATE INDEX users_listed ON users (created_at, id);

CREATE TABLE servers (
    id {text} PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    icon_url TEXT,
    banner_url TEXT,
    owner_id {text} NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE server_members (
    id {text} PRIMARY KEY,
    server_id {text} NOT NULL REFERENCES servers (id),
    user_id {text} NOT NULL REFERENCES users (id),
    created_at BIGINT NOT NULL,
    CONSTRAINT server_members_server_id_user_id_key UNIQUE (server_id, user_id)
);
CREATE INDEX server_members_of_user ON server_members (user_id);

CREATE TABLE channels (
    id {text} PRIMARY KEY,
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    topic TEXT,
    position INTEGER NOT NULL,
    server_id {text} NOT NULL REFERENCES servers (id),
    user_limit INTEGER,
    bitrate INTEGER,
    created_by_id {text} NOT NULL REFERENCES users (id),
    last_message_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX channels_listed ON channels (server_id, position, created_at, id);

CREATE TABLE messages (
    id {text} PRIMARY KEY,
    content TEXT NOT NULL,
    edited BOOLEAN NOT NULL,
    author_id {text} NOT NULL REFERENCES users (id),
    channel_id {text} NOT NULL REFERENCES channels (id) ON DELETE CASCADE,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX messages_listed ON messages (channel_id, created_at, id);

CREATE TABLE sessions (
    id {text} PRIMARY KEY,
    user_id {text} NOT NULL REFERENCES users (id),
    refresh_jti {text} NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_expiring ON sessions (expires_at);
"""


def up(migrator: Any, db: Any) -> None:
    text = "TEXT" if "Sqlite" in type(migrator).__name__ else 'TEXT COLLATE "C"'
    for statement in TABLES.format(text=text).split(";"):
        if statement.strip():
            db.execute_sql(statement)
