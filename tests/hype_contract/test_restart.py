"""The harness restarts its target: what a real server keeps, and what is said when the command is no good."""

from __future__ import annotations

import httpx
import pytest

from hype_contract.actors import restart
from hype_contract.actors.must import NeedsOption, Skipped, Violation
from tests.hype_contract.fake import Fake
from tests.mutants.judging import harness, serving


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_server_with_a_file_survives_a_restart() -> None:
    """Users, messages, sessions and revocations are in the database; sockets are closed with 1001."""
    with serving("none", "hardened") as address:
        code, told, _ = harness(address, "hardened", ["restart."], restarts=True)
    assert code == 0, told
    assert "5 pass" in told, told  # the requirements of REST; that of the gateway is beside them


def test_without_the_command_it_is_not_judged() -> None:
    """A run without the command leaves the requirement out by choice, and its verdict stays complete."""
    with pytest.raises(NeedsOption, match="--restart-command"):
        restart.restart(None, httpx.Client())


@pytest.mark.parametrize(
    ("command", "said"),
    [("echo no such unit; exit 3", "exit code 3: no such unit"), ("exit 1", "exit code 1 and no output")],
)
def test_a_command_that_fails_is_told_with_its_output(command: str, said: str) -> None:
    """A command that fails skips the case; the target has broken nothing."""
    with pytest.raises(Skipped, match=said):
        restart.restart(command, httpx.Client())


def test_a_command_that_does_not_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that hangs is killed, and the reason has its output so far."""
    monkeypatch.setattr(restart, "COMMAND_S", 0.2)
    with pytest.raises(Skipped, match=r"did not end within 0.2 s: stopping"):
        restart.restart("echo stopping; exec sleep 60", httpx.Client())


def test_what_the_command_leaves_running_is_not_waited_for(fake: Fake) -> None:
    """The command may leave a server in the background, which keeps the command's output open."""
    with httpx.Client(base_url=fake.base_url) as http:
        restart.restart("sleep 5 & echo started", http)


def test_a_target_that_stays_away_is_a_breach(monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that listens no more after the command has ended breaks the requirement."""
    monkeypatch.setattr(restart, "BACK_S", 0.2)
    with (
        httpx.Client(base_url="http://127.0.0.1:1") as http,
        pytest.raises(Violation, match="to answer again"),
    ):
        restart.restart("true", http)
