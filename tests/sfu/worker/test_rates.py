"""Tests of the bit rate of a track that a client sends (amendment A13)."""

from __future__ import annotations

from typing import Any

import pytest

from hype.sfu.worker.inbound_track import InboundTrack
from tests.sfu.worker.rig import AUDIO_PAYLOAD_TYPE, Rig, payload, producer_parameters, rtp_packet, video_packet

pytestmark = pytest.mark.asyncio(loop_scope="module")


def track(bits_per_second: int | None) -> InboundTrack:
    """Return a track of sound with a most bit rate."""
    nobody: Any = None
    mapping = {"codecs": [{"payloadType": AUDIO_PAYLOAD_TYPE, "mappedPayloadType": 100}]}
    params = {
        "kind": "audio",
        "rtpParameters": producer_parameters("audio"),
        "rtpMapping": mapping,
        "bitsPerSecond": bits_per_second,
    }
    return InboundTrack("track", params, nobody, nobody, nobody)


async def test_a_track_has_a_second_of_its_rate_at_once() -> None:
    """Ten kilobytes a second: so much at once, and then no more than that each second, whatever was refused."""
    limited = track(80_000)
    assert [limited.admits(1000, now=5.0) for _ in range(12)] == [True] * 10 + [False] * 2
    assert [limited.admits(1000, now=5.5) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [limited.admits(1000, now=9.0) for _ in range(12)] == [True] * 10 + [False] * 2


async def test_a_track_without_a_rate_is_unlimited() -> None:
    """The documented profile, and HYPE_LIMITS=off, take what comes."""
    assert all(track(None).admits(1500, now=5.0) for _ in range(100_000))


async def test_what_is_over_the_rate_is_dropped_and_counted(rig: Rig) -> None:
    """A producer over its rate reaches nobody; another one of the same client does."""
    send, sender = await rig.connect("send")
    recv, receiver = await rig.connect("recv")
    over = await rig.produce(send, "video", bits_per_second=8)
    within = await rig.produce(send, "audio", bits_per_second=1_000_000)
    await rig.consume(recv, over, "video", number=0)
    await rig.consume(recv, within, "audio", number=1)
    before = (await rig.call("stats"))["overRate"]
    for number in range(20):
        sender.send_rtp(video_packet(number))
    sender.send_rtp(rtp_packet(1, b"fence"))
    await receiver.until(lambda: bool(receiver.packets))
    assert [payload(packet) for packet in receiver.packets] == [b"fence"]
    assert (await rig.call("stats"))["overRate"] == before + 20
    assert [each["producerId"] for each in rig.events if each["event"] == "overRate"] == [over]


async def test_who_is_over_the_rate_is_told_again_after_a_while() -> None:
    """The first packet over the rate is told at once, and then one in ten seconds."""
    limited = track(8)
    assert [limited.tells_over_rate(now) for now in (5.0, 5.1, 14.9, 15.0, 15.1)] == [True, False, False, True, False]
