"""The end of a PostgreSQL server whose test run was killed: `python -m tests.reaper PID FOLDER`.

It waits until its standard input ends, which happens however the test run ends. Then it stops the server, if it is
still there, and removes its folder.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

__all__ = ["guarded", "wait_for_end"]

_PATIENCE_MS: Final = 10_000


@contextmanager
def guarded(pid: int, folder: Path) -> Iterator[None]:
    """Have the server with this process id and data folder stopped when this process ends, even by SIGKILL."""
    command = [sys.executable, str(Path(__file__).resolve()), str(pid), str(folder)]
    # A session of its own, so that Ctrl+C at the terminal does not reach it.
    with subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True) as reaper:
        yield
        assert reaper.stdin is not None
        reaper.stdin.close()


def wait_for_end(pid: int, patience_ms: int = _PATIENCE_MS) -> bool:
    """Wait until a process has ended; False when it has not in time."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], patience_ms / 1000)[0])
    finally:
        os.close(handle)


def main(pid: int, folder: Path) -> None:
    """Wait for the end of the test run, then stop the server and remove its folder."""
    sys.stdin.read()
    for how in (signal.SIGQUIT, signal.SIGKILL):  # PostgreSQL calls the first an immediate shutdown
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        if wait_for_end(pid):
            break
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
