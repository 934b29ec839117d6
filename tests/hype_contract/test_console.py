"""Tests of the whole command on the fake: it prints the failures first and the verdict last."""

from __future__ import annotations

import jwt
import pytest

from hype_contract.__main__ import main
from tests.hype_contract.fake import Fake, Reply, Request, guest, health, running


def judge(fake: Fake, *options: str) -> int:
    """Run the command against a fake, and return its exit code."""
    return main(["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--seed", "7", *options])


def test_a_partial_run_that_passes_conforms_and_says_how_little_it_saw(
    fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run with `--only` conforms if these requirements pass, and shows only what it has seen, in their area."""
    assert judge(fake, "--only", "R12.health") == 0
    out = capsys.readouterr().out
    assert "verdict: conforms" in out.splitlines()[-1]
    assert "only some requirements were judged" in out
    row = next(line for line in out.splitlines() if line.startswith("getHealth "))
    assert "pass" in row
    assert "createMessage" not in out
    assert "user_joined" not in out


def test_a_failure_is_shown_with_its_source_and_a_way_to_repeat_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A failure comes before the tables, with its source, a command and a script; the exit code is 1."""

    def degraded(fake: Fake, request: Request) -> Reply:
        body = dict(health(fake, request)[1])  # type: ignore[call-overload]
        return 200, {**body, "checks": {"database": "error", "sfu": "ok"}}

    with running(Fake(routes={"GET /health": degraded})) as fake:
        assert judge(fake, "--only", "R12.health") == 1
    out = capsys.readouterr().out
    for part in ("FAIL R12.health", "/Health; ruling R12", "--only R12.health --seed 7", "curl -sS"):
        assert part in out
    assert out.index("FAIL R12.health") < out.index("operation ")
    assert out.splitlines()[-1].startswith("verdict: does not conform")


@pytest.mark.parametrize("others", [(), ("--only", "R12.health")], ids=["alone", "among others"])
def test_an_unknown_id_is_refused(fake: Fake, others: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """An id that begins no requirement's is refused before the run, also among others that exist."""
    assert judge(fake, *others, "--only", "R99") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "--only 'R99': no requirement has an id that begins so" in err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--only", "answer.createMessage.201"), "no case judges answer.createMessage.201 by itself"),
        (("--only", "R34", "--area", "rest"), "names nothing in --area rest: leave --area out"),
        (("--only", "R38.leave", "--level", "documented"), "names nothing at --level documented: leave --level out"),
        (("--only", "P4.claim"), "names nothing in the hardened profile: try --profile documented"),
        (("--only", "R12", "--jwt-access-secret", "wrong"), "--jwt-access-secret is not the secret"),
    ],
)
def test_what_cannot_be_judged_as_asked_is_refused(
    words: tuple[str, ...], sentence: str, fake: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    """A rule that coverage decides, a rule of another area, and a wrong secret are refused, each in a sentence."""

    def signed(fake: Fake, request: Request) -> Reply:
        answer = guest(fake, request)[1]
        assert isinstance(answer, dict)
        answer["data"]["accessToken"] = jwt.encode({"sub": "a"}, "r" * 32, "HS256")
        return 200, answer

    fake.routes["POST /auth/guest"] = signed
    assert judge(fake, *words) == 2
    assert sentence in capsys.readouterr().err


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """The help contains examples and the exit codes."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert "exit codes:" in out
    assert "--area rest" in out
