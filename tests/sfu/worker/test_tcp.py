"""Tests of the TCP port of a worker: connections that say nothing, and clients that come after them."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from tests.sfu.worker.calls import begin
from tests.sfu.worker.rig import Rig, payload

SILENT = 260  # connections; a worker keeps 256 without a check
pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_silent_connections_keep_no_client_out(rig: Rig) -> None:
    """A client on TCP joins and hears though 260 connections have said nothing, and those do not pile up."""
    with ExitStack() as stack:
        for _ in range(SILENT):
            stack.enter_context(socket.create_connection(("127.0.0.1", rig.port)))
        call = await begin(rig, "audio", tcp=True)
        call.send(1, b"hello")
        assert [payload(each) for each in await call.arrived(1)] == [b"hello"]
        assert (await rig.call("stats"))["unidentified"] <= 256


async def test_a_connection_that_was_checked_is_not_cut(rig: Rig) -> None:
    """A call over TCP goes on while 260 connections come after it and say nothing."""
    call = await begin(rig, "audio", tcp=True)
    with ExitStack() as stack:
        for _ in range(SILENT):
            stack.enter_context(socket.create_connection(("127.0.0.1", rig.port)))
        await rig.connect("recv", tcp=True)
        call.send(1, b"hello")
        assert [payload(each) for each in await call.arrived(1)] == [b"hello"]
