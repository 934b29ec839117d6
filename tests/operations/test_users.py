"""Users: visible emails, permissions, times of changes."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

import pytest

from hype.errors import Conflict, Forbidden, HypeError, NotFound
from tests.operations.backend import Backend


def path_of(user: Any) -> dict[str, str]:
    """Return the path of the user's own operations."""
    return {"id": user["user"]["id"]}


def test_an_email_is_shown_to_its_owner_only(hardened: Backend) -> None:
    """Only the owner gets the email, alone, in the list, and in the answers to changes (P7)."""
    ann, ben = hardened.register("ann"), hardened.register("ben")
    for reader, email in ((ann, "ann@example.com"), (ben, None)):
        token = reader["accessToken"]
        assert hardened.data("getUser", path=path_of(ann), token=token)["email"] == email
        listed = {user["username"]: user["email"] for user in hardened.data("listUsers", token=token)}
        assert listed["ann"] == email
    assert hardened.data("getUser", path=path_of(ann))["email"] is None
    assert hardened.data("getUser", path=path_of(ann), token="forged")["email"] is None
    changed = hardened.data("updateUserStatus", {"status": "idle"}, path=path_of(ann), token=ann["accessToken"])
    assert changed["email"] == "ann@example.com"


def test_the_documented_profile_shows_emails(documented: Backend) -> None:
    """Every caller gets the email (P7)."""
    ann = documented.register("ann")
    assert documented.data("getUser", path=path_of(ann))["email"] == "ann@example.com"


@pytest.mark.parametrize("operation_id", ["updateUser", "updateUserStatus"])
def test_ids_are_compared_before_the_user_is_read(hardened: Backend, operation_id: str) -> None:
    """A caller cannot find out whether another user exists (R10)."""
    ann, ben = hardened.guest("ann"), hardened.guest("ben")
    for path in (path_of(ben), {"id": "nobody"}):
        with pytest.raises(Forbidden, match="You can only update your own profile"):
            hardened.call(operation_id, {"status": "idle"}, path=path, token=ann["accessToken"])


def test_every_caller_may_set_a_status_in_the_documented_profile(documented: Backend) -> None:
    """No token is needed; an unknown user is 404 (P1, R17)."""
    ann = documented.guest("ann")
    assert documented.data("updateUserStatus", {"status": "idle"}, path=path_of(ann))["status"] == "idle"
    with pytest.raises(NotFound, match="User not found"):
        documented.call("updateUserStatus", {"status": "idle"}, path={"id": "nobody"})


def test_a_taken_username_is_a_conflict(hardened: Backend) -> None:
    """Usernames differ by case; a user's own name is not taken (R21)."""
    ann = hardened.guest("ann")
    hardened.guest("ben")
    with pytest.raises(Conflict, match="Username already taken"):
        hardened.call("updateUser", {"username": "ben"}, path=path_of(ann), token=ann["accessToken"])
    for name in ("ann", "BEN"):
        changed = hardened.data("updateUser", {"username": name}, path=path_of(ann), token=ann["accessToken"])
        assert changed["username"] == name


async def test_racing_for_a_new_name_has_one_winner(hardened: Backend) -> None:
    """Exactly one user gets the name; the others keep theirs and get the reason."""
    users = [hardened.guest(f"user{number}") for number in range(8)]

    async def rename(user: Any) -> str:
        try:
            await hardened.call_in_loop(
                "updateUser", {"username": "ann"}, path=path_of(user), token=user["accessToken"]
            )
        except HypeError as error:
            return error.error
        return "ok"

    assert Counter(await asyncio.gather(*map(rename, users))) == {"ok": 1, "Username already taken": 7}


def test_absent_members_stay_and_null_clears(hardened: Backend) -> None:
    """An empty update changes only `updatedAt`, which moves strictly forward (R20)."""
    ann = hardened.guest("ann")
    token = ann["accessToken"]
    body = {"displayName": "Ann", "bio": "Hello", "avatarUrl": "https://example.com/a.png"}
    times = [hardened.data("updateUser", body, path=path_of(ann), token=token)["updatedAt"]]
    for _ in range(5):
        kept = hardened.data("updateUser", {}, path=path_of(ann), token=token)
        times.append(kept["updatedAt"])
    assert kept.items() >= body.items()
    assert times == sorted(set(times))
    cleared = hardened.data("updateUser", {"avatarUrl": None}, path=path_of(ann), token=token)
    assert (cleared["avatarUrl"], cleared["bio"]) == (None, "Hello")


def test_users_are_listed_in_the_order_of_their_creation(hardened: Backend) -> None:
    """`offset` alone is allowed, and a huge one gives an empty list (R16)."""
    for name in ("cem", "ann", "ben"):
        hardened.guest(name)

    def names(**query: int) -> list[str]:
        return [user["username"] for user in hardened.data("listUsers", query=query)]

    assert names() == ["system", "cem", "ann", "ben"]
    assert names(offset=2) == ["ann", "ben"]
    assert names(limit=2, offset=1) == ["cem", "ann"]
    assert names(offset=10**30) == []
