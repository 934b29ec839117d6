"""Take something away from a copy of the server or its specs: it refuses to start and says why, or the harness sees it.

Each copy is started as a process of its own. The harness judges by the published specs, not by the copy's.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

import hype_contract.__main__ as harness
from tests.running import Serve, refusal

ROOT = Path(__file__).parent.parent.parent
SPECS = ("openapi.yaml", "asyncapi.yaml")


class Change(NamedTuple):
    """In `file`, `before` becomes `after`; what becomes of that: a sentence at the start, or a requirement broken."""

    file: str
    before: str
    after: str
    shown: str


REFUSED = {
    "an operation's function": Change(
        "hype/operations/servers.py",
        '"get_server", ',
        "",
        "operations that no function in hype/operations serves: getServer",
    ),
    "a route": Change(
        "openapi.yaml",
        "  /api/servers/{serverId}/channels:",
        "  x-gone:",
        "no operation of openapi.yaml: listServerChannels",
    ),
    "a method of a route": Change(
        "openapi.yaml",
        "    delete:\n      operationId: deleteMessage",
        "    x-gone:\n      operationId: deleteMessage",
        "no operation of openapi.yaml: deleteMessage",
    ),
    "an event handler": Change(
        "hype/gateway/handlers.py",
        "message, typing, voice_state)",
        "message, voice_state)",
        "asyncapi.yaml receives typing, which no gateway handler takes",
    ),
    "an event that clients send": Change(
        "asyncapi.yaml",
        "  receiveTyping:\n    action: receive",
        "  receiveTyping:\n    action: none",
        "asyncapi.yaml does not receive typing, but the gateway handles it",
    ),
    "an event that the server sends": Change(
        "asyncapi.yaml",
        "  sendMessageEdited:\n    action: send",
        "  sendMessageEdited:\n    action: none",
        "asyncapi.yaml sends no message_edited, but the gateway does",
    ),
    "a schema": Change(
        "openapi.yaml",
        "    MessageContent:\n",
        "    MessageContents:\n",
        "/components/schemas/MessageContent is referred to and does not exist",
    ),
}

SEEN = {
    "a maxLength": Change("openapi.yaml", "      maxLength: 2000\n      x-hype", "      x-hype", "R19.too-long"),
    "a minimum": Change("openapi.yaml", "minimum: 1, maximum: 1000", "maximum: 1000", "R16.query-bounds"),
    "a keyword of ours": Change(
        "openapi.yaml",
        "          x-hype-not-blank: true\n          x-hype-issue: {code: custom, message: content",
        "          x-hype-issue: {code: custom, message: content",
        "R19.not-blank",
    ),
    "a line of security": Change(
        "openapi.yaml",
        "      security: [{bearer: []}]\n      x-hype-policy: {allow: [self]}",
        "      security: [{}, {bearer: []}]\n      x-hype-policy: {allow: [self]}",
        "R7.no-token",
    ),
    "a policy": Change(
        "openapi.yaml", "\n      x-hype-policy: {allow: [creator, serverOwner]}\n", "\n", "P6.only-creator-or-owner"
    ),
    "a rule of visibility": Change("openapi.yaml", "          x-hype-visible-to: owner\n", "", "P7.email"),
    "an announcement": Change(
        "hype/operations/messages.py",
        '    call.unit.announce(RoomEvent(channel_id, "message", data, joins=call.origin))\n',
        "",
        "R36.stored-as-by-rest",
    ),
    "a limit of the gateway": Change(
        "asyncapi.yaml", "maxFrameBytes: 65536", "maxFrameBytes: 655360", "R32.frame-too-long"
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A folder with the server's package and the specs, which run in place of the installed ones."""
    folder = tmp_path / "copy"
    shutil.copytree(ROOT / "hype", folder / "hype", ignore=shutil.ignore_patterns("__pycache__", *SPECS))
    shutil.copytree(ROOT / "fixtures", folder / "fixtures")
    for name in SPECS:
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.mark.parametrize("name", REFUSED)
def test_without_it_the_server_does_not_start(copy: Path, name: str) -> None:
    """Specs and code that disagree about what exists stop the start with a sentence that names what is missing."""
    change = REFUSED[name]
    apply(change, copy)
    assert change.shown in refusal(copy, {"DATABASE_URL": "sqlite:///here.db"})


@pytest.mark.parametrize("name", SEEN)
def test_without_it_the_harness_fails(serve: Serve, copy: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A server that starts without a rule does not conform, and the harness names the requirement."""
    change = SEEN[name]
    apply(change, copy)
    assert judged(serve, copy, change.shown) == 1
    assert change.shown in capsys.readouterr().out


def test_with_everything_the_harness_passes(serve: Serve, copy: Path) -> None:
    """The copy as it is conforms in all that the tests above break."""
    assert judged(serve, copy, *(change.shown for change in SEEN.values())) == 0


def apply(change: Change, folder: Path) -> None:
    """Change the file; what is to be changed must be there, once."""
    path = folder / change.file
    text = path.read_text()
    assert text.count(change.before) >= 1, change
    path.write_text(text.replace(change.before, change.after))


def judged(serve: Serve, folder: Path, *requirements: str) -> int:
    """The exit code of the harness for these requirements."""
    server = serve("sqlite:///here.db", folder=folder)
    only = [word for requirement in requirements for word in ("--only", requirement)]
    return harness.main(
        ["--base-url", server.url, "--ws-url", server.ws_url, "--profile", "hardened", "--seed", "1", *only]
    )
