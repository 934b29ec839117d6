"""A new password, and the end of sessions that a user asks for (amendment A16)."""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from hype.cluster import SessionRevoked
from hype.errors import BadRequest, Forbidden, HypeError, NotAuthenticated, TooManyRequests
from tests.operations.backend import Backend

OLD, NEW = "correct horse", "battery staple"
CHANGE = {"currentPassword": OLD, "newPassword": NEW}


def login(backend: Backend, password: str) -> Any:
    """Log `ann` in; return `user`, `accessToken` and `refreshToken`."""
    return backend.data("loginUser", {"email": "ann@example.com", "password": password})


def works(backend: Backend, session: Any) -> bool:
    """Return whether both tokens of a session work; they are used."""
    try:
        backend.call("getCurrentUser", token=session["accessToken"])
        backend.call("refreshTokens", {"refreshToken": session["refreshToken"]})
    except NotAuthenticated:
        return False
    return True


def test_a_new_password_ends_the_other_sessions(hardened: Backend) -> None:
    """The old password and the user's other sessions end; the caller's session and other users' go on."""
    laptop, ben = hardened.register("ann"), hardened.register("ben")
    phone = login(hardened, OLD)
    answer = hardened.data("changePassword", CHANGE, token=phone["accessToken"])
    assert answer == {"endedSessions": 1}
    assert [type(effect) for effect in hardened.announced] == [SessionRevoked]
    assert [works(hardened, session) for session in (laptop, phone, ben)] == [False, True, True]
    with pytest.raises(NotAuthenticated, match="Invalid email or password"):
        login(hardened, OLD)
    assert works(hardened, login(hardened, NEW))


def test_a_wrong_current_password_changes_nothing(hardened: Backend) -> None:
    """The answer is 403, because the token is good."""
    ann = hardened.register("ann")
    with pytest.raises(Forbidden, match="The current password is wrong"):
        hardened.call("changePassword", {**CHANGE, "currentPassword": NEW}, token=ann["accessToken"])
    assert hardened.announced == []
    assert works(hardened, login(hardened, OLD))


def test_wrong_current_passwords_count_as_failed_logins(hardened: Backend) -> None:
    """A stolen token gives no more guesses than the login does: both share one limit (P9)."""
    ann = hardened.register("ann")
    wrong = {**CHANGE, "currentPassword": "wrong"}
    for _ in range(5):
        with pytest.raises(NotAuthenticated):
            login(hardened, "wrong")
        with pytest.raises(Forbidden):
            hardened.call("changePassword", wrong, token=ann["accessToken"])
    with pytest.raises(TooManyRequests):
        hardened.call("changePassword", CHANGE, token=ann["accessToken"])
    with pytest.raises(TooManyRequests):
        login(hardened, OLD)


def test_a_guest_has_no_password_to_change(hardened: Backend) -> None:
    """A guest is told so, and it counts as no failed login."""
    ann = hardened.guest("ann")
    for _ in range(11):
        with pytest.raises(BadRequest, match="Guests have no password"):
            hardened.call("changePassword", CHANGE, token=ann["accessToken"])


async def test_of_two_changes_at_once_one_wins(hardened: Backend) -> None:
    """The second change finds a password that is not the one that it has checked."""
    token = hardened.register("ann")["accessToken"]

    async def change(number: int) -> str:
        body = {**CHANGE, "newPassword": f"{NEW} {number}"}
        try:
            await hardened.call_in_loop("changePassword", body, token=token)
        except HypeError as error:
            return error.error
        return "ok"

    outcomes = await asyncio.gather(*map(change, range(4)))
    assert sorted(outcomes) == ["The current password is wrong"] * 3 + ["ok"]
    assert works(hardened, login(hardened, f"{NEW} {outcomes.index('ok')}"))


class Watched(ThreadPoolExecutor):
    """A thread that hashes. busy: set once it has its second piece of work, the hash of the new password."""

    def __init__(self) -> None:
        super().__init__(1)
        self.busy = asyncio.Event()
        self._pieces = 0

    def submit(self, *arguments: Any, **named: Any) -> Future[Any]:
        """Do a piece of work."""
        self._pieces += 1
        if self._pieces == 2:
            self.busy.set()
        return super().submit(*arguments, **named)


async def test_a_login_with_the_old_password_does_not_outlive_it(hardened: Backend) -> None:
    """A login whose password was right when it was checked, and is changed before its end, opens no session."""
    token = hardened.register("ann")["accessToken"]
    hashing = Watched()
    hardened.services = replace(hardened.services, hashing=hashing)
    changing = asyncio.create_task(hardened.call_in_loop("changePassword", CHANGE, token=token))
    await hashing.busy.wait()
    with pytest.raises(NotAuthenticated, match="Invalid email or password"):
        await hardened.call_in_loop("loginUser", {"email": "ann@example.com", "password": OLD})
    await changing
    hashing.shutdown()


async def test_a_session_that_ends_meanwhile_changes_no_password(hardened: Backend) -> None:
    """A user who logs out everywhere stops a change of the password that is under way in another's hands."""
    laptop = hardened.register("ann")
    token = login(hardened, OLD)["accessToken"]
    hashing = Watched()
    hardened.services = replace(hardened.services, hashing=hashing)
    changing = asyncio.create_task(hardened.call_in_loop("changePassword", CHANGE, token=token))
    await hashing.busy.wait()
    await hardened.call_in_loop("logoutEverywhere", token=laptop["accessToken"])
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        await changing
    hashing.shutdown()
    hardened.services = replace(hardened.services, hashing=hardened.hashing)
    assert works(hardened, login(hardened, OLD))


def test_a_user_ends_all_sessions(hardened: Backend) -> None:
    """The caller's session ends, too; those of other users go on, and the password stays."""
    laptop, ben = hardened.register("ann"), hardened.guest("ben")
    phone = login(hardened, OLD)
    assert hardened.data("logoutEverywhere", token=phone["accessToken"]) == {"endedSessions": 2}
    assert hardened.announced_names() == ["SessionRevoked"] * 2
    assert [works(hardened, session) for session in (laptop, phone, ben)] == [False, False, True]
    assert works(hardened, login(hardened, OLD))


def test_a_session_that_has_ended_is_not_ended_again(hardened: Backend) -> None:
    """A session is announced once, although its row stays until its tokens have expired."""
    first = hardened.register("ann")
    hardened.call("logoutUser", token=first["accessToken"])
    assert hardened.data("logoutEverywhere", token=login(hardened, OLD)["accessToken"]) == {"endedSessions": 1}
    assert hardened.announced_names() == ["SessionRevoked"] * 2


@pytest.mark.parametrize("operation_id", ["changePassword", "logoutEverywhere"])
def test_the_documented_profile_has_neither(documented: Backend, operation_id: str) -> None:
    """Both are extensions of the hardened profile alone."""
    assert operation_id not in documented.services.contract.operations
