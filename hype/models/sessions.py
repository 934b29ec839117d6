"""Sessions: one per login, with the newest refresh token of each."""

from __future__ import annotations

from typing import NamedTuple

from hype.database import Statement, execute, given
from hype.models.base import columns, insertion, now_ms, possible_id
from hype.models.tables import Sessions

__all__ = ["Session"]


class Session(NamedTuple):
    """A session, which a login starts. Times in milliseconds since the epoch.

    refresh_jti: the `jti` of its newest refresh token. expires_at: the expiry of that token. revoked_at: the time at
    which logout or a re-used token ended the session, None before.
    """

    id: str
    user_id: str
    refresh_jti: str
    expires_at: int
    revoked_at: int | None
    created_at: int

    @classmethod
    def find(cls, key: str) -> Session | None:
        """Return the session of this id; None also for a key that no session can have."""
        rows = execute(_BY_ID, key=key) if possible_id(key) else ()
        return next(map(cls._make, rows), None)

    @classmethod
    def add(cls, *, session_id: str, user_id: str, refresh_jti: str, expires_at: int) -> Session:
        """Store a new session. session_id: chosen before, because the tokens carry it."""
        session = cls(session_id, user_id, refresh_jti, expires_at, None, now_ms())
        execute(_INSERTED, **session._asdict())
        return session

    def rotate(self, *, used_jti: str, new_jti: str, expires_at: int) -> bool:
        """Exchange the refresh token `used_jti` for `new_jti`, in one step (ruling P3).

        Returns False, and changes nothing, when `used_jti` is not the newest any more or the session is revoked: of two
        requests that present one token at once, one wins.
        """
        return bool(execute(_ROTATED, key=self.id, used_jti=used_jti, new_jti=new_jti, expires_at=expires_at))

    def extend(self, *, refresh_jti: str, expires_at: int) -> None:
        """Store a further refresh token without ending the older ones (documented profile, ruling P3)."""
        execute(_EXTENDED, key=self.id, new_jti=refresh_jti, expires_at=expires_at)

    def revoke(self) -> bool:
        """End the session's tokens; return False if they were ended before (rulings P2 and P3)."""
        return bool(execute(_REVOKED, key=self.id, now=now_ms()))

    @classmethod
    def revoke_all(cls, user_id: str, *, but: str | None = None) -> list[str]:
        """End the tokens of a user's sessions; return the ids of those that had not ended before (amendment A16).

        but: the id of a session that goes on.
        """
        return [key for (key,) in execute(_ALL_REVOKED, user=user_id, kept=but or "", now=now_ms())]

    @classmethod
    def forget_expired(cls, before: int) -> None:
        """Delete the sessions whose tokens had all expired before this time, in milliseconds since the epoch."""
        execute(_FORGOTTEN, before=before)


_SESSION = columns(Sessions, Session._fields)
_ITSELF = Sessions.id == given("key")
_NEXT_TOKEN = {Sessions.refresh_jti: given("new_jti"), Sessions.expires_at: given("expires_at")}
_BY_ID = Statement(Sessions.select(*_SESSION).where(_ITSELF))
_INSERTED = insertion(Sessions, deferred=True)
_ROTATED = Statement(
    Sessions.update(_NEXT_TOKEN)
    .where(_ITSELF & (Sessions.refresh_jti == given("used_jti")) & Sessions.revoked_at.is_null())
    .returning(Sessions.id)
)
_EXTENDED = Statement(Sessions.update(_NEXT_TOKEN).where(_ITSELF), deferred=True)
_REVOKED = Statement(
    Sessions.update({Sessions.revoked_at: given("now")})
    .where(_ITSELF & Sessions.revoked_at.is_null())
    .returning(Sessions.id)
)
_ALL_REVOKED = Statement(
    Sessions.update({Sessions.revoked_at: given("now")})
    .where((Sessions.user == given("user")) & (Sessions.id != given("kept")) & Sessions.revoked_at.is_null())
    .returning(Sessions.id)
)
_FORGOTTEN = Statement(Sessions.delete().where(Sessions.expires_at < given("before")), deferred=True)
