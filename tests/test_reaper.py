"""A test run that is killed leaves no PostgreSQL behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.reaper import wait_for_end

pytestmark = pytest.mark.slow

_RUN = """
from tests.databases import postgresql
with postgresql() as server:
    print(server.get_pid(), server.pgdata, flush=True)
    input()
"""


def test_a_killed_run_leaves_no_server_and_no_data() -> None:
    """PostgreSQL ends when SIGKILL ends the process that started it, and its folder goes."""
    root = Path(__file__).parent.parent
    command = [sys.executable, "-W", "ignore", "-c", _RUN]
    with subprocess.Popen(command, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        pid, folder = run.stdout.readline().split()
        run.kill()
        run.stdout.read()  # it ends when the last process that the run has started does
    assert wait_for_end(int(pid))
    assert not Path(folder).exists()
