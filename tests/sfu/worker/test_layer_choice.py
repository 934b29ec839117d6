"""Tests of the layer that a client gets, by what the client can receive and what the sender sends."""

from __future__ import annotations

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
