"""Tests of what a sender of one layer is told when no receiver can take what it sends."""

from __future__ import annotations

import pytest

from hype.sfu.worker import rtcp
from hype.sfu.worker.sender_cap import SenderCap
from tests.sfu.worker.calls import DELTA, begin
from tests.sfu.worker.rig import CONSUMER_SSRC, Rig

pytestmark = pytest.mark.asyncio(loop_scope="module")

RATE = 1_500_000.0


async def test_a_sender_is_told_of_a_narrow_link(rig: Rig) -> None:
    """A sender whose only receiver falls far behind is told to send less than the receiver can take."""
    call = await begin(rig, "video")
    call.receiver.send_rtcp(rtcp.remb(1, 20_000, [CONSUMER_SSRC]))
    told: list[int] = []

    def is_told() -> bool:
        found = [rtcp.estimated_bitrate(data, part) for data in call.sender.reports for part in rtcp.parts(data)]
        told[:] = [each for each in found if each is not None]
        return bool(told)

    number = 0
    while not is_told():
        number += 1
        call.send(number, DELTA + bytes(1000) if number > 1 else b"")
        await call.receiver.until(lambda sent=number: len(call.receiver.packets) >= sent)  # type: ignore[misc]
    assert told[0] <= 100_000


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
