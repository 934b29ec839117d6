"""Sessions: one per login, with the newest refresh token of each."""

from __future__ import annotations

from typing import Self

import peewee

from hype.models.base import Row, now_ms
from hype.models.users import User


class Session(Row):
    """A session, which a login starts. Times in milliseconds since the epoch.

    refresh_jti: the `jti` of its newest refresh token. expires_at: the expiry of that token. revoked_at: the time at
    which logout or a re-used token ended the session, None before.
    """

    user = peewee.ForeignKeyField(User)
    user_id: str
    refresh_jti = peewee.TextField()
    expires_at = peewee.BigIntegerField()
    revoked_at = peewee.BigIntegerField(null=True)

    class Meta:
        table_name = "sessions"

    @classmethod
    def add(cls, *, session_id: str, user: User, refresh_jti: str, expires_at: int) -> Self:
        """Store a new session. session_id: chosen before, because the tokens carry it."""
        return cls.create(id=session_id, user=user, refresh_jti=refresh_jti, expires_at=expires_at)

    def rotate(self, *, used_jti: str, new_jti: str, expires_at: int) -> bool:
        """Exchange the refresh token `used_jti` for `new_jti`, in one step (ruling P3).

        Returns False, and changes nothing, when `used_jti` is not the newest any more or the session is revoked: of two
        requests that present one token at once, one wins.
        """
        model = type(self)
        unused = (model.id == self.id) & (model.refresh_jti == used_jti) & model.revoked_at.is_null()
        return bool(model.update(refresh_jti=new_jti, expires_at=expires_at).where(unused).execute())

    def extend(self, *, refresh_jti: str, expires_at: int) -> None:
        """Store a further refresh token without ending the older ones (documented profile, ruling P3)."""
        model = type(self)
        model.update(refresh_jti=refresh_jti, expires_at=expires_at).where(model.id == self.id).execute()

    def revoke(self) -> bool:
        """End the session's tokens; return False if they were ended before (rulings P2 and P3)."""
        model = type(self)
        live = (model.id == self.id) & model.revoked_at.is_null()
        return bool(model.update(revoked_at=now_ms()).where(live).execute())

    @classmethod
    def forget_expired(cls) -> int:
        """Delete the sessions whose tokens have all expired; return their number."""
        return int(cls.delete().where(cls.expires_at < now_ms()).execute())
