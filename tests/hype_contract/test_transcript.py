"""Tests of transcripts: their scripts replay a case and contain no secret."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from hype_contract.recording.script import curl
from hype_contract.recording.secrecy import Secrets
from hype_contract.recording.transcript import Transcript

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJ1c2VySWQiOiJhIn0.c2lnbmF0dXJl"


def test_a_known_secret_becomes_a_shell_variable() -> None:
    """A variable replaces a known secret, and an earlier line of the script defines it."""
    secrets = Secrets()
    secrets.keep(TOKEN, "ANN_TOKEN")
    transcript = Transcript(secrets)
    transcript.http("GET", "http://x/", [("Authorization", f"Bearer {TOKEN}")], None, f"200 {TOKEN}")
    _, definition, command, answer = transcript.lines("http://x")
    assert definition.startswith("ANN_TOKEN=$(curl -sS http://x/auth/guest ")
    assert command.endswith("""-H 'Authorization: Bearer '"$ANN_TOKEN" | cat -v""")
    assert answer == "#   → 200 $ANN_TOKEN"


@pytest.mark.parametrize(
    "text", [f"got {TOKEN}", '{"password": "hunter2 \\" eyJ"}', f'{{"refreshToken":"{TOKEN}"}}', '{"token": "s3cret"}']
)
def test_secrets_without_a_name_are_hidden(text: str) -> None:
    """A token is hidden because of its form, a password because of its member."""
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
    """A request becomes a curl command, also if its bytes are no valid argument."""
    assert curl("PUT", "http://x/a", [], body) == command


def test_a_secret_is_found_beside_a_quote() -> None:
    """A secret that contains a quote is replaced before the text is quoted."""
    secrets = Secrets()
    secrets.keep("it's", "ANN_PASSWORD")
    transcript = Transcript(secrets)
    transcript.http("POST", "http://x/", [], b"[it's]", "200")
    assert transcript.lines()[-2].endswith("""--data-binary '['"$ANN_PASSWORD"']' | cat -v""")


def test_long_scripts_keep_their_end() -> None:
    """A long script keeps its last steps and says how many are left out."""
    transcript = Transcript(Secrets())
    for number in range(50):
        transcript.heard("ann", f"line {number}")
    assert transcript.lines(last=2) == ["# … 48 steps left out …", "sleep 1", "#   ann < line 48", "#   ann < line 49"]


def test_long_scripts_keep_what_their_end_needs() -> None:
    """A shortened script keeps the request that brought a token of its last steps."""
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
    """A shortened script opens only the sockets of its last steps; a whole transcript is not shortened."""
    for whole in (False, True):
        transcript = Transcript(Secrets(), whole=whole)
        for name in ("ann", "bob"):
            transcript.opening(name, f"ws://x/?{name}")
        for _ in range(50):
            transcript.heard("ann", "nothing new")
        transcript.sent("ann", "{}", typed=True)
        opened = [line.split()[1] for line in transcript.lines(last=1) if line.startswith("exec ")]
        assert opened == (["{ann}>"] if not whole else ["{ann}>", "{bob}>"])


def test_a_check_without_a_failure_leaves_no_steps() -> None:
    """The transcript keeps the steps of `unless_right` only if the block raises."""
    transcript = Transcript(Secrets())
    with transcript.unless_right():
        transcript.heard("ann", "right")
    with suppress(ValueError), transcript.unless_right():
        transcript.heard("ann", "wrong")
        raise ValueError
    assert transcript.lines() == ["sleep 1", "#   ann < wrong"]


def test_a_uuid_gets_no_new_ending() -> None:
    """Only a name that the harness made gets a new ending, not a UUID."""
    transcript = Transcript(Secrets())
    transcript.http("GET", "http://x/123e4567-e89b-12d3-a456-426614174000/ann-8d69528a7718", [], None, "404")
    assert transcript.lines()[-2].endswith(
        """GET http://x/123e4567-e89b-12d3-a456-426614174000/ann-8d69528a"$N" | cat -v"""
    )


def test_the_step_that_went_wrong_is_marked() -> None:
    """The sentence about the failure stands below the marked step; later steps but closings are left out."""
    transcript = Transcript(Secrets())
    transcript.opening("ann", "ws://h/")
    transcript.sent("ann", "{}", typed=True)
    transcript.mark()
    transcript.opening("bob", "ws://h/")
    transcript.left("bob")
    transcript.left("ann")
    transcript.heard("ann", "closed with 1000")
    lines = list(transcript.lines(wrong="expected a, got b"))
    assert lines[-3:] == ["sleep 1", "#   ↑ expected a, got b", "exec {ann}>&-"]
