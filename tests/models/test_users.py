"""Users: unique names and emails, the list, changes and presence (rulings R16, R20 to R24)."""

from __future__ import annotations

import asyncio

import peewee
import pytest

from hype.database import Conflict, Database, Unit
from hype.models import User, email_key
from hype.models import base as models_base
from hype.models import users as users_module
from tests.databases import commit


@pytest.mark.parametrize("key", ["", "nobody", "a\0b", "\ud800", "x" * 65, "x" * 100_000])
def test_an_unknown_key_finds_no_user(transaction: Unit, key: str) -> None:
    """A key of no user, and one that a database cannot hold, finds no row."""
    User.add(username="somebody")
    assert User.find(key) is None
    assert User.profile(key) is None
    assert User.named(key) is None
    assert User.by_email(key) is None


def test_each_key_finds_its_user(transaction: Unit) -> None:
    """A user is found by id, by exact name, and by the email in any case and with spaces around."""
    user = User.add(username="Anna", email="Anna.Straße@Example.com")
    assert User.find(user.id) == user
    assert User.profile(user.id) == (user.id, "Anna", None, None)
    assert User.named("Anna") == user
    assert User.named("anna") is None
    assert User.by_email(" ANNA.STRASSE@example.COM ") == user
    assert user.email == "Anna.Straße@Example.com"


def test_a_statement_writes_its_sql_once(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """Later calls do not ask peewee for SQL, and each key still finds its own row."""
    ann, bob = User.add(username="ann"), User.add(username="bob")
    with monkeypatch.context() as patched:
        patched.delattr(peewee.Context, "sql")
        assert (User.find(bob.id), User.find("nobody"), User.find(ann.id)) == (bob, None, ann)


def test_names_differ_by_case_and_emails_do_not(database: Database) -> None:
    """`bob` and `Bob` are two users; the same email in capitals is one email (ruling R21)."""
    commit(database, lambda: (User.add(username="bob", email="bob@example.com"), User.add(username="Bob", email=None)))
    with pytest.raises(Conflict) as conflict:
        commit(database, lambda: User.add(username="other", email="BOB@example.com "))
    assert conflict.value.column == "email_key"


@pytest.mark.parametrize("column", ["username", "email_key"])
async def test_one_of_a_hundred_racing_registrations_wins(database: Database, column: str) -> None:
    """Exactly one registration wins, and the others get the name of the taken column."""

    async def register(number: int) -> str:
        unique = f"racer{number}"
        username = "racer" if column == "username" else unique
        email = f"{unique}@example.com" if column == "username" else "Racer@example.com"
        try:
            await database.run(lambda unit: User.add(username=username, email=email))
        except Conflict as conflict:
            return conflict.column
        return "won"

    outcomes = await asyncio.gather(*map(register, range(100)))
    assert outcomes.count("won") == 1
    assert outcomes.count(column) == 99


def test_guests_have_no_email_to_conflict(transaction: Unit) -> None:
    """Any number of users may have no email."""
    guests = [User.add(username=f"guest{number}", is_guest=True, online=True) for number in range(3)]
    assert [guest.email_key for guest in guests] == [None] * 3
    assert all(guest.is_online and guest.status == "ONLINE" and guest.last_seen_at for guest in guests)


def test_users_are_listed_oldest_first(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list is ordered by creation and id, byte by byte on both databases; limit and offset cut it."""
    made = [("c_a", 2), ("cZb", 2), ("cab", 2), ("late", 3), ("early", 1)]
    for key, created_at in made:
        monkeypatch.setattr(users_module, "now_ms", lambda created_at=created_at: created_at)
        User.add(id=key, username=key)
    keys = ["early", "cZb", "c_a", "cab", "late"]
    assert [user.id for user in User.listed()] == keys
    assert [user.id for user in User.listed(limit=2, offset=1)] == keys[1:3]
    assert [user.id for user in User.listed(offset=3)] == keys[3:]
    assert User.listed(limit=1000, offset=10**30) == []


def test_every_change_moves_updated_at(transaction: Unit, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty change moves it, too, also while the clock stands still or is set back (ruling R20)."""
    user = User.add(username="anna")
    monkeypatch.setattr(models_base, "now_ms", lambda: user.created_at - 3_600_000)
    seen = [user.updated_at]
    for changes in ({}, {"bio": "text"}, {}):
        seen.append(user.change(changes).updated_at)
    assert seen == [user.created_at + step for step in range(4)]
    assert user.change({}).bio == "text"


def test_a_taken_name_cannot_be_changed_to(database: Database) -> None:
    """The conflict names the column, and the row stays the same."""
    user = commit(database, lambda: (User.add(username="taken"), User.add(username="anna"))[1])
    with pytest.raises(Conflict) as conflict:
        commit(database, lambda: user.change({"username": "taken"}))
    assert conflict.value.column == "username"
    assert commit(database, lambda: User.find(user.id)) == user


def test_login_and_presence_change_different_columns(transaction: Unit) -> None:
    """A login sets ONLINE; opened and closed sockets change presence alone (rulings R22 and R24)."""
    user = User.add(username="anna").logged_in()
    assert (user.status, user.is_online, user.last_seen_at is not None) == ("ONLINE", True, True)
    user = user.change({"status": "DND", "last_seen_at": None})
    User.set_online(user.id, False)
    gone = User.find(user.id)
    assert gone is not None
    assert (gone.status, gone.is_online, gone.last_seen_at is not None) == ("DND", False, True)
    assert gone.updated_at == user.updated_at
    User.set_online(user.id, True)
    User.set_online("nobody", True)
    back = User.find(user.id)
    assert back is not None
    assert back.is_online
    assert back.last_seen_at == gone.last_seen_at


def test_no_user_stays_online_after_a_crash(transaction: Unit) -> None:
    """A new process can store that no socket is open."""
    users = [User.add(username=name, online=True) for name in ("anna", "bob")]
    User.set_everyone_offline()
    assert [user.is_online for user in User.listed()] == [False, False]
    assert {user.status for user in users} == {"ONLINE"}


def test_every_text_has_an_email_key() -> None:
    """The key of a key is the key itself."""
    assert email_key("  İ@Example.COM\n") == email_key(email_key("  İ@Example.COM\n"))
