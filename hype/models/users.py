"""Users: people, guests, and `system`, the owner of the seeded server."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple, Self

import peewee
from peewee import JOIN

from hype import jsontext
from hype.database import Kept, Statement, execute, given
from hype.ids import new_id
from hype.models.base import (
    LARGEST_OFFSET,
    NO_LIMIT,
    Editable,
    columns,
    insertion,
    now_ms,
    possible_id,
    storable,
)
from hype.models.json import array_of, json_of
from hype.models.lists import Listing, Part, short_list
from hype.models.sessions import Session
from hype.models.tables import Sessions, Totals, Users
from hype.wire import USER, Member, Shape

__all__ = ["Author", "User", "author_in_session", "email_key"]


class _Columns(NamedTuple):
    id: str
    username: str
    email: str | None
    email_key: str | None
    password_hash: str | None
    display_name: str | None
    bio: str | None
    avatar_url: str | None
    custom_status: str | None
    status: str
    is_guest: bool
    is_online: bool
    last_seen_at: int | None
    created_at: int
    updated_at: int


class Author(NamedTuple):
    """A user as the author of a message (see `User`)."""

    id: str
    username: str
    display_name: str | None
    avatar_url: str | None
    status: str

    @classmethod
    def of(cls, text: str | None) -> Author | None:
        """Return the author in the JSON of `author_in_session`, None for NULL."""
        return None if text is None else cls(**jsontext.parse(text))


class User(_Columns, Editable):
    """A user.

    email: as typed; email_key: the form of it that is unique; both None for guests and `system`. status: ONLINE, IDLE,
    DND or OFFLINE. password_hash: see `hype.passwords`, None for a user who cannot log in. last_seen_at: milliseconds
    since the epoch.
    """

    __slots__ = ()
    table = Users
    kind = "User"

    @classmethod
    def find(cls, key: str) -> Self | None:
        """Return the user of this id; None also for a key that no user can have."""
        return cls._first(execute(_BY_ID, key=key)) if possible_id(key) else None

    @classmethod
    def profile(cls, key: str) -> tuple[str, str, str | None, str | None] | None:
        """Return id, username, display name and avatar URL of a user; None also for a key that no user can have.

        It costs a client of PostgreSQL a fifth less than `find`, which describes 15 columns.
        """
        rows = execute(_PROFILE, key=key) if possible_id(key) else ()
        return next(iter(rows), None)

    @classmethod
    def named(cls, username: str) -> Self | None:
        """Return the user of exactly this name; names differ by case (ruling R21)."""
        return cls._first(execute(_BY_NAME, key=username)) if storable(username) else None

    @classmethod
    def by_email(cls, email: str) -> Self | None:
        """Return the user of this address, however it is spelt (see `email_key`)."""
        return cls._first(execute(_BY_EMAIL, key=email_key(email))) if storable(email) else None

    @classmethod
    def in_session(cls, user_id: str, session_id: str | None) -> tuple[Self, Session | None] | None:
        """Return a user and the user's session of that id, None for each that does not exist; in one statement."""
        if not possible_id(user_id):
            return None
        known = session_id if session_id is not None and possible_id(session_id) else ""
        rows = execute(_IN_SESSION, key=user_id, session=known)
        if not rows:
            return None
        values = jsontext.parse(rows[0][0])
        of_user, of_session = values[:_WIDTH], values[_WIDTH:]
        return cls._make(of_user), None if of_session[0] is None else Session._make(of_session)

    @classmethod
    def listed(cls, limit: int | None = None, offset: int = 0) -> list[Self]:
        """Return users by creation, oldest first; all of them without `limit` (ruling R16)."""
        rows = execute(_LISTED, limit=NO_LIMIT if limit is None else limit, offset=min(offset, LARGEST_OFFSET))
        return [*map(cls._make, rows)]

    @classmethod
    def parts_as_json(
        cls, limit: int | None, offset: int, *, reader_id: str | None, emails_hidden: bool
    ) -> Iterator[Part[str]]:
        """Yield what `listed` returns as the JSON of each user, in parts (ruling P10).

        emails_hidden: True to show an email to its owner only, who is reader_id (ruling P7).
        """
        listing = _WITHOUT_EMAILS if emails_hidden else _AS_JSON
        for total, rows in listing.parts(limit, offset, reader=reader_id):
            yield Part(total, [text for (text,) in rows])

    @classmethod
    def add(
        cls,
        *,
        username: str,
        email: str | None = None,
        password_hash: str | None = None,
        is_guest: bool = False,
        online: bool = False,
        id: str | None = None,
    ) -> Self:
        """Store a new user, and count it; keep `email` as given.

        online: status ONLINE, is_online, and seen now. id: a new one when None. Raises hype.database.Conflict with
        column `username` or `email_key` when that is taken.
        """
        now = now_ms()
        user = cls(
            id=id or new_id(),
            username=username,
            email=email,
            email_key=None if email is None else email_key(email),
            password_hash=password_hash,
            display_name=None,
            bio=None,
            avatar_url=None,
            custom_status=None,
            status="ONLINE" if online else "OFFLINE",
            is_guest=is_guest,
            is_online=online,
            last_seen_at=now if online else None,
            created_at=now,
            updated_at=now,
        )
        execute(_INSERTED, **user._asdict())
        execute(_ONE_MORE)
        return user

    def logged_in(self) -> Self:
        """Store a login: status ONLINE, is_online, and seen now (operation loginUser, ruling R22)."""
        return self.change({"status": "ONLINE", "is_online": True, "last_seen_at": now_ms()})

    def replace_password(self, password_hash: str) -> bool:
        """Store a new password; return False, and change nothing, if it is not the one of this row any more.

        Like `logged_in` it locks the row, so that a login with the old password is committed before it, or fails.
        """
        was = self.password_hash or ""
        return bool(execute(_PASSWORD_REPLACED, key=self.id, was=was, password_hash=password_hash))

    @classmethod
    def set_online(cls, user_id: str, online: bool) -> None:
        """Store that the user's first socket was opened, or that the last one was closed, and when (ruling R24).

        This is presence, not the profile: `status` and `updated_at` stay. For an unknown user it does nothing.
        """
        execute(_OPENED if online else _CLOSED, key=user_id, now=now_ms())

    @classmethod
    def set_everyone_offline(cls) -> None:
        """Store that no socket is open, which a killed process could not (ruling R24)."""
        execute(_ALL_CLOSED)

    @classmethod
    def _first(cls, rows: list[tuple[object, ...]]) -> Self | None:
        return cls._make(rows[0]) if rows else None


