"""Tests of the link's methods: what closes with what, and what a worker refuses."""

from __future__ import annotations

import pytest

from hype.sfu.framing import Refused
from hype.sfu.worker import rtcp
from tests.sfu.worker.rig import AUDIO_SSRC, Rig, rtp_packet

_TAG = 16
"""The bytes that the encryption with GCM adds to a packet."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_closing_a_producer_closes_its_consumers(rig: Rig) -> None:
    """A producer closes with its consumers, and a router with all that is in it."""
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


async def test_the_figures_tell_bytes_losses_jitter_cpu_and_memory(rig: Rig) -> None:
    """The planned metrics of `GET /metrics` (R12): one of four packets is lost, and each arrives with its tag."""
    before = await rig.call("stats")
    send, sender = await rig.connect("send")
    recv, receiver = await rig.connect("recv")
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    packets = [rtp_packet(number, b"sound") for number in (1, 2, 4)]
    for packet in packets:
        sender.send_rtp(packet)
    await receiver.until(lambda: len(receiver.packets) == len(packets))
    earlier = len(sender.reports)
    await sender.until(lambda: any(data[1] == rtcp.RECEIVER_REPORT for data in sender.reports[earlier:]))
    after = await rig.call("stats")
    sizes = sum(len(packet) + _TAG for packet in packets)
    assert (after["octetsIn"] - before["octetsIn"], after["lost"] - before["lost"]) == (sizes, 1)
    assert after["jitterSeconds"] > 0
    assert after["cpuSeconds"] >= before["cpuSeconds"] > 0
    assert 2**20 < after["memoryBytes"] < 2**32


REFUSALS = [
    ("connectTransport", {"transportId": "no", "dtlsParameters": {}}, "not_found"),
    ("closeTransport", {"transportId": "no"}, "not_found"),
    ("restartIce", {"transportId": "no"}, "not_found"),
    ("pauseProducer", {"producerId": "no"}, "not_found"),
    ("closeProducer", {"producerId": "no"}, "not_found"),
    ("closeConsumer", {"consumerId": "no"}, "not_found"),
    ("createTransport", {"transportId": "t", "routerId": "r", "direction": "up"}, "invalid"),
    ("createTransport", {}, "invalid"),
    ("unknown", {}, "invalid"),
]


@pytest.mark.parametrize(("method", "params", "code"), REFUSALS)
async def test_what_makes_no_sense_is_refused(rig: Rig, method: str, params: dict[str, str], code: str) -> None:
    """A request that makes no sense is refused with a code, and the worker goes on."""
    with pytest.raises(Refused) as refusal:
        await rig.call(method, **params)
    assert refusal.value.code == code
    await rig.call("stats")


async def test_a_consumer_cannot_reach_into_another_room(rig: Rig) -> None:
    """A consumer of another router's producer is refused."""
    send, _ = await rig.open("send")
    recv, _ = await rig.open("recv", router="elsewhere")
    producer_id = await rig.produce(send, "audio")
    with pytest.raises(Refused) as refusal:
        await rig.consume(recv, producer_id, "audio")
    assert refusal.value.code == "not_found"


async def test_one_client_cannot_announce_an_ssrc_twice(rig: Rig) -> None:
    """A client that announces an SSRC twice is refused: its packets could not be told apart."""
    send, _ = await rig.open("send")
    await rig.produce(send, "audio")
    with pytest.raises(Refused) as refusal:
        await rig.produce(send, "audio", encodings=[{"ssrc": AUDIO_SSRC}])
    assert refusal.value.code == "conflict"
