"""Transcripts: scripts that replay a case and hold no secret."""

from __future__ import annotations

import pytest

from contract_tests.transcript import Secrets, Transcript, curl

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJhIn0.c2lnbmF0dXJl"


def test_a_known_secret_becomes_a_shell_variable() -> None:
    """The quotes close around it, so that a shell fills it in."""
    secrets = Secrets()
    secrets.keep(TOKEN, "ANN_TOKEN")
    transcript = Transcript(secrets)
    transcript.http("GET", "http://x/", [("Authorization", f"Bearer {TOKEN}")], None, f"200 {TOKEN}")
    command, answer = transcript.lines()
    assert command.endswith("""-H 'Authorization: Bearer '"$ANN_TOKEN"''""")
    assert answer == "#   → 200 $ANN_TOKEN"


@pytest.mark.parametrize(
    "text", [f"got {TOKEN}", '{"password": "hunter2 \\" eyJ"}', f'{{"refreshToken":"{TOKEN}"}}', '{"token": "s3cret"}']
)
def test_secrets_nobody_named_are_hidden_too(text: str) -> None:
    """Tokens by their shape, passwords by their member."""
    hidden = Secrets().hide(text)
    assert not any(part in hidden for part in (TOKEN, "hunter2", "s3cret"))


@pytest.mark.parametrize(
    ("body", "command"),
    [
        (None, "curl -sS -i -g --path-as-is -X PUT http://x/a"),
        (b"it's", """curl -sS -i -g --path-as-is -X PUT http://x/a --data-binary 'it'\\''s'"""),
        (b"\xff\x00", r"printf '\377\000' | curl -sS -i -g --path-as-is -X PUT http://x/a --data-binary @-"),
    ],
)
def test_a_request_becomes_a_command(body: bytes | None, command: str) -> None:
    """Also bytes that no shell can hold in an argument."""
    assert curl("PUT", "http://x/a", [], body) == command


def test_long_scripts_keep_their_end() -> None:
    """What went wrong stands at the end; how much is missing is said."""
    transcript = Transcript(Secrets())
    for number in range(50):
        transcript.note(f"line {number}")
    assert transcript.lines(2) == ["# … 48 earlier lines left out …", "line 48", "line 49"]
