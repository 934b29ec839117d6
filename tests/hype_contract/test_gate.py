"""Tests of a gate before the target: headers that each request and handshake has, and that no report shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hype_contract.__main__ import main
from tests.hype_contract.fake import Fake, running, without_a_version

_SECRET = "let-me-in-0123456789"
_HARNESS = ("--profile", "hardened", "--seed", "7")


def test_each_request_has_the_headers_for_the_gate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests, generated requests, requests as octets and handshakes have them; no report has their values."""
    rules = ["R12.health", "spec.getHealth", "R34.without-channel-alone", "A19.trailers"]
    reports = [word for name in ("json", "junit", "html") for word in (f"--{name}", str(tmp_path / f"it.{name}"))]
    gate = ["--header", f"X-Gate: {_SECRET}", "--header", "X-Team: 7", "--origin", "https://chat.example"]
    with running(Fake(routes={"GET /health": without_a_version})) as fake:
        urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url]
        code = main([*urls, *_HARNESS, *gate, *reports, *(word for id in rules for word in ("--only", id))])
    assert code == 1
    heads = [head.lower() for head in fake.heads]
    assert any("schemathesis" in head for head in heads)
    assert any("sec-websocket-key" in head for head in heads)
    for head in heads:
        assert f"x-gate: {_SECRET}" in head, head
        assert "x-team: 7" in head
        assert head.count("origin: https://chat.example") == 1, head
    shown = [capsys.readouterr().out, *(path.read_text() for path in tmp_path.iterdir())]
    assert not any(_SECRET in text for text in shown)
    requirements = json.loads((tmp_path / "it.json").read_text())["requirements"]
    failed = next(rule for rule in requirements if rule["id"] == rules[0])
    assert '--header "$X_GATE_HEADER" --header "$X_TEAM_HEADER" --origin https://chat.example' in failed["reproduce"]
    script = "\n".join(line for rule in requirements for case in rule["cases"] for line in case["script"])
    assert '-H "$X_GATE_HEADER" -H "$X_TEAM_HEADER"' in script


@pytest.mark.parametrize(
    ("header", "sentence"),
    [
        ("Authorization: Basic dXNlcg==", "Authorization carries the tokens of the harness's users"),
        ("Content-Length: 5", "the cases set Content-Length themselves"),
        ("X-Gate", "it must be of the form 'Name: value'"),
        ("X-Gate: a\r\nHost: b", "it must be of the form 'Name: value'"),
    ],
)
def test_a_header_that_no_request_can_have_is_refused(
    header: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A header that the cases judge, or that is none, is refused with the reason."""
    with pytest.raises(SystemExit) as ended:
        main(["--header", header])
    assert ended.value.code == 2
    assert sentence in " ".join(capsys.readouterr().err.split())
