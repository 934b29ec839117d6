"""Tests of simulcast: several layers of a picture come in, and each consumer gets one of them without a break."""

from __future__ import annotations

import pytest

from hype.sfu.negotiation import extensions
from hype.sfu.worker import rtcp
from tests.sfu.worker.rig import (
    CONSUMER_RTX_SSRC,
    CONSUMER_SSRC,
    EXTENSION_IDS,
    KEYFRAME,
    Rig,
    payload,
    sequence,
    ssrc,
    video_packet,
)

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]


async def test_simulcast_layers_are_found_by_their_names(rig: Rig) -> None:
    """A layer without an announced SSRC, as Chrome's, is found by its RID. A change of layers is renumbered."""
    send, sender = await rig.connect("send")
    recv, receiver = await rig.connect("recv")
    producer_id = await rig.produce(send, "video", encodings=[{"rid": "lo"}, {"rid": "hi"}], mid="0")
    await rig.consume(recv, producer_id, "video")
    rid = EXTENSION_IDS[extensions.RID]

    def layer(name: bytes, number: int, source: int, content: bytes) -> bytes:
        return video_packet(number, content, ssrc=source, elements=bytes([rid << 4 | len(name) - 1]) + name)

    key = video_packet(0)[12:]
    sender.send_rtp(layer(b"lo", 100, 7001, key + b"low"))
    sender.send_rtp(layer(b"hi", 9000, 7002, key + b"high"))
    await receiver.until(lambda: bool(receiver.packets))
    receiver.send_rtcp(rtcp.remb(1, 50_000_000, [CONSUMER_SSRC]))
    number = 0

    async def until_high() -> None:
        nonlocal number
        while not any(payload(each).endswith(b"high") for each in receiver.packets):
            number += 1
            sender.send_rtp(layer(b"lo", 100 + number, 7001, key + b"low"))
            sender.send_rtp(layer(b"hi", 9000 + number, 7002, key + b"high"))
            await receiver.until(lambda sent=number: len(receiver.packets) > sent)  # type: ignore[misc]

    await until_high()
    numbers = [sequence(each) for each in receiver.packets]
    assert [(each - numbers[0]) & 0xFFFF for each in numbers] == list(range(len(numbers)))
    assert {ssrc(each) for each in receiver.packets} == {CONSUMER_SSRC}


async def test_pictures_are_numbered_on_when_the_layer_changes(rig: Rig) -> None:
    """Pictures go on when a layer changes, and when one is sent again (RFC 7741 4.2)."""
    send, sender = await rig.connect("send")
    layers = {b"lo": Layer(b"lo", 7001, 0x7FFD, 250), b"hi": Layer(b"hi", 7002, 100, 3)}
    producer_id = await rig.produce(send, "video", encodings=[{"rid": "lo"}, {"rid": "hi"}], mid="0")
    stays, changes = [await rig.connect("recv") for _ in range(2)]
    for number, (recv, _) in enumerate((stays, changes)):
        await rig.consume(recv, producer_id, "video", number=number)
    own = changes[1]
    stays[1].send_rtcp(rtcp.remb(1, 1, [CONSUMER_SSRC]))

    async def send_until(name: bytes) -> None:
        while not (own.packets and own.packets[-1].endswith(name)):
            for layer in layers.values():
                sender.send_rtp(layer.next())
            await own.more()

    own.send_rtcp(rtcp.remb(1, 50_000_000, [CONSUMER_SSRC + 1]))
    await send_until(b"hi")
    own.send_rtcp(rtcp.remb(1, 1, [CONSUMER_SSRC + 1]))
    await send_until(b"lo")
    own.send_rtcp(rtcp.remb(1, 50_000_000, [CONSUMER_SSRC + 1]))
    await send_until(b"hi")
    shown = list(own.packets)
    assert [numbers(each) for each in shown] == expected(numbers(shown[0]), len(shown))
    await stays[1].until(lambda: len(stays[1].packets) >= len(shown))
    assert [numbers(each) for each in stays[1].packets] == expected((0x7FFE, 251), len(stays[1].packets))
    own.send_rtcp(rtcp.nack(1, CONSUMER_SSRC + 1, [sequence(shown[-1])]))
    await own.until(lambda: ssrc(own.packets[-1]) == CONSUMER_RTX_SSRC + 1)
    assert payload(own.packets[-1])[2:] == payload(shown[-1])


def numbers(packet: bytes) -> tuple[int, int]:
    """Return picture id and TL0PICIDX of a packet of a `Layer`, as a consumer gets it."""
    content = payload(packet)
    return int.from_bytes(content[2:4], "big") & 0x7FFF, content[4]


def expected(first: tuple[int, int], count: int) -> list[tuple[int, int]]:
    """Return the numbers of so many pictures."""
    return [((first[0] + n) % 0x8000, (first[1] + n) % 0x100) for n in range(count)]


class Layer:
    """A simulcast layer of key frames of one packet each, which end with the layer's name."""

    def __init__(self, name: bytes, source: int, picture: int, tl0: int) -> None:
        self._name, self._source = name, source
        self._picture, self._tl0, self._count = picture, tl0, 0

    def next(self) -> bytes:
        """Return the next picture."""
        self._count += 1
        picture = 0x8000 | (self._picture + self._count) & 0x7FFF
        descriptor = b"\x90\xe0" + picture.to_bytes(2, "big") + bytes([(self._tl0 + self._count) & 0xFF, 0])
        element = bytes([EXTENSION_IDS[extensions.RID] << 4 | len(self._name) - 1]) + self._name
        content = descriptor + KEYFRAME[1:] + bytes(20) + self._name
        return video_packet(self._count, content, ssrc=self._source, elements=element)
