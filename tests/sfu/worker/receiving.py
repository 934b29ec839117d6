"""Clients that receive from a fan-out in this process: real keys, and real sockets on loopback."""

from __future__ import annotations

import socket

from hype.sfu.worker import rtp
from hype.sfu.worker.datagrams import pack_name
from hype.sfu.worker.fan_out import Receiver
from hype.sfu.worker.ice import Agent
from tests.sfu.worker.keys import GCM, pair
from tests.sfu.worker.rig import rtp_packet


class Client:
    """A client: its address and its packets."""

    def __init__(self, number: int, profile: int = GCM, *, udp: bool = True, host: str = "127.0.0.1") -> None:
        self.keys, self.session, _ = pair(profile)
        self.socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((host, 0))
        self.socket.setblocking(False)
        self.address: tuple[str, int] = self.socket.getsockname()[:2]
        self.name = pack_name(self.address) if udp else None
        self.proven = True
        self.heard_at = 0.0
        self.agent: Agent | None = None
        self.sent: list[bytes] = []
        self.ssrc = 1000 + number
        self.mid = f"{number:04}"

    def receiver(self, first: int = 0, sequence_offset: int = 0, timestamp_offset: int = 0) -> Receiver:
        """Return the client as a receiver of a fan-out."""
        return Receiver(self.keys, self, rtp.stamp_tail(self.ssrc, self.mid), first, sequence_offset, timestamp_offset)

    def send(self, data: bytes) -> None:
        """Take a datagram that was not sent in a batch."""
        self.sent.append(data)

    def prove(self) -> None:
        """Do nothing: it is."""

    def doubt(self) -> None:
        """Do nothing: it is proven."""

    def adopt(self, agent: Agent) -> None:
        """Take the agent."""
        self.agent = agent

    def release(self) -> None:
        """Take no agent."""
        self.agent = None

    def received(self) -> list[bytes]:
        """Return the packets since the last call, decrypted."""
        taken, self.sent = self.sent, []
        while True:
            try:
                taken.append(self.socket.recv(2048))
            except BlockingIOError:
                return [self.session.unprotect(each) for each in taken]


def routed(number: int, content: bytes) -> bytes:
    """Return a packet as a stream gives it to its fan-out."""
    header = rtp.parse(rtp_packet(number, content))
    assert header is not None
    return rtp.outgoing_header(header, 100, 0) + content
