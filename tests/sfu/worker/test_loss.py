"""A test with packets that are lost at random on both links of a video call."""

from __future__ import annotations

import random
import struct

import pytest

from hype.sfu.worker import rtcp
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import (
    CONSUMER_RTX_SSRC,
    CONSUMER_SSRC,
    RTX_PAYLOAD_TYPE,
    RTX_SSRC,
    payload,
    rtp_packet,
    sequence,
    ssrc,
    started,
    video_packet,
)

pytestmark = pytest.mark.slow

COUNT = 600
LOSS = 0.05


class Sender:
    """A sender of video. It loses one packet in twenty, and repeats by RTX what it is asked for."""

    def __init__(self, peer: Peer, chance: random.Random) -> None:
        self.peer = peer
        self.sent: dict[int, bytes] = {}
        self.repeated = 0
        self._chance = chance
        self._read = 0

    def send(self, number: int) -> None:
        """Send a packet. The first one arrives, as it begins the picture, and the last one, as it shows the holes."""
        packet = video_packet(number, video_packet(0)[12:] + b"%d" % number)
        self.sent[number] = packet[12:]
        if number in (1, COUNT) or self._chance.random() >= LOSS:
            self.peer.send_rtp(packet)

    def repair(self) -> None:
        """Answer the NACKs since the last call."""
        for data in self.peer.reports[self._read :]:
            for part in rtcp.parts(data):
                lost = rtcp.lost_packets(data, part)
                for number in lost[1] if lost is not None else ():
                    self._repeat(number)
        self._read = len(self.peer.reports)

    def _repeat(self, number: int) -> None:
        self.repeated += 1
        again = struct.pack("!H", number) + self.sent[number]
        packet = rtp_packet(self.repeated, again, payload_type=RTX_PAYLOAD_TYPE, ssrc=RTX_SSRC, timestamp=number * 960)
        self.peer.send_rtp(packet)


class Receiver:
    """A receiver. It loses one packet in twenty, and asks for it again."""

    def __init__(self, peer: Peer, chance: random.Random) -> None:
        self.peer = peer
        self.lost = 0
        self._chance = chance
        self._asked: set[int] = set()
        peer.lose = self._lose

    def _lose(self, packet: bytes) -> bool:
        first = not self.peer.packets
        lost = not first and ssrc(packet) == CONSUMER_SSRC and self._chance.random() < LOSS
        self.lost += lost
        return lost

    def got(self) -> dict[int, bytes]:
        """Return the payloads by sequence number, repaired ones included."""
        packets = self.peer.packets
        repaired = [payload(each) for each in packets if ssrc(each) == CONSUMER_RTX_SSRC]
        return {sequence(each): payload(each) for each in packets if ssrc(each) == CONSUMER_SSRC} | {
            int.from_bytes(each[:2], "big"): each[2:] for each in repaired
        }

    def ask(self, missing: list[int]) -> None:
        """Request each missing packet once, then all of them again."""
        fresh = [number for number in missing if number not in self._asked]
        if not fresh:
            self._asked.clear()
        self._asked.update(fresh)
        if fresh:
            self.peer.send_rtcp(rtcp.nack(1, CONSUMER_SSRC, fresh))


async def test_random_loss_both_ways_is_repaired() -> None:
    """Every packet arrives in the end, with the payload that was sent."""
    async with started() as rig:
        send, speaker = await rig.connect("send")
        recv, listener = await rig.connect("recv")
        await rig.consume(recv, await rig.produce(send, "video"), "video")
        sender, receiver = Sender(speaker, random.Random(1)), Receiver(listener, random.Random(2))
        sender.send(1)
        await listener.until(lambda: bool(listener.packets))
        base = sequence(listener.packets[0]) - 1
        for number in range(2, COUNT + 1):
            sender.send(number)
            if number % 20 == 0:
                await rig.call("stats")  # the worker and both clients catch up
                sender.repair()
        wanted = {(base + number) & 0xFFFF: content for number, content in sender.sent.items()}
        while missing := [number for number in wanted if number not in receiver.got()]:
            sender.repair()
            receiver.ask(missing)
            await rig.call("stats")
        assert receiver.got() == wanted
        assert sender.repeated > COUNT * LOSS / 2
        assert receiver.lost > COUNT * LOSS / 2
