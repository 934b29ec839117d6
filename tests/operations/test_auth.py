"""Sessions, tokens, and failed logins."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable

import pytest

from hype.cluster import SessionRevoked
from hype.errors import BadRequest, HypeError, NotAuthenticated, TooManyRequests
from tests.operations.backend import Backend


def refresh(backend: Backend, token: str) -> dict[str, str]:
    """Return the next pair of tokens."""
    pair: dict[str, str] = backend.data("refreshTokens", {"refreshToken": token})
    return pair


def outcome(backend: Backend, operation_id: str, body: dict[str, str], address: str = "192.0.2.1") -> str:
    """Perform an operation; return `ok`, or the text of the failure."""
    try:
        backend.call(operation_id, body, address=address)
    except HypeError as error:
        return error.error
    return "ok"


async def outcomes(backend: Backend, operation_id: str, bodies: Iterable[dict[str, str]]) -> Counter[str]:
    """Perform an operation with several bodies at once; count `ok`, and the texts of the failures."""

    async def attempt(body: dict[str, str]) -> str:
        try:
            await backend.call_in_loop(operation_id, body)
        except HypeError as error:
            return error.error
        return "ok"

    return Counter(await asyncio.gather(*map(attempt, bodies)))


def test_a_refresh_token_works_once(hardened: Backend) -> None:
    """A second use of a refresh token is a 401 that ends the session, its newest tokens included (P3)."""
    first = hardened.guest("ann")
    second = refresh(hardened, first["refreshToken"])
    with pytest.raises(NotAuthenticated, match="Invalid refresh token"):
        refresh(hardened, first["refreshToken"])
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        hardened.call("getCurrentUser", token=second["accessToken"])
    with pytest.raises(NotAuthenticated, match="Invalid refresh token"):
        refresh(hardened, second["refreshToken"])
    assert hardened.announced_names() == ["SessionRevoked"]


async def test_of_racing_refreshes_one_wins_and_the_session_ends(hardened: Backend) -> None:
    """Exactly one of several requests with one token gets a pair, and the others end the session."""
    token = hardened.guest("ann")["refreshToken"]
    assert await outcomes(hardened, "refreshTokens", [{"refreshToken": token}] * 16) == {
        "ok": 1,
        "Invalid refresh token": 15,
    }
    assert hardened.announced_names() == ["SessionRevoked"]


def test_a_refresh_token_works_again_in_the_documented_profile(documented: Backend) -> None:
    """The old pair and the new one all stay valid (P3)."""
    first = documented.guest("ann")
    second = refresh(documented, first["refreshToken"])
    third = refresh(documented, first["refreshToken"])
    for pair in (first, second, third):
        documented.call("getCurrentUser", token=pair["accessToken"])
        refresh(documented, pair["refreshToken"])
    assert documented.announced == []


def test_logout_ends_one_session_of_several(hardened: Backend) -> None:
    """A user who logs out on the phone stays logged in on the laptop (P2)."""
    phone = hardened.register("ann")
    laptop = hardened.data("loginUser", {"email": "ann@example.com", "password": "correct horse"})
    answer = hardened.call("logoutUser", token=phone["accessToken"])
    assert answer.body == {"success": True, "message": "Logged out successfully"}
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        hardened.call("getCurrentUser", token=phone["accessToken"])
    with pytest.raises(NotAuthenticated, match="Invalid refresh token"):
        refresh(hardened, phone["refreshToken"])
    hardened.call("getCurrentUser", token=laptop["accessToken"])
    assert [type(effect) for effect in hardened.announced] == [SessionRevoked]


def test_the_documented_logout_ends_nothing(documented: Backend) -> None:
    """Logout succeeds in the documented profile, and the tokens stay valid (P2)."""
    ann = documented.guest("ann")
    documented.call("logoutUser", token=ann["accessToken"])
    documented.call("getCurrentUser", token=ann["accessToken"])
    refresh(documented, ann["refreshToken"])
    assert documented.announced == []


async def test_ten_of_fifty_guesses_at_once_are_checked(hardened: Backend) -> None:
    """Ten of fifty guesses are told that they are wrong; then even the right password has to wait (P9)."""
    hardened.register("ann")
    wrong = {"email": "ann@example.com", "password": "battery staple"}
    assert await outcomes(hardened, "loginUser", [wrong] * 50) == {
        "Invalid email or password": 10,
        "Too many requests": 40,
    }
    right = {**wrong, "password": "correct horse"}
    with pytest.raises(TooManyRequests) as refused:
        hardened.call("loginUser", {**right, "email": " ANN@example.com "})
    assert refused.value.headers["Retry-After"] == "60"
    hardened.clock.advance(60)
    hardened.call("loginUser", right)


def test_an_attacker_does_not_lock_out_another_address(hardened: Backend) -> None:
    """The count is by email and address, so the user can log in while an attacker guesses."""
    hardened.register("ann")
    for _ in range(11):
        outcome(hardened, "loginUser", {"email": "ann@example.com", "password": "wrong"}, "198.51.100.7")
    right = {"email": "ann@example.com", "password": "correct horse"}
    assert outcome(hardened, "loginUser", right, "198.51.100.7") == "Too many requests"
    assert outcome(hardened, "loginUser", right, "192.0.2.1") == "ok"


def test_one_address_cannot_try_many_emails(hardened: Backend) -> None:
    """The limit of an address holds for all emails, known or not."""
    hardened.configure(login_max_per_address=3)
    failures = [
        outcome(hardened, "loginUser", {"email": f"user{number}@example.com", "password": "wrong"})
        for number in range(4)
    ]
    assert failures == ["Invalid email or password"] * 3 + ["Too many requests"]


def test_the_documented_profile_does_not_count_failures(documented: Backend) -> None:
    """The eleventh guess gets the same answer as the first (P9)."""
    wrong = {"email": "nobody@example.com", "password": "wrong"}
    assert {outcome(documented, "loginUser", wrong) for _ in range(11)} == {"Invalid email or password"}


def test_a_guest_cannot_log_in(hardened: Backend) -> None:
    """A user without an email and a password cannot log in."""
    hardened.guest("ann")
    with pytest.raises(NotAuthenticated):
        hardened.call("loginUser", {"email": "ann", "password": ""})


@pytest.mark.parametrize("operation_id", ["registerUser", "loginGuest"])
async def test_racing_for_a_username_has_one_winner(hardened: Backend, operation_id: str) -> None:
    """Exactly one request gets the username; the others are told that it is taken."""

    def body(number: int) -> dict[str, str]:
        return {"username": "ann", "email": f"ann{number}@example.com", "password": "correct horse"}

    assert await outcomes(hardened, operation_id, map(body, range(16))) == {"ok": 1, "Username already taken": 15}


def test_an_email_is_taken_in_every_spelling(hardened: Backend) -> None:
    """An email is compared trimmed and without regard to case, and returned as typed (R21)."""
    body = {"username": "ann", "email": " Ann@Example.com ", "password": "correct horse"}
    assert hardened.data("registerUser", body)["user"]["email"] == "Ann@Example.com"
    with pytest.raises(BadRequest, match="Email already taken"):
        hardened.call("registerUser", {**body, "username": "ben", "email": "ann@EXAMPLE.com"})


def test_users_are_online_from_the_beginning(hardened: Backend) -> None:
    """A registration, a login and a guest's entry set ONLINE (R22, A8)."""
    ann = hardened.register("ann")
    assert ann["user"]["status"] == "ONLINE"
    path = {"id": ann["user"]["id"]}
    hardened.call("updateUserStatus", {"status": "dnd"}, path=path, token=ann["accessToken"])
    right = {"email": "ann@example.com", "password": "correct horse"}
    assert hardened.data("loginUser", right)["user"]["status"] == "ONLINE"
    assert hardened.guest("ben")["user"]["status"] == "ONLINE"


def test_every_user_joins_the_default_server(hardened: Backend) -> None:
    """Registered users and guests count as its members (R15)."""

    def members() -> int:
        server = hardened.data("getServer", path={"serverId": "default-server"})
        return int(server["_count"]["members"])

    before = members()
    hardened.register("ann")
    hardened.guest("ben")
    assert members() == before + 2
