"""Reports on servers with three bugs that have nothing to do with each other: three groups, each fit for a screen."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.__main__ import main
from tests.hype_contract.fake import Fake, Reply, Request, Route, create_channel, health, joined, running

JUDGED = ("R12.health", "R12.api", "R14.type-letter-case", "R31.token-in-url", "R33.frames-are-events", "R34.joiner")
ROWS, COLUMNS = 40, 120
"""The size of a terminal on which a group can be read without scrolling."""


def changed(reply: Reply, **members: Any) -> Reply:
    """Return an answer with other members; a member that is None is missing."""
    status, body = reply
    assert isinstance(body, dict)
    inner = body.get("data", body)
    made = {name: value for name, value in {**inner, **members}.items() if value is not None or name not in members}
    return status, {**body, "data": made} if "data" in body else made


def health_as_number(fake: Fake, request: Request) -> Reply:
    """Answer a number where a name is due."""
    return changed(health(fake, request), service=7)


def channel_without_type(fake: Fake, request: Request) -> Reply:
    """Leave a member out that every channel has."""
    return changed(create_channel(fake, request), type=None)


def joined_in_silence(fake: Fake, socket: ServerConnection, text: str) -> None:
    """Answer a user_joined with a channel, and no other, which is what the gateway is greeted with."""
    if json.loads(text)["data"].get("channelId"):
        joined(fake, socket, text)


def api_as_html(fake: Fake, request: Request) -> Reply:
    """Answer a page."""
    return 200, b"<html></html>"


def channel_refused(fake: Fake, request: Request) -> Reply:
    """Refuse every channel."""
    return 400, {"success": False, "error": "no"}


def greeting(socket: ServerConnection) -> None:
    """Say hello in no JSON."""
    socket.send("hello")


def three(number: int) -> Fake:
    """Return a server with one of two sets of three bugs."""
    if number == 0:
        routes: dict[str, Route] = {"GET /health": health_as_number, "POST /api/channels": channel_without_type}
        return Fake(routes=routes, on_frame=joined_in_silence)
    return Fake(routes={"GET /api": api_as_html, "POST /api/channels": channel_refused}, on_connect=greeting)


@pytest.mark.parametrize(
    ("number", "causes"),
    [
        (
            0,
            {
                "GET /health answers 200 wrongly: service: 'Hype Backend' was expected",
                "a channel's type is accepted in either letter case and shown in upper case",
                "user_joined does not come",
            },
        ),
        (
            1,
            {
                "GET /api names the server's profile and its endpoints",
                "POST /api/channels answers 400 where 201 is due",
                "each frame of the server is an object with type, data and timestamp",
            },
        ),
    ],
)
def test_three_bugs_are_three_groups(
    number: int, causes: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each cause is told once, and its group fits on a screen."""
    monkeypatch.setattr("hype_contract.actors.clients.gateway.PATIENCE_S", 0.3)
    report = tmp_path / "report.json"
    only = [word for id in JUDGED for word in ("--only", id)]
    with running(three(number)) as fake, redirect_stdout(io.StringIO()) as console:
        where = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--profile", "hardened", "--seed", "1"]
        assert main([*where, *only, "--json", str(report)]) == 1
    groups = json.loads(report.read_text())["groups"]
    assert {group["title"] for group in groups} == causes
    told = console.getvalue().partition("\noperation")[0].split("\n\n")
    shown = [block.splitlines() for block in told if block.startswith("FAIL ")]
    assert len(shown) == len(causes)
    rows = [sum(max(1, -(-len(line) // COLUMNS)) for line in block) for block in shown]
    assert max(rows) <= ROWS, rows
