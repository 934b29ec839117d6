"""Tests of a worker on a system without recvmmsg and sendmmsg, such as macOS."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import cffi
import pytest
import pytest_asyncio

from hype.sfu.worker import datagrams
from hype.sfu.worker.outgoing import OutgoingSocket
from tests.sfu.worker.calls import begin
from tests.sfu.worker.receiving import Client
from tests.sfu.worker.rig import Rig, payload, sequence, started
from tests.sfu.worker.test_bursts import begin as fan_out_to
from tests.sfu.worker.test_bursts import content, send

WITHOUT = (
    "import sys, cffi\n"
    "cffi.FFI.dlopen = lambda ffi, name: object()\n"
    "from hype.sfu.worker.__main__ import main\n"
    "sys.exit(main())"
)


@pytest_asyncio.fixture
async def plain_rig(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rig]:
    """Yield a worker whose C library has neither call."""
    ordinary = Rig.command

    def command(descriptor: int, *options: str) -> list[str]:
        return [sys.executable, "-c", WITHOUT, *ordinary(descriptor, *options)[3:]]

    monkeypatch.setattr(Rig, "command", staticmethod(command))
    async with started() as rig:
        yield rig


@pytest.fixture(params=["no call", "no library"])
def without_calls(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Take the calls away from this process for the test."""

    def dlopen(ffi: Any, name: Any) -> object:
        if request.param == "no library":  # as on Windows
            raise OSError("dlopen(None) cannot work on Windows for Python 3")
        return object()

    monkeypatch.setattr(cffi.FFI, "dlopen", dlopen)
    datagrams.libc.cache_clear()
    yield
    datagrams.libc.cache_clear()


@pytest.mark.parametrize("kind", ["audio", "video"])
async def test_a_call_works(plain_rig: Rig, kind: str) -> None:
    """A call has its audio and its video, each datagram by a system call of its own."""
    call = await begin(plain_rig, kind)
    first = b"\x10\x00\x00\x00\x9d\x01\x2a" if kind == "video" else b""
    for number in range(20):
        call.send(number, first + b"%d" % number)
    packets = await call.arrived(20)
    assert [payload(packet)[len(first) :] for packet in packets] == [b"%d" % number for number in range(20)]
    stats = await plain_rig.call("stats")
    assert stats["packetsOut"] == stats["messagesOut"] == 20


def test_a_burst_leaves_packet_by_packet(
    without_calls: None, outgoing: OutgoingSocket, listen: Callable[..., Client]
) -> None:
    """Each receiver gets each packet of a burst, in order, though the kernel would take it as one message."""
    clients = [listen(number) for number in range(3)]
    fan_out = fan_out_to(outgoing, clients)
    send(fan_out, [content(number, 300) for number in range(5)])
    outgoing.flush()
    for client in clients:
        packets = client.received()
        assert [payload(packet) for packet in packets] == [content(number, 300) for number in range(5)]
        assert [sequence(packet) for packet in packets] == list(range(5))
    assert outgoing.sent == 15
    assert not outgoing.segmentation
