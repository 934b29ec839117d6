"""Tests of a worker process: its port, and its end."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.sfu.worker.calls import begin
from tests.sfu.worker.peer import TIMEOUT_S
from tests.sfu.worker.rig import Rig, payload, started


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
async def test_media_passes_on_either_event_loop(loop: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker forwards on the event loop that it prefers, and on Python's own where uvloop is not installed."""
    if loop == "asyncio":
        (tmp_path / "uvloop.py").write_text("raise ImportError('not installed')")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    async with started() as rig:
        assert ("uvloop" in rig.libraries()) == (loop == "uvloop")
        for tcp in (False, True):
            call = await begin(rig, "audio", tcp=tcp)
            call.send(1, b"hello")
            assert [payload(each) for each in await call.arrived(1)] == [b"hello"]


async def test_idle_tcp_clients_take_no_descriptor_from_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A call goes on, and a client comes in by TCP, beside more idle TCP clients than the worker has descriptors."""
    ordinary = Rig.command

    def with_few(descriptor: int, *options: str) -> list[str]:
        return ["/bin/sh", "-c", f'ulimit -n 100; exec "$@" 2>{tmp_path}/log', "sh", *ordinary(descriptor, *options)]

    monkeypatch.setattr(Rig, "command", staticmethod(with_few))
    async with started() as rig:
        call = await begin(rig, "audio")
        with ExitStack() as idle:
            for _ in range(150):
                idle.enter_context(socket.create_connection(("127.0.0.1", rig.port)))
            call.send(1, b"hello")
            assert [payload(each) for each in await call.arrived(1)] == [b"hello"]
            other = await begin(rig, "audio", tcp=True)
            other.send(1, b"hello")
            assert [payload(each) for each in await other.arrived(1)] == [b"hello"]
        assert "Traceback" not in (tmp_path / "log").read_text()


async def test_two_workers_take_two_ports() -> None:
    """Each of two workers takes a free number of the range that they share (ruling R30)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    # Wider than two: on a busy machine the neighbour of a free number is often taken.
    numbers = range(number, number + 20)
    span = ("--min-port", str(numbers[0]), "--max-port", str(numbers[-1]))
    async with started(*span) as first, started(*span) as second:
        assert {first.port, second.port} <= set(numbers)
        assert first.port != second.port


async def test_a_range_without_a_free_port_is_an_error() -> None:
    """A worker without a free port exits with code 1 and a sentence."""
    async with started() as rig:
        ours, theirs = socket.socketpair()
        number = str(rig.port)
        command = rig.command(theirs.fileno(), "--min-port", number, "--max-port", number)
        process = await asyncio.create_subprocess_exec(
            *command, pass_fds=[theirs.fileno()], stderr=asyncio.subprocess.PIPE
        )
        theirs.close()
        _, text = await process.communicate()
        ours.close()
        assert process.returncode == 1
        assert text.decode().strip().splitlines()[-1].endswith("for media")


async def test_it_ends_when_its_link_does() -> None:
    """A worker ends when its link closes, so that none outlives its server."""
    async with started() as rig, asyncio.timeout(TIMEOUT_S):
        await rig.connect("send")
        rig.link.close()
        assert await rig.process.wait() == 0


async def test_it_ends_when_asked_to() -> None:
    """A worker ends after the request `shutdown`."""
    async with started() as rig, asyncio.timeout(TIMEOUT_S):
        await rig.call("shutdown")
        assert await rig.process.wait() == 0
