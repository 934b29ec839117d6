"""The feedback to senders on the arrival of their packets: transport-wide congestion control, and report blocks."""

from __future__ import annotations

import struct

from hype.sfu.worker.rtcp import FORMAT_TWCC, TRANSPORT_FEEDBACK, ReportBlock

# Arrivals are reported in quarters of a millisecond, their common start in 64 ms.
TICKS_PER_S = 4000
TICKS_PER_REFERENCE = 256
# The limits of one call. A sender that is beyond them is told less.
MAX_ARRIVALS = 4096
MAX_REPORTS = 8
# The numbers of one report, which fit into one datagram. A wider hole is not reported.
MAX_STATUSES = 400
# The time for which an arrival is kept. A report that goes back to a late packet repeats the arrivals behind it.
MEMORY_S = 0.5

_NOT_RECEIVED, _SMALL, _LARGE = 0, 1, 2
_RUN, _BITS, _PAIRS = 1 << 13, 14, 7
_head = struct.Struct("!BBHIIHHI")


class ArrivalRecorder:
    """Arrivals of one send transport, reported as transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-01)."""

    __slots__ = ("_count", "_highest", "_known", "_new", "_next", "_sender_ssrc")

    def __init__(self, sender_ssrc: int) -> None:
        """Begin without arrivals. sender_ssrc: the SSRC of the router's RTCP."""
        self._sender_ssrc = sender_ssrc
        self._new: list[tuple[int, float]] = []
        # Unwrapped sequence number → ticks.
        self._known: dict[int, int] = {}
        self._highest = self._next = -1
        self._count = 0

    def arrived(self, sequence: int, now: float) -> None:
        """Take note of a packet with this transport-wide sequence number (16 bits). now: monotonic seconds."""
        if len(self._new) < MAX_ARRIVALS:
            self._new.append((sequence, now))

    def reports(self, media_ssrc: int) -> list[bytes]:
        """Return the RTCP packets, often one, that report all arrivals since the last call.

        To be called every 100 ms. media_ssrc: any SSRC that the sender uses.
        """
        if not self._new:
            return []
        first = self._take_new()
        told = sorted(number for number in self._known if number >= first)
        made: list[bytes] = []
        while told and len(made) < MAX_REPORTS:
            count = self._fitting(first, told)
            made.append(self._report(media_ssrc, first, told[:count]))
            first, told = told[count - 1] + 1, told[count:]
            if told and told[0] - first >= MAX_STATUSES // 2:
                first = told[0]
        self._next = self._highest + 1
        return made

    def _take_new(self) -> int:
        """Move the new arrivals to the known ones, and return the number from which to report."""
        oldest = self._new[-1][1] - MEMORY_S
        self._known = {number: tick for number, tick in self._known.items() if tick > oldest * TICKS_PER_S}
        if self._highest < 0:
            # One round up, so that packets from before the first one have numbers too.
            self._highest = self._next = self._new[0][0] + 0x10000
        first = self._next
        for sequence, now in self._new:
            # A number that is too far behind to be late is far ahead.
            floor = self._highest - MAX_STATUSES
            number = floor + (sequence - floor & 0xFFFF)
            self._highest = max(self._highest, number)
            self._known.setdefault(number, int(now * TICKS_PER_S))
            first = min(first, number)
        self._new.clear()
        earliest = min(number for number in self._known if number >= first)
        return first if earliest - first < MAX_STATUSES // 2 else earliest

    def _fitting(self, first: int, told: list[int]) -> int:
        """Return how many of the arrivals fit into one report: they are close in number and in time."""
        previous = self._known[told[0]]
        for index, number in enumerate(told):
            tick = self._known[number]
            if number - first >= MAX_STATUSES or not -0x8000 <= tick - previous <= 0x7FFF:
                return index
            previous = tick
        return len(told)

    def _report(self, media_ssrc: int, first: int, told: list[int]) -> bytes:
        reference = self._known[told[0]] // TICKS_PER_REFERENCE
        statuses, deltas = bytearray(), bytearray()
        previous, expected = reference * TICKS_PER_REFERENCE, first
        for number in told:
            delta = self._known[number] - previous
            small = 0 <= delta <= 0xFF
            statuses += bytes(number - expected) + bytes((_SMALL if small else _LARGE,))
            deltas += delta.to_bytes(1 if small else 2, "big", signed=not small)
            previous, expected = self._known[number], number + 1
        body = _chunks(statuses) + deltas
        body += bytes(-len(body) % 4)
        count, self._count = self._count, (self._count + 1) & 0xFF
        word = (reference & 0xFFFFFF) << 8 | count
        size = 4 + len(body) // 4
        kind = (0x80 | FORMAT_TWCC, TRANSPORT_FEEDBACK)
        return _head.pack(*kind, size, self._sender_ssrc, media_ssrc, first & 0xFFFF, len(statuses), word) + body


