"""Tests of packets that a busy worker finds together at its socket: each receiver sees what it would see otherwise."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest

from hype.sfu.worker import rtcp
from tests.sfu.worker.calls import DELTA, Call, begin
from tests.sfu.worker.rig import (
    CONSUMER_RTX_SSRC,
    CONSUMER_SSRC,
    KEYFRAME,
    RTX_PAYLOAD_TYPE,
    RTX_SSRC,
    VIDEO_SSRC,
    Rig,
    payload,
    rtp_packet,
    sequence,
    ssrc,
    video_packet,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SIZE = 1000
MAX_PAYLOAD = 1604


def delta(number: int, size: int = SIZE) -> bytes:
    """Return the payload of a packet that begins no picture, with that number in it."""
    return (DELTA + b"%d" % number).ljust(size, b"\0")


def key(number: int) -> bytes:
    """Return the payload of a packet that begins a key frame, as large as the others."""
    return (KEYFRAME + b"%d" % number).ljust(SIZE, b"\0")


async def running(rig: Rig, *, tcp: bool = False) -> Call:
    """Return a call of video that has begun with packet 1. tcp: the sender is on TCP."""
    call = await begin(rig, "video", tcp=tcp)
    call.send(1, key(1))
    await call.arrived(1)
    return call


async def left(rig: Rig) -> tuple[int, int]:
    """Return how many packets the worker has sent, and in how many messages."""
    stats = await rig.call("stats")
    return stats["packetsOut"], stats["messagesOut"]


def steps(packets: Sequence[bytes]) -> list[int]:
    """Return how far the sequence number of each packet is from the first one's."""
    return [(sequence(packet) - sequence(packets[0])) & 0xFFFF for packet in packets]


async def test_they_leave_as_one_message_for_each_receiver(rig: Rig) -> None:
    """Two receivers get eight packets each, in order, by a message each. The next read begins a new one."""
    call = await running(rig)
    other, second = await rig.connect("recv")
    await rig.consume(other, call.producer_id, "video", number=1)
    call.send(2, key(2))
    await second.until(lambda: len(second.packets) == 1)
    before = await left(rig)
    for first in (3, 11):
        with rig.asleep():
            for number in range(first, first + 8):
                call.send(number, delta(number))
        await second.until(lambda first=first: len(second.packets) == first + 6)  # type: ignore[misc]
    packets = await call.arrived(18)
    after = await left(rig)
    assert (after[0] - before[0], after[1] - before[1]) == (32, 4)
    for got in (packets[2:], second.packets[1:]):
        assert [payload(packet) for packet in got] == [delta(number) for number in range(3, 19)]
        assert steps(got) == list(range(16))


async def test_frames_of_tcp_do_too(rig: Rig) -> None:
    """The packets of a sender on TCP leave together when they come so."""
    call = await running(rig, tcp=True)
    before = await left(rig)
    with rig.asleep():
        for number in range(2, 8):
            call.send(number, delta(number))
    packets = await call.arrived(7)
    after = await left(rig)
    assert [payload(packet) for packet in packets[1:]] == [delta(number) for number in range(2, 8)]
    assert (after[0] - before[0], after[1] - before[1]) == (6, 1)


async def test_a_receiver_on_tcp_gets_them_one_by_one(rig: Rig) -> None:
    """A receiver on TCP gets each packet in a frame of its own."""
    call = await running(rig)
    other, second = await rig.connect("recv", tcp=True)
    await rig.consume(other, call.producer_id, "video", number=1)
    with rig.asleep():
        for number in range(2, 6):
            call.send(number, key(number))
    await second.until(lambda: len(second.packets) == 4)
    assert [payload(packet) for packet in second.packets] == [key(number) for number in range(2, 6)]


async def test_a_paused_receiver_begins_amid_them(rig: Rig) -> None:
    """A receiver that is paused gets none; one that goes on begins with the key frame, and sees no hole."""
    call = await running(rig)
    other, second = await rig.connect("recv")
    paused = await rig.consume(other, call.producer_id, "video", number=1)
    call.send(2, key(2))
    await second.until(lambda: len(second.packets) == 1)
    await rig.call("pauseConsumer", consumerId=paused)
    with rig.asleep():
        for number in (3, 4, 5):
            call.send(number, delta(number))
    await call.arrived(5)
    await rig.call("resumeConsumer", consumerId=paused)
    with rig.asleep():
        for number, content in ((6, delta(6)), (7, key(7)), (8, delta(8)), (9, delta(9))):
            call.send(number, content)
    assert steps(await call.arrived(9)) == list(range(9))
    await second.until(lambda: len(second.packets) == 4)
    assert [payload(packet) for packet in second.packets] == [key(2), key(7), delta(8), delta(9)]
    assert steps(second.packets) == [0, 1, 2, 3]


