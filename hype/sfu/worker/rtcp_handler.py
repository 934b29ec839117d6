"""RTCP between one client and the router: what it reports and asks for, what it is told."""

from __future__ import annotations

from typing import Protocol

from hype.sfu.worker import rtcp
from hype.sfu.worker.inbound_track import ROUTER_SSRC, Producer
from hype.sfu.worker.outbound_track import Consumer
from hype.sfu.worker.stream import Stream

__all__ = ["Client", "Control"]

_REMB = 3_000_000  # bits per second for senders without transport-wide feedback: more than they are to reach


class Client(Protocol):
    """Whom it is about; a transport."""

    producers: dict[str, Producer]
    consumers: dict[int, Consumer]  # by SSRC
    available: float  # bits per second that the client says it can receive

    def stream(self, ssrc: int) -> Stream | None:
        """The stream that it sends with this SSRC."""

    def send_control(self, packet: bytes) -> None:
        """Send RTCP to it."""


class Control:
    """Reads a client's RTCP and writes the router's."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def take(self, data: bytes, now: float) -> None:
        """Do what a compound packet asks for."""
        for part in rtcp.parts(data):
            if part.kind == rtcp.SENDER_REPORT:
                self._sender_report(data, part, now)
            elif part.kind == rtcp.TRANSPORT_FEEDBACK:
                self._lost(data, part, now)
            elif part.kind == rtcp.PAYLOAD_FEEDBACK:
                self._payload(data, part, now)

    def _sender_report(self, data: bytes, part: rtcp.Part, now: float) -> None:
        info = rtcp.sender_info(data, part)
        stream = self._client.stream(info.ssrc) if info is not None else None
        if info is None or stream is None:
            return
        if stream.reception is not None:
            stream.reception.sender_report(info.ntp, now)
        if stream.on_report is not None and not stream.paused:
            stream.on_report(stream, info)

    def _lost(self, data: bytes, part: rtcp.Part, now: float) -> None:
        lost = rtcp.lost_packets(data, part)
        consumer = self._client.consumers.get(lost[0]) if lost is not None else None
        if lost is not None and consumer is not None:
            consumer.resend(lost[1], now)

    def _payload(self, data: bytes, part: rtcp.Part, now: float) -> None:
        for ssrc in rtcp.keyframe_wanted(data, part):
            consumer = self._client.consumers.get(ssrc)
            if consumer is not None:
                consumer.request_keyframe(now)
        estimate = rtcp.estimated_bitrate(data, part)
        if estimate is not None:
            self._client.available = float(estimate)

    def report(self, now: float) -> None:
        """Tell the client how its streams arrive, to be called once a second."""
        blocks, limited = [], []
        for producer in self._client.producers.values():
            for stream in producer.streams:
                block = stream.reception.block(now) if stream.reception is not None else None
                if block is not None:
                    blocks.append(block)
                if stream.ssrc is not None and not producer.arrival_id and producer.kind == "video":
                    limited.append(stream.ssrc)
        if blocks:
            packet = rtcp.receiver_report(ROUTER_SSRC, blocks)
            self._client.send_control(packet + (rtcp.remb(ROUTER_SSRC, _REMB, limited) if limited else b""))
