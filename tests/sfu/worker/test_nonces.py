"""Tests of SRTP indices: a receiver never gets two packets under one index, with any sequence numbers of a sender.

Under AES-GCM two payloads with one key, SSRC and index give away the authentication key (RFC 7714 8.4).
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Callable, Iterator

import pytest

from hype.sfu.worker import rtcp
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import (
    CONSUMER_SSRC,
    KEYFRAME,
    RTX_PAYLOAD_TYPE,
    RTX_SSRC,
    Rig,
    payload,
    rtp_packet,
    video_packet,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

BURST = 50  # packets that a socket holds for a worker that is busy
FIRST = 100
_LEAP = 32_700  # just below half of the 16-bit numbers


class Sender:
    """A maker of a producer's packets, each with another content."""

    def __init__(self) -> None:
        self._contents = itertools.count()
        self._repairs = itertools.count(1)
        self.newest = 0  # the sequence number of the newest packet

    def video(self, number: int) -> bytes:
        """Return the packet with that sequence number."""
        self.newest = number
        return video_packet(number, self._content())

    def repair(self, number: int) -> bytes:
        """Return an RTX packet that claims to repeat that one."""
        again = struct.pack("!H", number & 0xFFFF) + self._content()
        return rtp_packet(next(self._repairs), again, payload_type=RTX_PAYLOAD_TYPE, ssrc=RTX_SSRC)

    def padding(self, number: int) -> bytes:
        """Return a bandwidth probe, a packet of padding alone."""
        probe = bytearray(video_packet(number, bytes(9) + b"\x0a"))
        probe[0] |= 0x20
        return bytes(probe)

    def _content(self) -> bytes:
        return KEYFRAME + b"%032d" % next(self._contents)


def goes_back_by_repairs(sender: Sender) -> Iterator[bytes]:
    """Repair numbers that are not sent yet, with holes, then one far back. The stream goes on from there."""
    yield sender.video(FIRST)
    yield sender.video(FIRST + 2)
    for step in range(3, 2303):
        if step % 50:
            yield sender.repair(FIRST + step)
    yield sender.repair(FIRST + 2302 - 2010)
    for step in range(2303 - 2010, 2400):
        yield sender.video(FIRST + step)


def turns_round_by_probes(sender: Sender) -> Iterator[bytes]:
    """Take the sequence numbers once round, by probes that are not forwarded."""
    for step in range(200):
        yield sender.video(FIRST + step)
    yield sender.padding(FIRST + _LEAP)
    yield sender.padding(FIRST + 2 * _LEAP)
    for step in range(1, 400):
        yield sender.video(FIRST + 2 * _LEAP + step)


def leaps(sender: Sender) -> Iterator[bytes]:
    """Go on with other sequence numbers, again and again."""
    for start in (10_000, 42_000, 9_000, 41_000, 41_700):
        for step in range(100):
            yield sender.video(start + step)


@pytest.mark.parametrize("rtx", [True, False])
@pytest.mark.parametrize("arrivals", [goes_back_by_repairs, turns_round_by_probes, leaps])
async def test_no_index_is_used_for_two_payloads(
    rig: Rig, arrivals: Callable[[Sender], Iterator[bytes]], rtx: bool
) -> None:
    """Packets with one SSRC and sequence number are equal, and the stream arrives to its end."""
    send, speaker = await rig.connect("send")
    recv, listener = await rig.connect("recv")
    await rig.consume(recv, await rig.produce(send, "video"), "video", rtx=rtx)
    left, clashes = recorded(listener)
    sender = Sender()
    for count, packet in enumerate(arrivals(sender)):
        speaker.send_rtp(packet)
        if count % BURST == 0:
            await rig.call("stats")  # the worker catches up
            listener.send_rtcp(rtcp.nack(1, CONSUMER_SSRC, [number for _, number in list(left)[-BURST:]]))
    speaker.send_rtp(last := sender.video(sender.newest + 1))
    await listener.until(lambda: any(payload(each) == last[12:] for each in listener.packets))
    assert clashes == []


def recorded(listener: Peer) -> tuple[dict[tuple[int, int], bytes], list[tuple[int, int]]]:
    """Return the encrypted packets by SSRC and sequence number, and the numbers that come again and differ."""
    left: dict[tuple[int, int], bytes] = {}
    clashes: list[tuple[int, int]] = []

    def note(packet: bytes) -> bool:
        number, _, ssrc = struct.unpack_from("!HII", packet, 2)
        if left.setdefault((ssrc, number), packet) != packet:
            clashes.append((ssrc, number))
        return False

    listener.lose = note
    return left, clashes
