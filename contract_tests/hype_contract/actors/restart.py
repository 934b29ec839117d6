"""The restart of the target by the command that `--restart-command` names."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from typing import TextIO

import httpx

from hype_contract.actors.must import NeedsOption, Skipped, Violation

COMMAND_S = 120.0
"""The seconds that the command may take."""
BACK_S = 60.0
"""The seconds after which a restarted target must answer again."""
_PAUSE_S = 0.1
_MOST_SHOWN = 1000


def restart(command: str | None, http: httpx.Client) -> None:
    """Restart the target, and wait until `GET /health` is answered 200.

    command: of a shell, or None. Raises `NeedsOption` without a command, `Skipped` with the end of its output when it
    fails, and `Violation` when the target does not come back.
    """
    if command is None:
        raise NeedsOption("--restart-command was not given, with which the target can be restarted")
    _run(command)
    deadline = time.monotonic() + BACK_S
    got = "no answer"
    while time.monotonic() < deadline:
        try:
            answer = http.get("/health")
        except httpx.TransportError as error:
            got = f"{type(error).__name__}: {error}"
        else:
            if answer.status_code == 200:
                return
            got = f"GET /health answers {answer.status_code}"
        time.sleep(_PAUSE_S)  # noqa: TID251 - the target is starting
    raise Violation(f"the target to answer again within {BACK_S:g} s after --restart-command", got)


def _run(command: str) -> None:
    """Run the command until it ends. What it starts in the background may go on, and keep its output open."""
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
        process = subprocess.Popen(  # noqa: S602 - the user's own command
            command,
            shell=True,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            code = process.wait(COMMAND_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise Skipped(f"--restart-command did not end within {COMMAND_S:g} s{_said(output)}") from None
        if code != 0:
            raise Skipped(f"--restart-command ended with exit code {code}{_said(output)}")


def _said(output: TextIO) -> str:
    output.seek(0)
    text = output.read().strip()
    return f": …{text[-_MOST_SHOWN:]}" if len(text) > _MOST_SHOWN else f": {text}" if text else " and no output"
