"""A worker process, driven over its link: how transports connect, move and end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hype.sfu.framing import Refused
from tests.sfu.worker.peer import PATIENCE_S
from tests.sfu.worker.rig import AUDIO_SSRC, Rig, payload, rtp_packet, started

CHECKS_EVERY_S = 0.1
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def worker() -> AsyncIterator[Rig]:
    """A worker that waits as long as it does in production."""
    async with started() as rig:
        yield rig


@pytest_asyncio.fixture(loop_scope="module")
async def rig(worker: Rig) -> AsyncIterator[Rig]:
    """That worker, with nobody there."""
    yield worker
    await worker.empty()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hasty() -> AsyncIterator[Rig]:
    """A worker that waits for one second."""
    async with started("--connect-timeout", "1", "--consent-timeout", "1") as rig:
        yield rig


async def hears(rig: Rig, **options: bool) -> None:
    """Media passes from one new client to another one."""
    send, speaker = await rig.connect("send", **options)
    recv, listener = await rig.connect("recv", **options)
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    speaker.send_rtp(rtp_packet(1, b"hello"))
    await listener.until(lambda: [payload(each) for each in listener.packets] == [b"hello"])


async def test_it_tells_its_port_and_candidates(rig: Rig) -> None:
    """One number for UDP and TCP, as mediasoup-client takes it (ruling R26)."""
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
    """Over UDP and TCP, with both ciphers."""
    await hears(rig, tcp=tcp, gcm=gcm)


async def test_two_workers_take_two_ports() -> None:
    """Each takes a free number of the range that they share (ruling R30)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number = probe.getsockname()[1]
    # Wider than two: on a busy machine a neighbour of a free number is often somebody's.
    numbers = range(number, number + 20)
    span = ("--min-port", str(numbers[0]), "--max-port", str(numbers[-1]))
    async with started(*span) as first, started(*span) as second:
        assert {first.port, second.port} <= set(numbers)
        assert first.port != second.port


async def test_a_range_without_a_free_port_is_an_error() -> None:
    """Exit code 1 and a sentence."""
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
    """A server that died leaves nobody behind."""
    async with started() as rig, asyncio.timeout(PATIENCE_S):
        await rig.connect("send")
        rig.link.close()
        assert await rig.process.wait() == 0


async def test_it_ends_when_asked_to() -> None:
    """The same, with an answer."""
    async with started() as rig, asyncio.timeout(PATIENCE_S):
        await rig.call("shutdown")
        assert await rig.process.wait() == 0


async def test_a_client_that_does_not_shake_hands_is_closed(hasty: Rig) -> None:
    """The time runs from its DTLS parameters (R30); a transport without them is the server's to close (A20)."""
    waiting, _ = await hasty.open("recv")
    transport_id, peer = await hasty.open("send")
    await hasty.call("connectTransport", transportId=transport_id, dtlsParameters=peer.dtls_parameters)
    closed = await hasty.told("transportClosed", transportId=transport_id)
    # The handshake and the look at the transport have the same limit. Either may be first.
    assert closed["reason"] in {"connect timeout", "dtls failed"}
    with pytest.raises(Refused):
        await hasty.call("closeTransport", transportId=transport_id)
    assert await hasty.call("closeTransport", transportId=waiting) == {}


async def test_who_stops_checking_is_closed(hasty: Rig) -> None:
    """A client whose network is gone says nothing; its silence does (ruling R30)."""
    transport_id, _ = await hasty.connect("send")
    await hasty.produce(transport_id, "audio")
    await hasty.told("transportClosed", transportId=transport_id, reason="consent")
    stats = await hasty.call("stats")
    assert (stats["producers"], stats["paths"]) == (0, 0)


async def test_who_goes_on_checking_is_kept(hasty: Rig) -> None:
    """Checks are the sign of life, media is not needed."""
    transport_id, peer = await hasty.connect("send")
    other, _ = await hasty.connect("send")
    given_up = asyncio.create_task(hasty.told("transportClosed", transportId=other, reason="consent"))
    while not given_up.done():
        await peer.check()
        await asyncio.wait([given_up], timeout=CHECKS_EVERY_S)
    await given_up
    assert transport_id not in {each.get("transportId") for each in hasty.events if each["event"] == "transportClosed"}


