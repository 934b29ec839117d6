"""Passwords (rulings R21 and R22)."""

from __future__ import annotations

import time

import pytest

from hype import passwords


@pytest.mark.parametrize("password", ["x" * 128, "пароль" * 20, "\u0000zero\u0000", "😀" * 128, "\ud800surrogate"])
def test_every_character_counts(password: str) -> None:
    """No limit of bcrypt's shows: any text works, and one that differs in its last character does not."""
    stored = passwords.hash_password(password)
    assert passwords.verify(password, stored)
    assert not passwords.verify(password + "!", stored)
    assert not passwords.verify(password[:-1], stored)


def test_hashes_are_salted_and_of_ten_rounds() -> None:
    """Two people with one password have different hashes."""
    first, second = passwords.hash_password("12345678"), passwords.hash_password("12345678")
    assert first != second
    assert first.startswith("$2b$10$")


def test_nobody_has_a_password_and_it_takes_as_long() -> None:
    """The time of an answer does not tell whether there is such a user (ruling R22)."""
    stored = passwords.hash_password("12345678")

    def fastest(password_hash: str | None) -> float:
        times = []
        for _ in range(5):
            start = time.perf_counter()
            assert not passwords.verify("nobody has this password", password_hash)
            times.append(time.perf_counter() - start)
        return min(times)

    # The fastest of five is free of what else the machine does; without the work it would be a thousandth.
    assert fastest(None) > fastest(stored) / 3