def email_key(email: str) -> str:
    """Return the form that all spellings of one address share: trimmed, without regard to case (ruling R21)."""
    return email.strip().casefold()


_AUTHOR: Final = Shape(
    **{name: Member(name, "word" if name in {"id", "status"} else "plain") for name in Author._fields}
)


def author_in_session(*, as_json: bool) -> Any:
    """Return the query of the given `user`: the columns of an `Author`, or the JSON of them in one column.

    It has no row when there is no such user, or when the given `session` is revoked.
    """
    found = columns(Users, Author._fields)
    selected = [json_of(_AUTHOR, {column.column_name: column for column in found})] if as_json else found
    return (
        Users.select(*selected)
        .join(Sessions, JOIN.LEFT_OUTER, on=(Sessions.id == given("session")))
        .where((Users.id == given("user")) & Sessions.revoked_at.is_null())
    )


_WIDTH = len(User._fields)
_USER = columns(Users, User._fields)
_SESSION = columns(Sessions, Session._fields)
_BY_ID = Statement(Users.select(*_USER).where(Users.id == given("key")))
_PROFILE = Statement(
    Users.select(Users.id, Users.username, Users.display_name, Users.avatar_url).where(Users.id == given("key"))
)
_BY_NAME = Statement(Users.select(*_USER).where(Users.username == given("key")))
_BY_EMAIL = Statement(Users.select(*_USER).where(Users.email_key == given("key")))
_JOINED = (
    Users.select(array_of([*_USER, *_SESSION]))
    .join(Sessions, JOIN.LEFT_OUTER, on=(Sessions.id == given("session")))
    .where(Users.id == given("key"))
)
_IN_SESSION = Statement(_JOINED, on_postgresql=Kept("user_in_session", _JOINED, {}, ("text",)))


_OURS = Totals.id == "users"
_IN_ORDER = (Users.created_at, Users.id)
_COLUMNS_OF_USER = dict(zip(User._fields, _USER, strict=True))


def _listing(name: str, text: Callable[[Mapping[str, Any]], Any]) -> Listing:
    """Return the list of all users. text: makes the JSON of a user out of the columns."""
    counted = Totals.select(Totals.number).where(_OURS)
    at_once = short_list(name, Users.select(*_USER), _IN_ORDER, text, counted)
    return Listing(Users.select(text(_COLUMNS_OF_USER)), _IN_ORDER, counted, kept=at_once)


def _with_email(columns: Mapping[str, Any]) -> Any:
    return json_of(USER, columns)


def _with_own_email(columns: Mapping[str, Any]) -> Any:
    own = peewee.Case(None, [(columns["id"] == given("reader"), columns["email"])], None)
    return json_of(USER, {**columns, "email": own})


_LISTED = Statement(Users.select(*_USER).order_by(*_IN_ORDER).limit(given("limit")).offset(given("offset")))
_AS_JSON = _listing("users", _with_email)
_WITHOUT_EMAILS = _listing("users_without_emails", _with_own_email)
_INSERTED = insertion(Users)
# Sent with the COMMIT, so that no registration waits for the row for longer than another one's COMMIT takes.
_ONE_MORE = Statement(Totals.update({Totals.number: Totals.number + 1}).where(_OURS), deferred=True)
_PASSWORD_REPLACED = Statement(
    Users.update({Users.password_hash: given("password_hash")})
    .where((Users.id == given("key")) & (Users.password_hash == given("was")))
    .returning(Users.id)
)
_OPENED = Statement(Users.update({Users.is_online: True}).where(Users.id == given("key")))
_CLOSED = Statement(
    Users.update({Users.is_online: False, Users.last_seen_at: given("now")}).where(Users.id == given("key"))
)
_ALL_CLOSED = Statement(Users.update({Users.is_online: False}).where(Users.is_online))
