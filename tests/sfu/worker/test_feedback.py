"""Tests of transport-wide feedback against the draft, and of report blocks against the RFC's arithmetic."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hype.sfu.worker import rtcp
from hype.sfu.worker.feedback import MAX_REPORTS, TICKS_PER_S, ArrivalRecorder, Reception
from tests.clocks import HandClock


def statuses_of(data: bytes, at: int, count: int) -> tuple[list[int], int]:
    """Return `count` packet statuses out of chunks (draft 3.1.1-3.1.4), and the offset of the deltas."""
    statuses: list[int] = []
    while len(statuses) < count:
        [chunk] = struct.unpack_from("!H", data, at)
        at += 2
        if chunk < 0x8000:
            assert chunk & 0x1FFF, "an empty run"
            statuses += [chunk >> 13] * (chunk & 0x1FFF)
        elif chunk < 0xC000:
            statuses += [chunk >> shift & 1 for shift in range(13, -1, -1)]
        else:
            statuses += [chunk >> shift & 3 for shift in range(12, -2, -2)]
    return statuses[:count], at


def reported(data: bytes) -> dict[int, float | None]:
    """Return the arrivals in one feedback packet: sequence number → time, None for a packet that did not arrive."""
    [part] = rtcp.parts(data)
    assert (part.kind, part.format) == (rtcp.TRANSPORT_FEEDBACK, rtcp.FORMAT_TWCC)
    base, count, word = struct.unpack_from("!HHI", data, 12)
    statuses, at = statuses_of(data, 20, count)
    tick = (word >> 8) * 256
    arrivals: dict[int, float | None] = {}
    for step, status in enumerate(statuses):
        assert status in (0, 1, 2)
        if status:
            [delta] = struct.unpack_from("!B" if status == 1 else "!h", data, at)
            at, tick = at + status, tick + delta
        arrivals[(base + step) & 0xFFFF] = tick / TICKS_PER_S if status else None
    assert part.end - at < 4
    assert statuses[-1] != 0
    return arrivals


def test_arrivals_and_holes_are_told() -> None:
    """A report has each arrival, to a quarter of a millisecond, and each hole. None is reported twice."""
    recorder = ArrivalRecorder(1)
    for sequence, now in ((65534, 100.0), (65535, 100.001), (1, 100.2), (2, 100.1)):
        recorder.arrived(sequence, now)
    [report] = recorder.reports(7)
    assert struct.unpack_from("!II", report, 4) == (1, 7)
    assert reported(report) == {65534: 100.0, 65535: 100.001, 0: None, 1: 100.2, 2: 100.1}
    assert recorder.reports(7) == []


def test_a_hole_between_two_reports_is_told_in_the_second() -> None:
    """A report begins at the end of the one before. Reports are counted."""
    recorder = ArrivalRecorder(1)
    recorder.arrived(10, 5.0)
    [first] = recorder.reports(7)
    recorder.arrived(13, 5.125)
    [second] = recorder.reports(7)
    assert reported(second) == {11: None, 12: None, 13: 5.125}
    assert (first[19], second[19]) == (0, 1)


def test_a_late_packet_is_told_after_all() -> None:
    """A report goes back to a late packet, and repeats the arrivals behind it."""
    recorder = ArrivalRecorder(1)
    recorder.arrived(10, 5.0)
    recorder.arrived(12, 5.0)
    assert reported(recorder.reports(7)[0])[11] is None
    recorder.arrived(11, 5.125)
    assert reported(recorder.reports(7)[0]) == {11: 5.125, 12: 5.0}


def test_a_packet_from_before_the_first_is_told() -> None:
    """The first packets of a stream are reported in any order of arrival."""
    recorder = ArrivalRecorder(1)
    recorder.arrived(0, 5.0)
    recorder.arrived(65535, 5.0)
    assert reported(recorder.reports(7)[0]) == {65535: 5.0, 0: 5.0}


def test_a_leap_is_not_filled_with_losses() -> None:
    """A leap is reported by two reports without the numbers between."""
    recorder = ArrivalRecorder(1)
    recorder.arrived(1, 5.0)
    recorder.arrived(9000, 5.0)
    assert [reported(report) for report in recorder.reports(7)] == [{1: 5.0}, {9000: 5.0}]


def test_a_long_pause_begins_another_report() -> None:
    """A pause that does not fit into a delta of 16 bits begins another report."""
    recorder = ArrivalRecorder(1)
    recorder.arrived(2, 30.0)
    recorder.arrived(1, 50.0)
    assert [reported(report) for report in recorder.reports(7)] == [{1: 50.0}, {2: 30.0}]


@given(
    st.integers(0, 0xFFFF),
    st.lists(st.tuples(st.integers(1, 30), st.integers(0, 400), st.booleans()), min_size=1, max_size=150),
)
def test_all_arrivals_are_told_exactly(first: int, steps: list[tuple[int, int, bool]]) -> None:
    """Each arrival is reported once, at its time, and each hole as one, whatever the portions are."""
    recorder, sequence, tick = ArrivalRecorder(1), first, 400_000
    sent: dict[int, float | None] = {}
    seen: dict[int, float | None] = {}
    for step, pause, look in [*steps, (1, 0, True)]:
        tick += pause
        recorder.arrived(sequence, tick / TICKS_PER_S)
        sent[sequence] = tick / TICKS_PER_S
        for report in recorder.reports(7) if look else ():
            assert len(report) <= 1200
            seen |= reported(report)
        sequence = (sequence + step) & 0xFFFF
    assert {number: when for number, when in seen.items() if when is not None} == sent


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 40_000)), max_size=300), st.integers(1, 50))
def test_no_numbers_break_the_bounds(arrivals: list[tuple[int, int]], portion: int) -> None:
    """Any numbers at any times make a few well-formed reports of bounded size."""
    recorder, tick = ArrivalRecorder(1), 0
    for index, (sequence, pause) in enumerate(arrivals):
        tick += pause
        recorder.arrived(sequence, tick / TICKS_PER_S)
        if index % portion == 0:
            reports = recorder.reports(7)
            assert 1 <= len(reports) <= MAX_REPORTS
            assert all(reported(report) and len(report) <= 1200 for report in reports)


def received(reception: Reception, sequences: list[int], clock: HandClock, every: float = 0.02) -> None:
    """Receive packets of 20 ms as regularly as they were sent."""
    for sequence in sequences:
        reception.arrived(sequence, 960 * sequence, clock())
        clock.advance(every)


def test_a_clean_stream_has_a_clean_report() -> None:
    """A clean stream has no loss and no jitter in its report, and the wrap is counted."""
    clock, reception = HandClock(), Reception(9, 48000)
    assert reception.block(clock()) is None
    for sequence in (65534, 65535, 0, 1):
        reception.arrived(sequence, 960 * ((sequence - 65534) & 0xFFFF), clock())
        clock.advance(0.02)
    assert reception.block(clock()) == rtcp.ReportBlock(9, 0, 0, 65537, 0, 0, 0)


def test_losses_are_told_of_the_interval_and_of_all_time() -> None:
    """A report has the losses of its interval and those of all time."""
    clock, reception = HandClock(), Reception(9, 48000)
    received(reception, [1, 2, 4, 5, 6, 8], clock)
    first = reception.block(clock())
    assert reception.lost_lately == 2
    received(reception, [9, 10, 11, 12], clock)
    second = reception.block(clock())
    assert first is not None
    assert second is not None
    assert (first.fraction_lost, first.lost) == (64, 2)
    assert reception.lost_lately == 0
    assert (second.fraction_lost, second.lost) == (0, 2)


def test_more_than_was_sent_is_no_loss() -> None:
    """Duplicates make the cumulative loss negative, and the fraction zero."""
    clock, reception = HandClock(), Reception(9, 48000)
    received(reception, [1, 1, 1, 2], clock)
    block = reception.block(clock())
    assert block is not None
    assert (block.fraction_lost, block.lost) == (0, -2)
    assert reception.lost_lately == 0


def test_jitter_follows_irregular_arrivals() -> None:
    """Jitter rises towards the deviation, in timestamp units, across the wrap of timestamps."""
    clock, reception = HandClock(), Reception(9, 48000)
    assert reception.jitter_s is None
    for index in range(200):
        reception.arrived(index, (0xFFFFFF00 + 960 * index) & 0xFFFFFFFF, clock())
        clock.advance(0.03 if index % 2 else 0.01)
    block = reception.block(clock())
    assert block is not None
    assert 450 < block.jitter < 490
    assert reception.jitter_s == pytest.approx(block.jitter / 48000, rel=0.01)


def test_the_last_sender_report_is_named_with_its_age() -> None:
    """A report names the last sender report and its age in 1/65536 s, for the round trip."""
    clock, reception = HandClock(), Reception(9, 48000)
    received(reception, [1], clock)
    reception.sender_report(0xE1E2E3E4F1F2F3F4, clock())
    clock.advance(0.5)
    block = reception.block(clock())
    assert block is not None
    assert (block.last_report, block.delay) == (0xE3E4F1F2, 32768)


@given(st.lists(st.tuples(st.integers(0, 0xFFFF), st.integers(0, 0xFFFFFFFF), st.floats(0, 1e5)), max_size=60))
def test_no_numbers_make_a_block_that_cannot_be_sent(packets: list[tuple[int, int, float]]) -> None:
    """Each field of a block stays within its bits."""
    clock, reception = HandClock(), Reception(9, 90000)
    for sequence, timestamp, pause in packets:
        clock.advance(pause)
        reception.arrived(sequence, timestamp, clock())
        reception.sender_report(timestamp << 20, clock())
        block = reception.block(clock() + pause)
        assert block is not None
        assert rtcp.receiver_report(1, [block])
