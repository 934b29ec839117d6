"""Logs without the secrets of users."""

from __future__ import annotations

import pytest

from hype.telemetry.redaction import stack, summary, without_secrets

ROW = 'duplicate key value violates "users_email_key"\nDETAIL:  Key (email)=(anna@example.com) already exists.'


@pytest.mark.parametrize(
    ("error", "shown"),
    [
        (KeyError("hunter2"), "KeyError: '…'"),
        (ValueError('invalid literal: "hunter2'), "ValueError: invalid literal: '…'"),
        (RuntimeError(ROW), "RuntimeError: duplicate key value violates '…'"),
        (RuntimeError("Key (email)=(hunter2) exists"), "RuntimeError: Key (email)'…' exists"),
        (RuntimeError("no answer from anna@example.com"), "RuntimeError: no answer from …"),
        (TimeoutError(), "TimeoutError"),
    ],
)
def test_an_error_is_shown_without_what_it_quotes(error: Exception, shown: str) -> None:
    """The first line stays, without quotations and addresses."""
    assert summary(error) == shown


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJhIn0.c2lnbmF0dXJl",
        "$2b$10$abcdefghijklmnopqrstuuVGZzHtqYSgd1J1J1J1J1J1J1J1J1J1J",
        "anna@example.com",
        "anna:hunter2@db.example",
    ],
)
def test_what_looks_like_a_secret_is_not_shown(secret: str) -> None:
    """Tokens, hashes and addresses vanish from any line."""
    assert secret not in without_secrets(f"something with {secret} in it")
    assert without_secrets(f"something with {secret} in it").startswith("something with ")


def test_a_stack_shows_the_errors_behind_an_error() -> None:
    """The places of both errors are there, and nothing that they quote."""
    secret = "hunter2"
    try:
        try:
            raise KeyError(secret)
        except KeyError as error:
            raise RuntimeError(f"no row for '{secret}'") from error
    except RuntimeError as error:
        shown = stack(error)
    assert shown.index("KeyError: '…'") < shown.index("RuntimeError: no row for '…'")
    assert shown.count("test_redaction.py") == 2
    assert secret not in shown.replace('secret = "hunter2"', "")
