"""Tests of what a sender of one layer is told when no receiver can take what it sends."""

from __future__ import annotations

import pytest

from hype.sfu.worker import rtcp
from hype.sfu.worker.sender_cap import SenderCap
from tests.sfu.worker.calls import DELTA, Call, begin
from tests.sfu.worker.rig import CONSUMER_SSRC, VIDEO_SSRC, Rig

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 1_500_000.0


async def first_told(call: Call) -> int:
    """Send packets of 1,000 bytes until the sender is told a bit rate, and return this."""
    number = 0
    while True:
        number += 1
        call.send(number, DELTA + bytes(1000) if number > 1 else b"")
        await call.receiver.until(lambda sent=number: len(call.receiver.packets) >= sent)  # type: ignore[misc]
        for data in call.sender.reports:
            for part in rtcp.parts(data):
                if (told := rtcp.estimated_bitrate(data, part)) is not None:
                    return told


async def test_a_sender_is_told_of_a_narrow_link(rig: Rig) -> None:
    """A sender whose only receiver falls far behind is told to send less than the receiver can take."""
    call = await begin(rig, "video")
    call.receiver.send_rtcp(rtcp.remb(1, 20_000, [CONSUMER_SSRC]))
    assert await first_told(call) <= 100_000


async def test_a_second_track_keeps_its_room(rig: Rig) -> None:
    """A sender of a camera and a screen, of which one has a narrow receiver, is told a sum with room for the other."""
    call = await begin(rig, "video")
    await rig.produce(call.transports[0], "video", encodings=[{"ssrc": VIDEO_SSRC + 1}])
    call.receiver.send_rtcp(rtcp.remb(1, 20_000, [CONSUMER_SSRC]))
    assert await first_told(call) >= 400_000


async def test_a_cap_follows_a_fall_and_is_lifted() -> None:
    """A cap comes with the first estimate that shows the fall, stays for a while, grows, and ends."""
    cap = SenderCap()
    assert cap.update(float("inf"), RATE, 0.0) is None
    assert cap.update(255_000.0, RATE, 1.0) == 229_500.0
    told = [cap.update(2_000_000.0, 230_000.0, 2.0 + second) for second in range(60)]
    assert told[:2] == [229_500.0] * 2
    grown = [each for each in told if each is not None]
    assert grown == sorted(grown)
    assert grown[-1] == 10_000_000.0
    assert told[-1] is None


async def test_a_receiver_that_lags_behind_is_not_congested() -> None:
    """An estimate that grows more slowly than the sender's rate makes no cap, nor does one narrow receiver of two."""
    cap = SenderCap()
    rates = [250_000.0] * 2 + [RATE] * 18
    told = [cap.update(300_000.0 * 1.08**second, rate, 10.0 + second) for second, rate in enumerate(rates)]
    assert told == [None] * 20
    assert SenderCap().update(max(255_000.0, 2_000_000.0), RATE, 0.0) is None
