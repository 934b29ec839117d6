"""`python -m tests.mutants.again FOLDER`: end the server of that folder, and start it once more on the same ports.

`note` writes what the command needs. So the harness can restart a server that another process has started.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

__all__ = ["command", "end", "note"]

_NOTES: Final = "server.json"
_PATIENCE_S: Final = 60.0
_PAUSE_S: Final = 0.05


def note(folder: Path, pid: int, ports: tuple[int, int], words: Sequence[str], environment: Mapping[str, str]) -> None:
    """Write down a server. ports: of REST and of the gateway. words, environment: its command's."""
    about = {"pid": pid, "ports": ports, "words": [*words], "environment": {**environment}}
    (folder / _NOTES).write_text(json.dumps(about))


def command(folder: Path) -> str:
    """Return the command of a shell that restarts the server of the folder."""
    return f"cd '{Path(__file__).parents[2]}' && '{sys.executable}' -m tests.mutants.again '{folder}'"


def end(folder: Path) -> None:
    """End the server of the folder, and wait until it listens no more. Raises TimeoutError, and kills it, if it hangs."""
    about = json.loads((folder / _NOTES).read_text())
    with suppress(ProcessLookupError):
        os.kill(about["pid"], signal.SIGTERM)
    try:
        _wait(lambda: not any(map(_listens, about["ports"])), "the server did not end")
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.kill(about["pid"], signal.SIGKILL)
        raise


def restart(folder: Path) -> None:
    """Restart the server of the folder, and wait until it has greeted. Raises TimeoutError."""
    end(folder)
    about = json.loads((folder / _NOTES).read_text())
    port, ws_port = about["ports"]
    own = {"PORT": str(port), "WS_PORT": str(ws_port)}
    greeting = folder / "greeting"
    with greeting.open("w") as output, (folder / "log").open("a") as log:
        process = subprocess.Popen(
            about["words"],
            cwd=folder,
            env={**about["environment"], **own},
            stdout=output,
            stderr=log,
            start_new_session=True,
        )
    note(folder, process.pid, (port, ws_port), about["words"], about["environment"])
    _wait(lambda: "stops it" in greeting.read_text(), "the server did not start")


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _wait(until: Callable[[], bool], otherwise: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not until():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} within {_PATIENCE_S:g} s")
        time.sleep(_PAUSE_S)  # noqa: TID251 - another process ends or starts


if __name__ == "__main__":
    restart(Path(sys.argv[1]))