async def test_padding_and_repairs_amid_them(rig: Rig) -> None:
    """Padding leaves no hole, and a packet that RTX repeats keeps its place."""
    call = await running(rig)
    probe = bytearray(video_packet(3, bytes(9) + b"\x0a"))
    probe[0] |= 0x20
    again = struct.pack("!H", 4) + delta(4)
    with rig.asleep():
        call.send(2, delta(2))
        call.sender.send_rtp(bytes(probe))
        call.send(5, delta(5))
        call.sender.send_rtp(rtp_packet(1, again, payload_type=RTX_PAYLOAD_TYPE, ssrc=RTX_SSRC, timestamp=4 * 960))
        call.send(6, delta(6))
    packets = await call.arrived(5)
    assert [payload(packet) for packet in packets] == [key(1), delta(2), delta(5), delta(4), delta(6)]
    assert steps(packets) == [0, 1, 3, 2, 4]


async def test_a_request_for_one_of_them_comes_behind_it(rig: Rig) -> None:
    """A packet that is requested in the same read goes out for the first time, and then again."""
    call = await running(rig)
    (first,) = call.receiver.packets
    with rig.asleep():
        call.send(2, delta(2))
        call.receiver.send_rtcp(rtcp.nack(1, CONSUMER_SSRC, [sequence(first) + 1 & 0xFFFF]))
        call.send(3, delta(3))
    packets = await call.arrived(4)
    assert [ssrc(packet) for packet in packets[1:]] == [CONSUMER_SSRC, CONSUMER_RTX_SSRC, CONSUMER_SSRC]
    assert payload(packets[2]) == packets[1][2:4] + delta(2)


async def test_a_report_on_them_comes_behind_them(rig: Rig) -> None:
    """A sender report in the same read counts the packets, and does not overtake them."""
    call = await running(rig)
    with rig.asleep():
        for number in (2, 3):
            call.send(number, delta(number))
        call.sender.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(VIDEO_SSRC, 7 << 32, 4242, 99, 9999)))
    data, part = await call.reported(call.receiver, rtcp.SENDER_REPORT)
    info = rtcp.sender_info(data, part)
    assert info is not None
    assert (info.packets, len(call.receiver.packets)) == (3, 3)


@pytest.mark.parametrize("repaired", [False, True])
async def test_a_packet_that_is_too_large_is_dropped(rig: Rig, repaired: bool) -> None:
    """A packet that is larger than the worker can send is counted. The others of the read go on without a hole.

    Padding has the number that one by RTX has left open.
    """
    call = await running(rig)
    before = await rig.call("stats")
    large = video_packet(2, delta(2, MAX_PAYLOAD + 1))
    if repaired:
        again = struct.pack("!H", 2) + large[12:]
        large = rtp_packet(1, again, payload_type=RTX_PAYLOAD_TYPE, ssrc=RTX_SSRC, timestamp=2 * 960)
    with rig.asleep():
        if repaired:
            call.send(3, delta(3))
        call.sender.send_large_rtp(large)
        call.send(4 if repaired else 3, delta(4))
    packets = await call.arrived(4 if repaired else 2)
    after = await rig.call("stats")
    assert payload(packets[-1]) == delta(4)
    assert steps(packets)[-1] == (3 if repaired else 1)
    assert after["oversized"] - before["oversized"] == 1
    assert after["failures"] == before["failures"] == 0


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
@pytest.mark.parametrize("rtx", [False, True], ids=["without rtx", "rtx"])
async def test_the_largest_packet_goes_on(rig: Rig, tcp: bool, rtx: bool) -> None:
    """A packet that just fits is sent to clients on UDP and TCP, and again when one asks, and is not counted."""
    call = await begin(rig, "video", rtx=rtx, receiver_tcp=tcp)
    call.send(1)
    await call.arrived(1)
    before = await rig.call("stats")
    large, came = delta(2, MAX_PAYLOAD), []

    def lose(data: bytes) -> bool:
        came.append(len(data))
        return came.count(28 + MAX_PAYLOAD + 16) == 1 and len(data) == 28 + MAX_PAYLOAD + 16

    call.receiver.lose = lose
    with rig.asleep():
        call.sender.send_large_rtp(video_packet(2, large))
        call.send(3, delta(3))
    first, third = await call.arrived(2)
    assert steps([first, third]) == [0, 2]
    assert came == [28 + MAX_PAYLOAD + 16, 28 + SIZE + 16]
    call.receiver.send_rtcp(rtcp.nack(1, CONSUMER_SSRC, [(sequence(first) + 1) & 0xFFFF]))
    again = (await call.arrived(3))[2]
    assert payload(again)[2 * rtx :] == large
    assert (await rig.call("stats"))["oversized"] == before["oversized"]