async def test_a_goodbye_closes_at_once(rig: Rig) -> None:
    """A page that is closed says so, by DTLS."""
    transport_id, peer = await rig.connect("send")
    await peer.close()
    await rig.told("transportClosed", transportId=transport_id, reason="dtls closed")


async def test_a_wrong_certificate_is_closed(rig: Rig) -> None:
    """Whoever shakes hands must be whoever asked by REST."""
    transport_id, peer = await rig.open("send")
    _, other = await rig.open("send")
    await rig.call("connectTransport", transportId=transport_id, dtlsParameters=other.dtls_parameters)
    shaking = asyncio.create_task(peer.handshake())
    await rig.told("transportClosed", transportId=transport_id, reason="dtls failed")
    shaking.cancel()
    assert not any(each["event"] == "transportConnected" and each["transportId"] == transport_id for each in rig.events)


async def test_a_client_that_moves_is_followed(rig: Rig) -> None:
    """Once it nominates its new address; a mere packet from there changes nothing."""
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
    """Media goes on under the new credentials, and the old ones stop working."""
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


async def test_closing_a_producer_closes_its_consumers(rig: Rig) -> None:
    """And closing a router everything in it."""
    send, _ = await rig.connect("send")
    recv, _ = await rig.connect("recv")
    producer_id = await rig.produce(send, "audio")
    await rig.consume(recv, producer_id, "audio")
    await rig.call("closeProducer", producerId=producer_id)
    stats = await rig.call("stats")
    assert (stats["producers"], stats["consumers"], stats["transports"]) == (0, 0, 2)
    await rig.call("closeRouter", routerId="room")
    stats = await rig.call("stats")
    assert (stats["transports"], stats["routers"]) == (0, 0)


REFUSALS = [
    ("connectTransport", {"transportId": "no", "dtlsParameters": {}}, "not_found"),
    ("closeTransport", {"transportId": "no"}, "not_found"),
    ("restartIce", {"transportId": "no"}, "not_found"),
    ("pauseProducer", {"producerId": "no"}, "not_found"),
    ("closeProducer", {"producerId": "no"}, "not_found"),
    ("closeConsumer", {"consumerId": "no"}, "not_found"),
    ("createTransport", {"transportId": "t", "routerId": "r", "direction": "up"}, "invalid"),
    ("createTransport", {}, "invalid"),
    ("dance", {}, "invalid"),
]


@pytest.mark.parametrize(("method", "params", "code"), REFUSALS)
async def test_what_makes_no_sense_is_refused(rig: Rig, method: str, params: dict[str, str], code: str) -> None:
    """With a code that tells why; the worker lives on."""
    with pytest.raises(Refused) as refusal:
        await rig.call(method, **params)
    assert refusal.value.code == code
    await rig.call("stats")


async def test_a_consumer_cannot_reach_into_another_room(rig: Rig) -> None:
    """Routers are walls."""
    send, _ = await rig.open("send")
    recv, _ = await rig.open("recv", router="elsewhere")
    producer_id = await rig.produce(send, "audio")
    with pytest.raises(Refused) as refusal:
        await rig.consume(recv, producer_id, "audio")
    assert refusal.value.code == "not_found"


async def test_one_client_cannot_announce_an_ssrc_twice(rig: Rig) -> None:
    """Its packets could not be told apart."""
    send, _ = await rig.open("send")
    await rig.produce(send, "audio")
    with pytest.raises(Refused) as refusal:
        await rig.produce(send, "audio", encodings=[{"ssrc": AUDIO_SSRC}])
    assert refusal.value.code == "conflict"


async def test_joining_and_leaving_leaves_nothing_behind(rig: Rig) -> None:
    """Tasks, paths and connections are what they were."""
    before = await rig.call("stats")
    for tcp in (False, True) * 10:
        transport_id, peer = await rig.connect("send", tcp=tcp)
        await rig.produce(transport_id, "audio")
        await rig.call("closeTransport", transportId=transport_id)
        await peer.close(politely=False)
    await hears(rig)
    await rig.call("closeRouter", routerId="room")
    after = await rig.call("stats")
    kept = ("routers", "transports", "producers", "consumers", "paths", "strangers", "failures")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}
    assert after["tasks"] <= before["tasks"] + 2  # goodbyes of this very moment
