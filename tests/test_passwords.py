"""Passwords (rulings R21 and R22)."""

from __future__ import annotations

import time

import pytest

from hype import passwords


@pytest.mark.parametrize("password", ["x" * 128, "пароль" * 20, "\u0000zero\u0000", "😀" * 128, "\ud800surrogate"])
def test_every_character_counts(password: str) -> None:
    """Any text works, and one that differs in its last character does not: bcrypt's limit does not show."""
    stored = passwords.hash_password(password)
    assert passwords.verify(password, stored)
    assert not passwords.verify(password + "!", stored)
    assert not passwords.verify(password[:-1], stored)


def test_hashes_are_salted_and_of_ten_rounds() -> None:
    """Two users with one password have different hashes."""
    first, second = passwords.hash_password("12345678"), passwords.hash_password("12345678")
    assert first != second
    assert first.startswith("$2b$10$")


def test_a_check_without_a_hash_takes_as_long() -> None:
    """The time of an answer does not tell whether a user exists (ruling R22)."""
    stored = passwords.hash_password("12345678")

    def fastest(password_hash: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert not passwords.verify("no user has this password", password_hash)
            times.append(time.perf_counter() - start)
        return min(times)

    # The fastest of five is free of other load. Without the hashing it would be a thousandth of the time.
    assert fastest(None) > fastest(stored) / 3
