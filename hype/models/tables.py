"""The tables, for peewee, which writes the statements on them. `hype/migrations` makes them.

Times are integer milliseconds since the epoch, UTC.
"""

from __future__ import annotations

import peewee

__all__ = ["Channels", "Messages", "ServerMembers", "Servers", "Sessions", "Totals", "Users"]


class _Table(peewee.Model):
    id = peewee.TextField(primary_key=True)
    created_at = peewee.BigIntegerField()


class Users(_Table):
    """People, guests, and `system`, the owner of the seeded server."""

    username = peewee.TextField(unique=True)
    email = peewee.TextField(null=True)
    email_key = peewee.TextField(null=True, unique=True)
    password_hash = peewee.TextField(null=True)
    display_name = peewee.TextField(null=True)
    bio = peewee.TextField(null=True)
    avatar_url = peewee.TextField(null=True)
    custom_status = peewee.TextField(null=True)
    status = peewee.TextField()
    is_guest = peewee.BooleanField()
    is_online = peewee.BooleanField()
    last_seen_at = peewee.BigIntegerField(null=True)
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "users"


class Servers(_Table):
    """Servers (communities)."""

    name = peewee.TextField()
    description = peewee.TextField(null=True)
    icon_url = peewee.TextField(null=True)
    banner_url = peewee.TextField(null=True)
    owner = peewee.ForeignKeyField(Users)
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "servers"


class ServerMembers(_Table):
    """The memberships of users in servers, each since `created_at`."""

    server = peewee.ForeignKeyField(Servers)
    user = peewee.ForeignKeyField(Users)

    class Meta:
        table_name = "server_members"
        indexes = ((("server", "user"), True),)


class Channels(_Table):
    """Channels, with the clock and the number of their messages."""

    name = peewee.TextField()
    type = peewee.TextField()
    topic = peewee.TextField(null=True)
    position = peewee.IntegerField()
    server = peewee.ForeignKeyField(Servers)
    user_limit = peewee.IntegerField(null=True)
    bitrate = peewee.IntegerField(null=True)
    created_by = peewee.ForeignKeyField(Users)
    last_message_at = peewee.BigIntegerField()
    last_ordinal = peewee.BigIntegerField()
    message_count = peewee.BigIntegerField()
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "channels"


class Messages(_Table):
    """Messages of text channels."""

    ordinal = peewee.BigIntegerField()
    content = peewee.TextField()
    edited = peewee.BooleanField()
    author = peewee.ForeignKeyField(Users)
    channel = peewee.ForeignKeyField(Channels, on_delete="CASCADE")
    updated_at = peewee.BigIntegerField()

    class Meta:
        table_name = "messages"
        indexes = ((("channel", "ordinal"), False),)


class Sessions(_Table):
    """Sessions, one per login."""

    user = peewee.ForeignKeyField(Users)
    refresh_jti = peewee.TextField()
    expires_at = peewee.BigIntegerField()
    revoked_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "sessions"


class Totals(peewee.Model):
    """Numbers of rows, which would take long to count. id: the table's name."""

    id = peewee.TextField(primary_key=True)
    number = peewee.BigIntegerField()

    class Meta:
        table_name = "totals"