def _chunks(statuses: bytearray) -> bytes:
    """Return the statuses as 16-bit chunks: a run where one is long, else as many in a chunk as their kinds allow."""
    chunks, at = bytearray(), 0
    while at < len(statuses):
        rest = statuses[at:]
        run = len(rest) - len(rest.lstrip(rest[:1]))
        bits = rest[:_BITS]
        if run >= _BITS or run == len(rest):
            chunk, taken = rest[0] << 13 | min(run, _RUN - 1), min(run, _RUN - 1)
        elif _LARGE not in bits:
            chunk, taken = 0x8000 | _packed(bits, _BITS, 1), _BITS
        else:
            chunk, taken = 0xC000 | _packed(rest[:_PAIRS], _PAIRS, 2), _PAIRS
        chunks += chunk.to_bytes(2, "big")
        at += taken
    return bytes(chunks)


def _packed(statuses: bytearray, count: int, width: int) -> int:
    value = 0
    for status in statuses.ljust(count, b"\0"):
        value = value << width | status
    return value


class Reception:
    """The arrival of one incoming stream: the content of its report block (RFC 3550 A.3, A.8)."""

    __slots__ = (
        "_clock_rate",
        "_first",
        "_highest",
        "_jitter",
        "_last_report",
        "_last_report_at",
        "_received",
        "_ssrc",
        "_told_expected",
        "_told_received",
        "_transit",
        "lost_lately",
    )
    # A sequence number that is further ahead, or further back, begins a new count.
    MAX_LEAP, MAX_FALL = 3000, 1000

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        """Begin before the first packet. clock_rate: timestamp units per second."""
        self._ssrc = ssrc
        self._clock_rate = clock_rate
        self._jitter = 0.0
        self._transit = 0
        self._last_report, self._last_report_at = 0, 0.0
        self.lost_lately = 0  # packets, in the interval of the last block; never negative
        self._highest = -1
        self._begin(-1)

    def _begin(self, sequence: int) -> None:
        self._first = self._highest = sequence
        self._received = self._told_expected = self._told_received = 0

    def arrived(self, sequence: int, timestamp: int, now: float) -> None:
        """Take note of one packet, which is not RTX. now: monotonic seconds."""
        highest = self._highest
        transit = int(now * self._clock_rate) - timestamp & 0xFFFFFFFF
        if highest < 0:
            self._begin(sequence)
        else:
            ahead = ((sequence - highest + 0x8000) & 0xFFFF) - 0x8000
            if 0 < ahead <= self.MAX_LEAP:
                self._highest = highest + ahead
            elif ahead > 0 or ahead < -self.MAX_FALL:
                self._begin(sequence)
            late = abs(transit - self._transit)
            if late > 0x80000000:  # the other way round is shorter
                late = 0x100000000 - late
            self._jitter += (late - self._jitter) / 16
        self._transit = transit
        self._received += 1

    @property
    def jitter_s(self) -> float | None:
        """The jitter in seconds, None before the first packet (RFC 3550 6.4.1)."""
        return self._jitter / self._clock_rate if self._highest >= 0 else None

    def sender_report(self, ntp: int, now: float) -> None:
        """Take note of a sender report of this stream with that NTP time (64 bits). now: monotonic seconds."""
        self._last_report, self._last_report_at = ntp >> 16 & 0xFFFFFFFF, now

    def block(self, now: float) -> ReportBlock | None:
        """Return the report block of the interval since the last call; None before the first packet. now: monotonic."""
        if self._highest < 0:
            return None
        expected = self._highest - self._first + 1
        lost = max(-0x800000, min(0x7FFFFF, expected - self._received))
        expected_now = expected - self._told_expected
        lost_now = expected_now - (self._received - self._told_received)
        self._told_expected, self._told_received = expected, self._received
        self.lost_lately = max(0, lost_now)
        fraction = min(255, (lost_now << 8) // expected_now) if lost_now > 0 and expected_now else 0
        delay = int((now - self._last_report_at) * 65536) if self._last_report else 0
        return ReportBlock(
            self._ssrc,
            fraction,
            lost,
            self._highest & 0xFFFFFFFF,
            min(int(self._jitter), 0xFFFFFFFF),
            self._last_report,
            max(0, min(delay, 0xFFFFFFFF)),
        )
