"""Tests of the target's text in reports: it contains no controls, changes no direction and begins no line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.__main__ import main
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case
from hype_contract.recording.printable import is_printable, printable
from tests.hype_contract.fake import NOW, Fake, Reply, Request, Route, guest, health, running

pytestmark = pytest.mark.slow

FALSE = "verdict: conforms   (1 s)"
BREAKS = ("\n", "\r", "\r\n", "\v", "\f", "\x1c", "\x85", "\u2028", "\u2029")
CONTROLS = ("\x00", "\x07", "\b", "\t", "\x1b[2K\x1b[1A", "\x7f", "\x9b31m")
BIDI = ("\u061c", "\u200e", "\u200f", *map(chr, range(0x202A, 0x202F)), *map(chr, range(0x2066, 0x206A)))
EVIL = "".join(f"{control}{FALSE}" for control in (*BREAKS, *CONTROLS, *BIDI)) + "\n"
EVIL_START = "\x1b[1A\u202e\x85" + FALSE
REPORTS = {"json": "report.json", "junit": "report.xml", "html": "report.html", "badge": "badge.svg"}


@pytest.mark.parametrize("control", [*BREAKS, *CONTROLS, *BIDI, "\ud800", "\ufffe"], ids=ascii)
def test_a_control_is_written_as_an_escape(control: str) -> None:
    """A control in a name or an item is escaped, and a second call changes nothing."""
    escaped = printable({f"a{control}b": [f"c{control}d"]})
    assert all(is_printable(name) for name in escaped)
    (text,) = (item for items in escaped.values() for item in items)
    assert is_printable(text)
    assert text.startswith("c\\")
    assert text.endswith("d")
    assert printable(text) == text


@pytest.mark.parametrize("text", ["Zürich, Жук, 漢字", "שלום", "👩\u200d🚀", "a \\n b", "<b>&amp;"])
def test_other_text_is_not_changed(text: str) -> None:
    """Text in any script, joined emoji and backslashes stay unchanged."""
    assert printable(text) == text


def evil_health(fake: Fake, request: Request) -> Reply:
    """Answer /health with controls in names and values."""
    body = health(fake, request)[1]
    assert isinstance(body, dict)
    return 200, {**body, "service": EVIL, EVIL: EVIL, "status": EVIL}


def evil_guest(fake: Fake, request: Request) -> Reply:
    """Log in a guest with controls in its profile."""
    status, body = guest(fake, request)
    assert isinstance(body, dict)
    body["data"]["user"] |= {"displayName": EVIL, "avatarUrl": EVIL}
    return status, body


def evil_frame(fake: Fake, connection: ServerConnection, text: str) -> None:
    """Send events that break their schemas, and close with a reason, all with controls."""
    connection.send(json.dumps({"type": EVIL, "data": EVIL, "timestamp": NOW}))
    connection.send(json.dumps({"type": "user_joined", "data": {EVIL: EVIL}, "timestamp": NOW}, ensure_ascii=False))
    connection.close(4000, FALSE[:20] + "\u202e\n")


EVIL_ROUTES: dict[str, Route] = {
    "GET /health": evil_health,
    "POST /auth/guest": evil_guest,
    "GET /api/channels": lambda fake, request: (418, {EVIL: EVIL}),
    "GET /api/users": lambda fake, request: (200, EVIL.encode()),
    "PUT /api/users/([^/]+)/status": lambda fake, request: (401 if not request.user else 500, {"error": EVIL}),
}
ONLY = ("R12.health", "R13.order", "R16.list", "R31.token-in-url", "R32.events-are-text", "spec.getHealth", "R17")


def honest(text: str) -> None:
    """Check that no line is the target's and no character a control, though the target's text is quoted."""
    assert [line for line in text.splitlines() if line.strip().startswith(FALSE)] == []
    assert [line for line in text.split("\n") if not is_printable(line)] == []
    assert "verdict: conforms" in " ".join(text.split()), "the target's text is not quoted, so this shows nothing"


def test_the_target_cannot_write_a_line_of_a_report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The console and each file quote bodies, frames and close reasons within one line."""
    files = [word for format, name in REPORTS.items() for word in (f"--{format}", str(tmp_path / name))]
    with running(Fake(routes=dict(EVIL_ROUTES), on_frame=evil_frame)) as fake:
        only = [word for id in ONLY for word in ("--only", id)]
        urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--profile", "hardened", "--seed", "1"]
        assert main([*urls, "--area", "rest", "--area", "gateway", *only, *files]) == 1
    out, err = capsys.readouterr()
    honest(out)
    assert err == ""
    assert out.rstrip().splitlines()[-1].startswith("verdict: does not conform")
    for name in ("report.json", "report.xml", "report.html"):
        text = (tmp_path / name).read_text()
        assert FALSE in text
        assert [line for line in text.split("\n") if not is_printable(line) or line.strip().startswith(FALSE)] == []
    document = json.loads((tmp_path / "report.json").read_text())
    assert printable(document) == document


def test_a_quote_in_the_verdict_is_one_line(
    fake: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The verdict quotes the error of a case, which may contain the target's text, within one line."""

    def breaks(world: World) -> None:
        raise ValueError(EVIL)

    monkeypatch.setattr("hype_contract.running.run.every_case", lambda contract: [Case("R12.health", "breaks", breaks)])
    words = ["--profile", "hardened", "--only", "R12.health"]
    assert main(["--base-url", fake.base_url, "--ws-url", fake.ws_url, *words]) == 3
    honest(capsys.readouterr().out)


def test_an_unusable_target_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The sentence of exit code 2 contains no controls, on the terminal and in the report."""
    everything: Route = lambda fake, request: (500, EVIL_START.encode())  # noqa: E731
    with running(Fake(routes={".* .*": everything})) as fake:
        place = tmp_path / "report.json"
        assert main(["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--json", str(place)]) == 2
    err = capsys.readouterr().err
    honest(err.removesuffix("\n"))
    assert err.count("\n") == 1
    document = json.loads(place.read_text())
    assert printable(document) == document


def test_the_target_cannot_write_a_line_of_pytest(tmp_path: Path) -> None:
    """The failures, the reasons of skips and the verdict in pytest quote the target within one line."""
    with running(Fake(routes=dict(EVIL_ROUTES), on_frame=evil_frame)) as fake:
        only = [word for id in ONLY for word in ("--hype-only", id)]
        urls = ["--hype-base-url", fake.base_url, "--hype-ws-url", fake.ws_url, "--hype-seed", "1"]
        command = [sys.executable, "-m", "pytest", "--pyargs", "hype_contract", "-p", "no:cacheprovider", "-rA"]
        ended = subprocess.run(
            [*command, *urls, "--hype-profile", "hardened", "--hype-area", "rest", "--hype-area", "gateway", *only],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert ended.returncode == 1, ended
    honest(ended.stdout)


def test_pytest_refuses_an_unusable_target_in_one_line(tmp_path: Path) -> None:
    """The collection error of pytest quotes the target within one line."""
    with running(Fake(routes={".* .*": lambda fake, request: (500, EVIL_START.encode())})) as fake:
        command = [sys.executable, "-m", "pytest", "--pyargs", "hype_contract", "-p", "no:cacheprovider"]
        ended = subprocess.run(
            [*command, "--hype-base-url", fake.base_url, "--hype-ws-url", fake.ws_url],
            cwd=tmp_path,
            env={},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert ended.returncode != 0
    honest(ended.stdout)
