"""Transcripts: scripts that replay a case and hold no secret."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from hype_contract.recording.script import curl
from hype_contract.recording.secrecy import Secrets
from hype_contract.recording.transcript import Transcript

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJhIn0.c2lnbmF0dXJl"


def test_a_known_secret_becomes_a_shell_variable() -> None:
    """A shell fills it in, and a line before says how to get one."""
    secrets = Secrets()
    secrets.keep(TOKEN, "ANN_TOKEN")
    transcript = Transcript(secrets)
    transcript.http("GET", "http://x/", [("Authorization", f"Bearer {TOKEN}")], None, f"200 {TOKEN}")
    _, how_to_get, command, answer = transcript.lines("http://x")
    assert how_to_get.startswith("ANN_TOKEN=$(curl -sS http://x/auth/guest ")
    assert command.endswith("""-H 'Authorization: Bearer '"$ANN_TOKEN\"""")
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


def test_a_secret_is_found_beside_a_quote() -> None:
    """Quoting for a shell does not hide it from what hides it."""
    secrets = Secrets()
    secrets.keep("it's", "ANN_PASSWORD")
    transcript = Transcript(secrets)
    transcript.http("POST", "http://x/", [], b"[it's]", "200")
    assert transcript.lines()[-2].endswith("""--data-binary '['"$ANN_PASSWORD"']'""")


def test_long_scripts_keep_their_end() -> None:
    """What went wrong stands at the end; how much is missing is said."""
    transcript = Transcript(Secrets())
    for number in range(50):
        transcript.heard("ann", f"line {number}")
    assert transcript.lines(last=2) == ["# … 48 steps left out …", "sleep 1", "#   ann < line 48", "#   ann < line 49"]


def test_long_scripts_keep_what_their_end_needs() -> None:
    """A token used at the end is still asked for at the beginning."""
    secrets = Secrets()
    secrets.keep(TOKEN, "ANN_TOKEN")
    transcript = Transcript(secrets)
    transcript.http("POST", "http://x/auth/guest", [], b"{}", json.dumps({"token": TOKEN}).join(["200 ", ""]))
    for _ in range(50):
        transcript.http("GET", "http://x/health", [], None, "200 {}")
    transcript.http("GET", "http://x/", [("Authorization", f"Bearer {TOKEN}")], None, "200")
    lines = transcript.lines(last=1)
    assert "ANN_TOKEN=$(pick token)" in lines
    assert "# … 50 steps left out …" in lines
    assert not any("health" in line for line in lines)


def test_long_scripts_open_the_sockets_that_their_end_needs() -> None:
    """And no others; what is whole is told from its beginning."""
    for whole in (False, True):
        transcript = Transcript(Secrets(), whole=whole)
        for name in ("ann", "bob"):
            transcript.opening(name, f"ws://x/?{name}")
        for _ in range(50):
            transcript.heard("ann", "nothing new")
        transcript.sent("ann", "{}", typed=True)
        opened = [line.split()[1] for line in transcript.lines(last=1) if line.startswith("exec ")]
        assert opened == (["{ann}>"] if not whole else ["{ann}>", "{bob}>"])


def test_what_was_as_it_must_be_need_not_be_told() -> None:
    """What went wrong is."""
    transcript = Transcript(Secrets())
    with transcript.unless_right():
        transcript.heard("ann", "right")
    with suppress(ValueError), transcript.unless_right():
        transcript.heard("ann", "wrong")
        raise ValueError
    assert transcript.lines() == ["sleep 1", "#   ann < wrong"]


def test_a_uuid_is_no_name_of_ours() -> None:
    """Only what the harness made up gets a new ending."""
    transcript = Transcript(Secrets())
    transcript.http("GET", "http://x/123e4567-e89b-12d3-a456-426614174000/ann-8d69528a7718", [], None, "404")
    assert transcript.lines()[-2].endswith("""GET http://x/123e4567-e89b-12d3-a456-426614174000/ann-8d69528a"$N\"""")
