"""The RTCP between one client and the router: the client's reports and requests, and the router's reports."""

from __future__ import annotations

from typing import Protocol

from hype.sfu.negotiation.ortc import ROUTER_SSRC
from hype.sfu.worker import rtcp
from hype.sfu.worker.inbound_track import InboundTrack
from hype.sfu.worker.outbound_track import OutboundTrack
from hype.sfu.worker.stream import Stream

__all__ = ["Client", "ReportForwarder", "RtcpHandler"]

_REMB = 3_000_000  # bits per second for senders without transport-wide feedback: more than they are to reach
_REPORT_INTERVAL_S = 0.1  # senders report once a second or less; each report goes to all receivers
_REPORT_COST = 8  # of a report that is sent on, beside that of a packet: it is made and encrypted by itself
_ROOM, _HEADROOM = 300_000, 1.5  # for the tracks of a client that have no cap beside one that has


class Client(Protocol):
    """The connection to the client."""

    inbound: dict[str, InboundTrack]
    outbound: dict[int, OutboundTrack]  # by SSRC

    def find_stream(self, ssrc: int) -> tuple[InboundTrack, Stream] | None:
        """Return the stream that the client sends with this SSRC, and its track."""

    def set_bandwidth(self, bits_per_second: float) -> None:
        """Take the client's estimate of what it can receive."""

    def spend(self, packets: int) -> None:
        """Take packets that the client has caused off its share of the worker."""

    def send_rtcp(self, packet: bytes) -> None:
        """Send RTCP to the client."""


class ReportForwarder(Protocol):
    """The router, which knows the receivers of each track."""

    def forward_report(self, track: InboundTrack, stream: Stream, info: rtcp.SenderInfo) -> int:
        """Send the sender report of a stream to every receiver of the stream. Return how many there are."""


class RtcpHandler:
    """A reader of one client's RTCP, and a writer of the router's."""

    def __init__(self, client: Client, router: ReportForwarder) -> None:
        """Handle the RTCP of that client."""
        self._client = client
        self._router = router

    def handle(self, data: bytes, now: float) -> None:
        """Do what a compound packet says. now: monotonic seconds."""
        for part in rtcp.parts(data):
            if part.kind == rtcp.SENDER_REPORT:
                self._sender_report(data, part, now)
            elif part.kind == rtcp.TRANSPORT_FEEDBACK:
                self._nack(data, part, now)
            elif part.kind == rtcp.PAYLOAD_FEEDBACK:
                self._payload_feedback(data, part, now)

    def _sender_report(self, data: bytes, part: rtcp.Part, now: float) -> None:
        info = rtcp.sender_info(data, part)
        found = self._client.find_stream(info.ssrc) if info is not None else None
        if info is None or found is None:
            return
        track, stream = found
        last_at = stream.report[1] if stream.report is not None else float("-inf")
        if now - last_at < _REPORT_INTERVAL_S:
            return
        stream.report = info, now
        if stream.reception is not None:
            stream.reception.sender_report(info.ntp, now)
        if not stream.paused:
            self._client.spend(_REPORT_COST * self._router.forward_report(track, stream, info))

    def _nack(self, data: bytes, part: rtcp.Part, now: float) -> None:
        source = rtcp.nacked_source(data, part)
        track = self._client.outbound.get(source) if source is not None else None
        # A client that has asked for too much is not even read, so that its requests cost next to nothing.
        most = min(track.requests_left(), rtcp.MAX_NACKED) if track is not None else 0
        lost = rtcp.lost_packets(data, part, most) if most else None
        if lost is not None and track is not None:
            self._client.spend(len(lost[1]))
            track.resend(lost[1], now)

    def _payload_feedback(self, data: bytes, part: rtcp.Part, now: float) -> None:
        for ssrc in rtcp.keyframe_wanted(data, part):
            track = self._client.outbound.get(ssrc)
            if track is not None:
                track.request_keyframe(now)
        estimate = rtcp.estimated_bitrate(data, part)
        if estimate is not None:
            self._client.set_bandwidth(float(estimate))

    def send_reports(self, now: float) -> int:
        """Tell the client how its streams arrive, and what to send at most; once a second. now: monotonic seconds.

        Return how many of its packets were lost since the last call.
        """
        blocks, limited, lost = [], [], 0
        for track in self._client.inbound.values():
            for stream in track.streams:
                block = stream.reception.block(now) if stream.reception is not None else None
                if stream.reception is not None and block is not None:
                    blocks.append(block)
                    lost += stream.reception.lost_lately
                if stream.ssrc is not None and not track.arrival_id and track.kind == "video":
                    limited.append(stream.ssrc)
        capped = self._capped(now)
        most = _REMB if capped is None else min(capped, _REMB) if limited else capped
        if capped is not None:
            limited = [stream.ssrc for stream in self._video() if stream.ssrc is not None]
        if blocks:
            packet = rtcp.receiver_report(ROUTER_SSRC, blocks)
            self._client.send_rtcp(packet + (rtcp.remb(ROUTER_SSRC, most, limited) if limited else b""))
        return lost

    def _video(self) -> list[Stream]:
        tracks = self._client.inbound.values()
        return [stream for track in tracks if track.kind == "video" for stream in track.streams]

    def _capped(self, now: float) -> int | None:
        """Return the bits per second for all the client's video, if one of its tracks has a cap.

        A REMB is about all streams together: a track without a cap counts with what it may soon need.
        """
        needs, capped = 0.0, False
        for track in self._client.inbound.values():
            cap = track.cap(now)
            capped = capped or cap is not None
            rate = sum(stream.bitrate for stream in track.streams)
            needs += cap if cap is not None else _ROOM + _HEADROOM * rate
        return int(needs) if capped else None
