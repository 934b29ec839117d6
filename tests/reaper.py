"""The end of a PostgreSQL server, however the test run that started it ends: `python tests/reaper.py PID FOLDER`.

It waits in the background until its standard input ends, which happens even when the test run is killed. Then it stops
the server and removes its folder. A folder of hundreds of databases takes a while, for which no test has to wait.
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
    """Have the server with this process id and data folder stopped at the end of the block, or of this process."""
    end, hold = os.pipe()
    command = [sys.executable, str(Path(__file__).resolve()), str(pid), str(folder)]
    subprocess.run(command, stdin=end, check=True)
    os.close(end)
    try:
        yield
    finally:
        os.close(hold)


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
    """Go on in the background, wait for the end of the test run, then stop the server and remove its folder."""
    if os.fork():
        return
    os.setsid()  # Ctrl+C at the terminal does not reach it
    sys.stdin.read()
    for how in (signal.SIGQUIT, signal.SIGKILL):  # PostgreSQL calls the first an immediate shutdown
        with suppress(ProcessLookupError):
            os.kill(pid, how)
        if wait_for_end(pid):
            break
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
