"""The gateway's reads and writes: identities, rooms, presence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest

from hype.cluster import Profile
from hype.database import Unit
from hype.errors import NotAuthenticated, NotFound
from hype.models import User
from hype.operations import callers, rooms
from tests.operations.backend import Backend

T = TypeVar("T")


def run(backend: Backend, work: Callable[[Unit], T]) -> T:
    """Do `work` as the gateway does through `database.run`."""
    return backend.services.database.run_now(work)


def row(backend: Backend, user: Any) -> User:
    """Return the user as stored."""

    found = run(backend, lambda unit: User.find(user["user"]["id"]))
    assert found is not None
    return found


def test_a_token_names_its_user_and_session(hardened: Backend) -> None:
    """An access token names its user, and the session whose logout closes the socket."""
    ann = hardened.guest("ann")
    known = run(hardened, lambda unit: callers.identity_of_token(hardened.services, ann["accessToken"]))
    assert (known.user_id, known.username) == (ann["user"]["id"], "ann")
    assert known.session_id is not None
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        run(hardened, lambda unit: callers.identity_of_token(hardened.services, ann["refreshToken"]))


def test_a_claim_names_a_user_by_id_or_name(documented: Backend) -> None:
    """The id outweighs the name; every text that names no user is `not_found` (R31)."""
    ann = documented.guest("ann")
    ids = ann["user"]["id"], "ann"
    by_id = run(documented, lambda unit: callers.identity_of_user(ids[0], "another name"))
    by_name = run(documented, lambda unit: callers.identity_of_user(None, ids[1]))
    assert by_id == by_name == callers.Identity(*ids, None)
    for claimed in ((None, None), (None, "Ann"), ("nobody", "ann"), ("\0", None), (None, "\0")):
        with pytest.raises(NotFound, match="User not found"):
            run(documented, lambda unit, claimed=claimed: callers.identity_of_user(*claimed))  # type: ignore[misc]


def test_rooms_are_channels(hardened: Backend) -> None:
    """A room has the type and the limit of its channel."""
    ann = hardened.guest("ann")
    body = {"name": "den", "type": "voice", "userLimit": 5}
    made = hardened.data("createChannel", body, token=ann["accessToken"])
    assert run(hardened, lambda unit: rooms.room(made["id"])) == rooms.Room(made["id"], "VOICE", 5)
    with pytest.raises(NotFound, match="Channel not found"):
        run(hardened, lambda unit: rooms.room("nowhere"))


def test_a_profile_is_as_it_is_now(hardened: Backend) -> None:
    """A profile shows the present display name, not the one at connect (R24)."""
    ann = hardened.guest("ann")
    user_id = ann["user"]["id"]
    hardened.call("updateUser", {"displayName": "Ann"}, path={"id": user_id}, token=ann["accessToken"])
    assert run(hardened, lambda unit: rooms.profile(user_id)) == Profile(user_id, "ann", "Ann", None)


def test_presence_is_not_status(hardened: Backend) -> None:
    """Presence changes `isOnline` and `lastSeenAt`, and nothing else (R24)."""
    ann = hardened.register("ann")
    before = row(hardened, ann)
    run(hardened, lambda unit: rooms.set_online(before.id, False))
    offline = row(hardened, ann)
    assert not offline.is_online
    assert offline.last_seen_at is not None
    assert (offline.status, offline.updated_at) == ("ONLINE", before.updated_at)
    run(hardened, lambda unit: rooms.set_online(before.id, True))
    online = row(hardened, ann)
    assert (online.is_online, online.last_seen_at, online.status) == (True, offline.last_seen_at, "ONLINE")


def test_after_a_crash_no_user_is_online(hardened: Backend) -> None:
    """A starting server sets every user offline, whatever a killed process left behind."""
    ann = hardened.guest("ann")
    assert row(hardened, ann).is_online
    run(hardened, lambda unit: rooms.everyone_offline())
    assert not row(hardened, ann).is_online
