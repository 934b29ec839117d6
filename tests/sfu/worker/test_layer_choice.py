"""Tests of the layer that a client gets, by what the client can receive and what the sender sends."""

from __future__ import annotations

from collections.abc import Sequence

from hype.sfu.worker.rtcp import keyframe_wanted, parts
from tests.sfu.worker.test_outbound_track import HIGH, LOW, Call

PLENTY = 50_000_000.0


def requests(call: Call) -> int:
    """Return how many key frames the sender was asked for."""
    return sum(len(keyframe_wanted(data, part)) for data in call.told for part in parts(data))


def check(call: Call, available: float) -> None:
    """Do what a worker does once a second, for the client on the high layer."""
    call.inbound.measure(call.clock())
    call.clients[HIGH].track.choose_layer(available, call.clock())


def on_air(call: Call) -> set[int]:
    """Return which layer the client on the high layer gets."""
    return {layer for layer, stream in enumerate(call.inbound.streams) if call.clients[HIGH].track.id in stream.fan_out}


def test_a_slow_camera_is_not_asked_for_key_frames() -> None:
    """A camera with a picture in 1.5 s, whose layers come in different seconds, keeps its client on the high layer."""
    call = Call()
    for _ in range(3):
        for layer in (LOW, HIGH):
            call.send(layer)
        call.clock.advance(1.0)
        check(call, PLENTY)
    before = requests(call)
    for number in range(60):  # half seconds
        call.clock.advance(0.5)
        if number % 3 == 0:
            call.send(LOW, 1, call.content())
        if number % 3 == 1:
            call.send(HIGH, 1, call.content())
        if number % 2 == 1:
            check(call, PLENTY)
    assert requests(call) == before
    assert on_air(call) == {HIGH}


def test_a_layer_that_ends_is_left() -> None:
    """A sender that stops its high layer has the client on the low one after two seconds, at its next key frame."""
    call = Call()
    for _ in range(2):
        for layer in (LOW, HIGH):
            call.send(layer)
        call.clock.advance(1.0)
        check(call, PLENTY)
    assert on_air(call) == {HIGH}
    for _ in range(3):
        call.send(LOW)
        call.clock.advance(1.0)
        check(call, PLENTY)
    call.send(LOW)
    assert on_air(call) == {LOW}


RATES = {LOW: 150_000.0, HIGH: 1_500_000.0}


def seconds(call: Call, link: Sequence[float]) -> list[int]:
    """Return the layer that the client has in each second. link: the bits per second that reach it, by the second.

    The client estimates as Chrome does: 8 % more a second, half more than what comes at most; 85 % of the link when it
    is full.
    """
    estimate, had = 2 * RATES[HIGH], []
    for capacity in link:
        for layer, rate in RATES.items():
            call.inbound.streams[layer].bitrate = rate
            call.send(layer)
        (layer,) = on_air(call)
        estimate = min(estimate * 1.08, 1.5 * RATES[layer] + 10_000)
        if RATES[layer] > capacity:
            estimate = 0.85 * capacity
        call.clients[HIGH].track.choose_layer(estimate, call.clock(), told=True)
        call.clock.advance(1.0)
        had.append(layer)
    return had


def test_a_client_is_back_on_the_high_layer_when_its_link_recovers() -> None:
    """A client whose link is narrow for three seconds gets the high layer within five seconds again, and keeps it."""
    had = seconds(Call(), [5e6] * 5 + [300_000.0] * 3 + [5e6] * 40)
    assert had[:6] == [HIGH] * 6
    assert LOW in had[6:8]
    assert had[8 + 5 :] == [HIGH] * 35


def test_a_narrow_link_is_tried_seldom() -> None:
    """A client on a link that stays narrow has a layer that does not fit for one second in eight, later in twelve."""
    had = seconds(Call(), [300_000.0] * 300)
    assert had[5:125].count(HIGH) <= 15
    assert had[60:].count(HIGH) <= 20
