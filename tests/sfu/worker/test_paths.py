"""Tests of a client's paths: which one media take, and how little an address gets that has not proved itself."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
import pytest_asyncio

from hype.sfu.worker import rtcp
from tests.sfu.worker.calls import Call, begin
from tests.sfu.worker.peer import TIMEOUT_S, Peer
from tests.sfu.worker.rig import Rig, payload, started

INTERVAL_S = 0.1
MULTIPLE = 3  # RFC 9000, 8.1
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick() -> AsyncIterator[Rig]:
    """Yield a worker for which a path without a check is silent after one second."""
    async with started("--consent-timeout", "4") as rig:
        yield rig


async def second_path(peer: Peer, *, truthful: bool = True) -> Peer:
    """Return the same client at another UDP address. truthful: it receives there what the worker sends."""
    other = Peer(peer.parameters)
    other.dtls = peer.dtls
    other.truthful = truthful
    await other.open()
    return other


async def repeat(act: Callable[[int], Awaitable[object]], met: Callable[[], bool]) -> None:
    """Act again and again, with a new number each time, until that is true."""
    async with asyncio.timeout(TIMEOUT_S):
        for number in itertools.count(1):
            if met():
                return
            await act(number)
            await asyncio.sleep(INTERVAL_S)


async def assert_heard(call: Call, at: Peer, number: int) -> None:
    """Assert that a packet with that number arrives at that address."""
    call.send(number, b"number %d" % number)
    await at.until(lambda: b"number %d" % number in map(payload, at.packets))


@pytest.mark.parametrize("truthful", [True, False])
async def test_a_handshake_is_answered_where_it_comes_from(rig: Rig, truthful: bool) -> None:
    """A client that nominates TCP, then UDP whose answers are lost or late, shakes hands by TCP."""
    transport_id, peer = await rig.open("send", tcp=True)
    deaf = await second_path(peer, truthful=truthful)
    rig.peers.append(deaf)
    await deaf.check()
    await rig.call("connectTransport", transportId=transport_id, dtlsParameters=peer.dtls_parameters)
    await peer.handshake()
    await rig.wait_for("transportConnected", transportId=transport_id)


async def test_a_nomination_of_a_deaf_path_moves_nothing(rig: Rig) -> None:
    """Media stay on TCP when the client nominates UDP, and nothing that the worker sends arrives there."""
    call = await begin(rig, "audio")
    recv, listener = await rig.connect("recv", tcp=True)
    await rig.consume(recv, call.producer_id, "audio")
    deaf = await second_path(listener, truthful=False)
    rig.peers.append(deaf)
    await deaf.check()
    await assert_heard(call, listener, 1)


async def test_media_follow_a_client_whose_address_changes(quick: Rig) -> None:
    """A client that checks from a new address without a nomination gets its media there, as the old one is silent."""
    call = await begin(quick, "audio")
    await assert_heard(call, call.receiver, 1)
    await call.receiver.open()

    async def check_and_speak(number: int) -> None:
        await call.sender.check()
        await call.receiver.check(nominate=False)
        call.send(number + 1)

    await repeat(check_and_speak, lambda: len(call.receiver.packets) > 1)
    await quick.clear()


async def test_media_follow_packets_with_a_right_tag(quick: Rig) -> None:
    """A client that has checked from a second address, and sends RTCP from there, gets its media there."""
    call = await begin(quick, "audio")
    await assert_heard(call, call.receiver, 1)
    await call.receiver.open()
    await call.receiver.check(nominate=False)

    async def report_and_speak(number: int) -> None:
        await call.sender.check()
        call.receiver.send_rtcp(rtcp.receiver_report(1, []))
        call.send(number + 1)

    await repeat(report_and_speak, lambda: len(call.receiver.packets) > 1)
    await quick.clear()


async def test_media_stay_on_a_living_path(quick: Rig) -> None:
    """Media stay where the client checks, though it checks from another address too, without a nomination."""
    call = await begin(quick, "audio")
    other = await second_path(call.receiver)
    quick.peers.append(other)

    async def check_both(number: int) -> None:
        await call.sender.check()
        await call.receiver.check(nominate=False)
        await other.check(nominate=False)
        call.send(number)

    await repeat(check_both, lambda: len(call.receiver.packets) >= 20)
    assert other.packets == []
    await quick.clear()


async def test_a_bystander_is_not_flooded(quick: Rig) -> None:
    """An address that checks, but never answers the worker, gets at most three times what came from there."""
    call = await begin(quick, "audio")
    await assert_heard(call, call.receiver, 1)
    bystander = await second_path(call.receiver, truthful=False)
    quick.peers.append(bystander)
    before = (await quick.call("stats"))["withheld"]
    numbers = itertools.count(2)

    async def check_and_speak(_number: int) -> None:
        await call.sender.check()
        await bystander.check()
        for number in itertools.islice(numbers, 20):
            call.send(number, bytes(1000))

    await repeat(check_and_speak, lambda: bool(bystander.packets))
    await check_and_speak(0)
    assert (await quick.call("stats"))["withheld"] > before
    assert bystander.bytes_received <= MULTIPLE * bystander.bytes_sent
    await quick.clear()


async def test_a_client_that_ignores_the_worker_s_requests_can_call(rig: Rig) -> None:
    """A client that answers no STUN request shakes hands, which proves that it receives, and gets all its media."""
    call = await begin(rig, "audio")
    recv = "silent"
    created = await rig.call("createTransport", transportId=recv, routerId="room", direction="recv")
    listener = Peer(created)
    rig.peers.append(listener)
    listener.truthful = False
    await listener.open()
    await listener.check()
    await rig.call("connectTransport", transportId=recv, dtlsParameters=listener.dtls_parameters)
    await listener.handshake()
    await rig.wait_for("transportConnected", transportId=recv)
    await rig.consume(recv, call.producer_id, "audio")
    for number in range(1, 41):
        call.send(number, bytes(1000))
    await listener.until(lambda: len(listener.packets) == 40)


async def test_an_address_belongs_to_one_transport(rig: Rig) -> None:
    """A check for somebody's own transport from another client's address leaves that client its path."""
    call = await begin(rig, "audio")
    _, thief = await rig.connect("recv")
    await assert_heard(call, call.receiver, 1)
    for victim in (call.receiver, call.sender):
        victim.send(thief.request())
    for number in range(2, 42):
        await assert_heard(call, call.receiver, number)
