"""Voice signalling, specified but not served yet: every operation answers 501."""

from __future__ import annotations

from hype.errors import NotImplementedYet
from hype.operations.call import Answer, Call

__all__ = [
    "close_producer",
    "connect_transport",
    "create_consumer",
    "create_producer",
    "create_recv_transport",
    "create_send_transport",
    "get_rtp_capabilities",
]


def get_rtp_capabilities(call: Call) -> Answer:
    """Operation getRtpCapabilities (ruling R25)."""
    raise NotImplementedYet("Not implemented")


def create_send_transport(call: Call) -> Answer:
    """Operation createSendTransport (ruling R26)."""
    raise NotImplementedYet("Not implemented")


def create_recv_transport(call: Call) -> Answer:
    """Operation createRecvTransport (ruling R26)."""
    raise NotImplementedYet("Not implemented")


def connect_transport(call: Call) -> Answer:
    """Operation connectTransport (ruling R27)."""
    raise NotImplementedYet("Not implemented")


def create_producer(call: Call) -> Answer:
    """Operation createProducer (ruling R28)."""
    raise NotImplementedYet("Not implemented")


def create_consumer(call: Call) -> Answer:
    """Operation createConsumer (ruling R29)."""
    raise NotImplementedYet("Not implemented")


def close_producer(call: Call) -> Answer:
    """Operation closeProducer (ruling R28)."""
    raise NotImplementedYet("Not implemented")
