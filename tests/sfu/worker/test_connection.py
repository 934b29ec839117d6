"""Tests of connections in a worker process: how they are established, move and end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hype.sfu.framing import Refused
from tests.sfu.worker.peer import TIMEOUT_S
from tests.sfu.worker.rig import Rig, payload, rtp_packet, started

CHECK_INTERVAL_S = 0.1
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def quick() -> AsyncIterator[Rig]:
    """Yield a worker whose limits are one second."""
    async with started("--connect-timeout", "1", "--consent-timeout", "1") as rig:
        yield rig


async def assert_media_passes(rig: Rig, **options: bool) -> None:
    """Assert that media passes from a new client to another one."""
    send, speaker = await rig.connect("send", **options)
    recv, listener = await rig.connect("recv", **options)
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    speaker.send_rtp(rtp_packet(1, b"hello"))
    await listener.until(lambda: [payload(each) for each in listener.packets] == [b"hello"])


async def test_it_tells_its_port_and_candidates(rig: Rig) -> None:
    """A transport has one port for UDP and TCP, as mediasoup-client takes it (ruling R26)."""
    created = await rig.call("createTransport", transportId="t", routerId="room", direction="send")
    assert created["iceParameters"]["iceLite"] is True
    assert [(each["protocol"], each["port"], each["ip"]) for each in created["iceCandidates"]] == [
        ("udp", rig.port, "127.0.0.1"),
        ("tcp", rig.port, "127.0.0.1"),
    ]
    assert created["iceCandidates"][1]["tcpType"] == "passive"
    assert created["dtlsParameters"]["role"] == "auto"
    assert "sha-256" in {each["algorithm"] for each in created["dtlsParameters"]["fingerprints"]}


@pytest.mark.parametrize("gcm", [True, False])
@pytest.mark.parametrize("tcp", [False, True])
async def test_media_passes(rig: Rig, tcp: bool, gcm: bool) -> None:
    """Media passes over UDP and TCP, with both ciphers."""
    await assert_media_passes(rig, tcp=tcp, gcm=gcm)


async def test_a_client_that_does_not_shake_hands_is_closed(quick: Rig) -> None:
    """The time runs from a client's DTLS parameters (R30). The server closes a transport without them (A20)."""
    waiting, _ = await quick.open("recv")
    transport_id, peer = await quick.open("send")
    await quick.call("connectTransport", transportId=transport_id, dtlsParameters=peer.dtls_parameters)
    closed = await quick.wait_for("transportClosed", transportId=transport_id)
    # The handshake and the look at the transport have the same limit. Either may be first.
    assert closed["reason"] in {"connect timeout", "dtls failed"}
    with pytest.raises(Refused):
        await quick.call("closeTransport", transportId=transport_id)
    assert await quick.call("closeTransport", transportId=waiting) == {}


async def test_a_client_that_stops_checking_is_closed(quick: Rig) -> None:
    """A client that sends no more checks is closed (ruling R30)."""
    transport_id, _ = await quick.connect("send")
    await quick.produce(transport_id, "audio")
    await quick.wait_for("transportClosed", transportId=transport_id, reason="consent")
    stats = await quick.call("stats")
    assert (stats["producers"], stats["paths"]) == (0, 0)


async def test_a_client_that_goes_on_checking_is_kept(quick: Rig) -> None:
    """A client that sends checks is kept, though it sends no media."""
    transport_id, peer = await quick.connect("send")
    other, _ = await quick.connect("send")
    given_up = asyncio.create_task(quick.wait_for("transportClosed", transportId=other, reason="consent"))
    while not given_up.done():
        await peer.check()
        await asyncio.wait([given_up], timeout=CHECK_INTERVAL_S)
    await given_up
    assert transport_id not in {each.get("transportId") for each in quick.events if each["event"] == "transportClosed"}


async def test_a_goodbye_closes_at_once(rig: Rig) -> None:
    """A client that closes its DTLS association is closed at once."""
    transport_id, peer = await rig.connect("send")
    await peer.close()
    await rig.wait_for("transportClosed", transportId=transport_id, reason="dtls closed")


@pytest.mark.parametrize("method", ["closeTransport", "closeRouter"])
async def test_a_transport_that_the_server_closes_says_goodbye(rig: Rig, method: str) -> None:
    """A client whose transport or channel has been closed gets DTLS's close_notify, so that it needs no timeout."""
    transport_id, peer = await rig.connect("recv")
    async with asyncio.timeout(TIMEOUT_S):
        closed = asyncio.Event()
        peer.dtls.on("statechange", closed.set)
        await rig.call(
            method, **({"transportId": transport_id} if method == "closeTransport" else {"routerId": "room"})
        )
        await closed.wait()
    assert peer.dtls.state == "closed"


async def test_a_wrong_certificate_is_closed(rig: Rig) -> None:
    """A client whose certificate does not match its fingerprint is closed."""
    transport_id, peer = await rig.open("send")
    _, other = await rig.open("send")
    await rig.call("connectTransport", transportId=transport_id, dtlsParameters=other.dtls_parameters)
    shaking = asyncio.create_task(peer.handshake())
    await rig.wait_for("transportClosed", transportId=transport_id, reason="dtls failed")
    shaking.cancel()
    assert not any(each["event"] == "transportConnected" and each["transportId"] == transport_id for each in rig.events)


async def test_a_client_that_moves_is_followed(rig: Rig) -> None:
    """Media follows a client to the address that it nominates, and not to another one."""
    send, speaker = await rig.connect("send")
    recv, listener = await rig.connect("recv")
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    speaker.send_rtp(rtp_packet(1, b"before"))
    await listener.until(lambda: len(listener.packets) == 1)
    await listener.open()
    await listener.check(nominate=False)
    await listener.check()
    speaker.send_rtp(rtp_packet(2, b"after"))
    await listener.until(lambda: len(listener.packets) == 2)


async def test_ice_can_be_restarted(rig: Rig) -> None:
    """Media goes on under the new credentials after an ICE restart."""
    send, speaker = await rig.connect("send")
    recv, listener = await rig.connect("recv")
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    old = listener.parameters["iceParameters"]
    listener.parameters |= await rig.call("restartIce", transportId=recv)
    assert listener.parameters["iceParameters"]["usernameFragment"] != old["usernameFragment"]
    speaker.send_rtp(rtp_packet(1, b"meanwhile"))
    await listener.until(lambda: len(listener.packets) == 1)
    await listener.open()
    await listener.check()
    speaker.send_rtp(rtp_packet(2, b"after"))
    await listener.until(lambda: len(listener.packets) == 2)


async def test_joining_and_leaving_leaves_nothing_behind(rig: Rig) -> None:
    """Tasks, paths and connections are after many joins and leaves what they were before."""
    before = await rig.call("stats")
    for tcp in (False, True) * 10:
        transport_id, peer = await rig.connect("send", tcp=tcp)
        await rig.produce(transport_id, "audio")
        await rig.call("closeTransport", transportId=transport_id)
        await peer.close(politely=False)
    await assert_media_passes(rig)
    await rig.call("closeRouter", routerId="room")
    after = await rig.call("stats")
    kept = ("routers", "transports", "producers", "consumers", "paths", "unidentified", "failures")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["tasks"] <= before["tasks"] + 2  # goodbyes of this very moment
