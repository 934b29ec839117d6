"""Tests of what a client sees when its layer changes: timestamps in order (RFC 3550 5.1). And padding."""

from __future__ import annotations

import itertools
import random

import pytest

from hype.sfu.worker.rtcp import SenderInfo, parts, sender_info
from tests.sfu.worker.rig import VIDEO_SSRC, sequence, ssrc, timestamp, video_packet
from tests.sfu.worker.test_outbound_track import HIGH, LOW, PADDING, Call, Client

FRAME_S, RATE = 1 / 30, 90_000


def own(client: Client) -> list[bytes]:
    """Return what the client was sent of its track, without RTX."""
    return [each for each in client.sent if ssrc(each) == client.track.ssrc]


@pytest.mark.parametrize("seed", range(5))
def test_timestamps_never_go_back(seed: int) -> None:
    """Each picture's timestamp is behind the last one's, when layers change and arrive 0 to 70 ms late."""
    call, chance = Call(), random.Random(seed)
    client = call.clients[HIGH]
    began = call.clock()
    arrivals = []
    for layer, frame in itertools.product((LOW, HIGH), range(300)):
        arrivals.append((frame * FRAME_S + chance.uniform(0, 0.07), frame, layer))
    shown = {LOW: -1, HIGH: -1}
    for at, frame, layer in sorted(arrivals):
        if frame <= shown[layer]:
            continue  # a network that keeps the order of a layer
        shown[layer] = frame
        call.clock.advance(max(0.0, began + at - call.clock()))
        if frame % 7 == 0:
            call.choose(client, chance.choice((LOW, HIGH)))
        call.newest[layer] = (call.newest[layer] + 1) & 0xFFFF
        when = int(frame * FRAME_S * RATE) + 1000 * layer
        packet = video_packet(
            call.newest[layer], call.content(key=True), ssrc=VIDEO_SSRC + layer, timestamp=0xFFFFF000 + when
        )
        call._receive(layer, packet)
    times = [timestamp(each) for each in own(client)][2:]
    steps = [(after - before) & 0xFFFFFFFF for before, after in itertools.pairwise(times)]
    assert len(steps) > 200
    assert max(steps) < RATE


@pytest.mark.parametrize("repeated", [False, True], ids=["itself", "by RTX"])
def test_a_late_packet_without_content_fills_its_hole(repeated: bool) -> None:
    """A padding-only packet that comes late, or by RTX, leaves no number for which clients would ask in vain."""
    call = Call()
    for _ in range(3):
        call.send(LOW, 2)
        if repeated:
            call.repair(LOW, -1, b"")
        else:
            call.send(LOW, -1, PADDING)
            call.newest[LOW] += 1
    call.send(LOW)
    came = own(call.clients[LOW])
    assert sorted((sequence(each) - sequence(came[0])) & 0xFFFF for each in came) == list(range(len(came)))
    assert sum(each[0] & 0x20 != 0 for each in came) == 3


def test_a_client_that_begins_is_told_the_clock_of_that_moment() -> None:
    """A client that begins three seconds behind a sender report gets it, and one for the first packet.

    Both have the timestamps that the client sees.
    """
    call = Call()
    client = call.clients[HIGH]
    call.inbound.streams[LOW].report = SenderInfo(VIDEO_SSRC, 5 << 32, 1000, 9, 900), call.clock()
    call.clock.advance(3.0)
    call.choose(client, LOW)
    call.send(LOW)
    infos = [info for data in client.reports for part in parts(data) if (info := sender_info(data, part))]
    assert [info.ntp for info in infos] == [5 << 32, 8 << 32]
    assert (infos[1].timestamp - infos[0].timestamp) & 0xFFFFFFFF == 3 * RATE
    shift = timestamp(own(client)[-1]) - call.newest[LOW] * 960
    assert (infos[0].timestamp - 1000 - shift) & 0xFFFFFFFF == 0
