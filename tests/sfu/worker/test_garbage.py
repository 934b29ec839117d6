"""Tests with hostile datagrams: garbage, cut off, changed, from outsiders and from a client itself."""

from __future__ import annotations

import random
import socket
import struct
from collections import Counter
from collections.abc import Iterator

import pytest
from aioice import stun

from hype.sfu.worker import rtcp
from tests.sfu.worker.peer import Peer
from tests.sfu.worker.rig import (
    CONSUMER_SSRC,
    KEYFRAME,
    RTX_PAYLOAD_TYPE,
    RTX_SSRC,
    VIDEO_SSRC,
    Rig,
    payload,
    rtp_packet,
    started,
    video_packet,
)

pytestmark = pytest.mark.slow

BURST = 100  # datagrams between two packets of the call that is not to suffer
BYE = struct.pack("!BBHI", 0x81, 203, 1, VIDEO_SSRC)
STRAYS = 2000  # SSRCs that a hostile client makes up; libsrtp looks through all of them for each packet, here too
REMEMBERED = 400  # a client's SSRCs that a worker may keep in mind though no producer explains them


def valid(peer: Peer) -> list[bytes]:
    """Return a datagram of each kind that a worker understands."""
    ice = peer.parameters["iceParameters"]
    request = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    request.attributes["USERNAME"] = f"{ice['usernameFragment']}:peer"
    request.add_message_integrity(ice["password"].encode())
    hello = b"\x16\xfe\xff" + bytes(10) + b"\x01" + bytes(60)
    return [bytes(request), hello, peer.protected(video_packet(1)), struct.pack("!BBHI", 0x80, 200, 6, 1) + bytes(40)]


def control(chance: random.Random, sender: int) -> bytes:
    """Return RTCP that is encrypted well and makes no sense."""
    whole = chance.choice(
        [
            rtcp.nack(1, CONSUMER_SSRC, [chance.getrandbits(16) for _ in range(20)]),
            rtcp.pli(1, VIDEO_SSRC),
            rtcp.remb(1, chance.getrandbits(30), [CONSUMER_SSRC]),
            rtcp.sender_report(rtcp.SenderInfo(VIDEO_SSRC, chance.getrandbits(64), 1, 2, 3)),
            rtcp.receiver_report(1, []) + BYE,
        ]
    )
    odd = mutated(whole, chance, keep=2)[: chance.randrange(8, 200)].ljust(8, b"\0")
    return odd[:4] + sender.to_bytes(4, "big") + odd[8:]


def mutated(data: bytes, chance: random.Random, keep: int = 0) -> bytes:
    """Return the data with some bits changed, perhaps cut off."""
    changed = bytearray(data)
    for _ in range(chance.randrange(1, 8)):
        changed[chance.randrange(keep, len(changed))] ^= 1 << chance.randrange(8)
    if chance.random() < 0.3:
        del changed[chance.randrange(max(keep, 1), len(changed)) :]
    return bytes(changed)


def from_outside(peer: Peer, chance: random.Random) -> Iterator[bytes]:
    """Yield datagrams of an outsider, who has no keys."""
    models = valid(peer)
    while True:
        kind = chance.random()
        if kind < 0.4:
            yield chance.randbytes(chance.choice((0, 1, 2, 11, 12, 20, 100, 1400, 2047, 3000)))
        elif kind < 0.5:
            yield bytes([chance.choice((0, 1, 20, 22, 63, 128, 191))]) + chance.randbytes(chance.randrange(60))
        else:
            yield mutated(chance.choice(models), chance)


def authenticated(peer: Peer, chance: random.Random) -> Iterator[bytes]:
    """Yield datagrams of a hostile client with keys: any RTP and RTCP under a valid tag."""
    protect_control = peer.dtls._tx_srtp.protect_rtcp
    strays = [chance.getrandbits(32) for _ in range(STRAYS)]
    numbers: Counter[int] = Counter()
    while True:
        content = KEYFRAME[: chance.randrange(8)] + chance.randbytes(chance.randrange(40))
        ssrc = chance.choice((VIDEO_SSRC, RTX_SSRC, chance.choice(strays)))
        payload_type = chance.choice((96, RTX_PAYLOAD_TYPE, chance.randrange(64)))
        numbers[ssrc] += 1
        packet = bytearray(rtp_packet(numbers[ssrc], content, payload_type=payload_type, ssrc=ssrc))
        if chance.random() < 0.3:
            packet[0] |= 0x10
            words = chance.randrange(4)
            profile = chance.choice((b"\xbe\xde", b"\x10\x00", b"\x12\x34"))
            packet[12:12] = profile + bytes([0, words]) + chance.randbytes(4 * words)
        if chance.random() < 0.2:
            packet[0] |= 0x20
        yield protect_control(control(chance, ssrc)) if chance.random() < 0.4 else peer.protected(bytes(packet))


async def _bystanders(rig: Rig) -> tuple[Peer, Peer]:
    send, speaker = await rig.connect("send", router="elsewhere")
    recv, listener = await rig.connect("recv", router="elsewhere")
    await rig.consume(recv, await rig.produce(send, "audio"), "audio")
    return speaker, listener


@pytest.mark.timeout(0)  # it takes as long as its option says; each wait has a limit of its own
async def test_garbage_disturbs_no_call(request: pytest.FixtureRequest) -> None:
    """No datagram makes the worker raise, and another room's call loses no packet (`--garbage N`)."""
    count, chance = request.config.getoption("--garbage"), random.Random(1)
    async with started("--consent-timeout", "86400") as rig:
        speaker, listener = await _bystanders(rig)
        send, hostile = await rig.connect("send")
        recv, victim = await rig.connect("recv")
        await rig.consume(recv, await rig.produce(send, "video"), "video")
        outsider = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        outsider.connect(("127.0.0.1", rig.port))
        outside, inside = from_outside(hostile, chance), authenticated(hostile, chance)
        for burst in range(count // BURST):
            for _ in range(BURST // 2):
                outsider.send(next(outside))
                hostile.send(next(inside if chance.random() < 0.7 else outside))
            number = burst + 1
            speaker.send_rtp(rtp_packet(number, b"%d" % number))
            await listener.until(lambda number=number: len(listener.packets) == number)  # type: ignore[misc]
            victim.packets.clear()
        outsider.close()
        stats = await rig.call("stats")
        assert stats["failures"] == 0
        assert 0 < stats["remembered"] <= REMEMBERED
        assert [payload(each) for each in listener.packets] == [b"%d" % n for n in range(1, count // BURST + 1)]
        assert rig.process.returncode is None


async def test_garbage_on_tcp_ends_only_its_own_connection() -> None:
    """A call over TCP goes on while outsiders send impossible frames."""
    async with started() as rig:
        send, speaker = await rig.connect("send", tcp=True)
        recv, listener = await rig.connect("recv", tcp=True)
        await rig.consume(recv, await rig.produce(send, "audio"), "audio")
        chance = random.Random(1)
        outsiders = [socket.create_connection(("127.0.0.1", rig.port)) for _ in range(30)]
        for each in outsiders:
            each.sendall(chance.choice((b"\xff\xff", b"\0\0", b"\0", b"\0\x05abc", b"\0\4" + chance.randbytes(4) * 9)))
        speaker.send_rtp(rtp_packet(1, b"hello"))
        await listener.until(lambda: [payload(each) for each in listener.packets] == [b"hello"])
        for each in outsiders:
            each.close()
        assert (await rig.call("stats"))["failures"] == 0
