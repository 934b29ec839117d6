"""Users: people, guests, and `system`, the owner of the seeded server."""

from __future__ import annotations

from typing import Self

import peewee

from hype.database import telling_conflicts
from hype.models.base import LARGEST_OFFSET, Editable, now_ms, storable


class User(Editable):
    """A user.

    email: as typed; email_key: the form of it that is unique; both None for guests and `system`. status: ONLINE, IDLE,
    DND or OFFLINE. password_hash: see `hype.passwords`, None for a user who cannot log in. last_seen_at: milliseconds
    since the epoch.
    """

    username = peewee.TextField(unique=True)
    email = peewee.TextField(null=True)
    email_key = peewee.TextField(null=True, unique=True)
    password_hash = peewee.TextField(null=True)
    display_name = peewee.TextField(null=True)
    bio = peewee.TextField(null=True)
    avatar_url = peewee.TextField(null=True)
    custom_status = peewee.TextField(null=True)
    status = peewee.TextField(default="OFFLINE")
    is_guest = peewee.BooleanField(default=False)
    is_online = peewee.BooleanField(default=False)
    last_seen_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "users"

    @classmethod
    def named(cls, username: str) -> Self | None:
        """Return the user of exactly this name; names differ by case (ruling R21)."""
        return cls.get_or_none(cls.username == username) if storable(username) else None

    @classmethod
    def by_email(cls, email: str) -> Self | None:
        """Return the user of this address, however it is spelt (see `email_key`)."""
        return cls.get_or_none(cls.email_key == email_key(email)) if storable(email) else None

    @classmethod
    def listed(cls, limit: int | None = None, offset: int = 0) -> list[Self]:
        """Return users by creation, oldest first; all of them without `limit` (ruling R16)."""
        query = cls.select().order_by(cls.created_at, cls.id).offset(min(offset, LARGEST_OFFSET))
        return list(query if limit is None else query.limit(limit))

    @classmethod
    def add(
        cls,
        *,
        username: str,
        email: str | None = None,
        password_hash: str | None = None,
        is_guest: bool = False,
        online: bool = False,
    ) -> Self:
        """Store a new user; keep `email` as given.

        online: status ONLINE, is_online, and seen now. Raises hype.database.Conflict with column `username` or
        `email_key` when that is taken; the transaction can go on after it.
        """
        now = now_ms()
        with telling_conflicts():
            return cls.create(
                username=username,
                email=email,
                email_key=None if email is None else email_key(email),
                password_hash=password_hash,
                is_guest=is_guest,
                status="ONLINE" if online else "OFFLINE",
                is_online=online,
                last_seen_at=now if online else None,
                created_at=now,
            )

    def logged_in(self) -> Self:
        """Store a login: status ONLINE, is_online, and seen now (operation loginUser, ruling R22)."""
        return self.change({"status": "ONLINE", "is_online": True, "last_seen_at": now_ms()})

    @classmethod
    def set_online(cls, user_id: str, online: bool) -> None:
        """Store that the user's first socket was opened, or that the last one was closed, and when (ruling R24).

        This is presence, not the profile: `status` and `updated_at` stay. For an unknown user it does nothing.
        """
        seen = {} if online else {"last_seen_at": now_ms()}
        cls.update(is_online=online, **seen).where(cls.id == user_id).execute()

    @classmethod
    def set_everyone_offline(cls) -> None:
        """Store that no socket is open, which a killed process could not (ruling R24)."""
        cls.update(is_online=False).where(cls.is_online).execute()


def email_key(email: str) -> str:
    """Return the form that all spellings of one address share: trimmed, without regard to case (ruling R21)."""
    return email.strip().casefold()
