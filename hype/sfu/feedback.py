"""What senders are told of how their packets arrive: transport-wide congestion control, and receiver reports."""

from __future__ import annotations

from hype.sfu.rtcp import ReportBlock


class ArrivalRecorder:
    """Arrivals of one send transport, reported as transport-wide feedback (draft-holmer-rmcat-transport-wide-cc-01)."""

    def __init__(self, sender_ssrc: int) -> None:
        """sender_ssrc: the one that the router's RTCP comes from."""
        raise NotImplementedError

    def arrived(self, sequence: int, now: float) -> None:
        """A packet with this transport-wide sequence number (16 bits) arrived at `now` (monotonic seconds)."""
        raise NotImplementedError

    def reports(self, media_ssrc: int) -> list[bytes]:
        """The RTCP packets that tell of all arrivals since the last call, to be called every 100 ms; often none or one.

        media_ssrc: any SSRC that the sender uses.
        """
        raise NotImplementedError


class Reception:
    """How one incoming stream arrives: the content of its report block (RFC 3550 A.3, A.8)."""

    def __init__(self, ssrc: int, clock_rate: int) -> None:
        """clock_rate: timestamp units per second."""
        raise NotImplementedError

    def arrived(self, sequence: int, timestamp: int, now: float) -> None:
        """One packet arrived at `now` (monotonic seconds); neither retransmissions nor padding are counted here."""
        raise NotImplementedError

    def sender_report(self, ntp: int, now: float) -> None:
        """A sender report of this stream with that NTP time (64 bits) arrived."""
        raise NotImplementedError

    def block(self, now: float) -> ReportBlock | None:
        """The report block of the interval since the last call; None before the first packet."""
        raise NotImplementedError
