"""The listener to what media does by itself, or by REST."""

from __future__ import annotations

from typing import Literal, Protocol

from hype.sfu.signalling.rooms import Producer, Transport

__all__ = ["Listener", "Reason"]

Reason = Literal["consent", "unused", "dtls", "replaced", "worker"]
"""The reason why the server closes a transport, as `transport_closed` says it: `TransportClosed` in asyncapi.yaml."""


class Listener(Protocol):
    """A listener to what media does by itself, or by REST. It is not told of producers that `Sfu.close_…` returns."""

    def new_producer(self, producer: Producer) -> None:
        """Take note that a user begins to send (ruling R39)."""

    def producer_closed(self, producer: Producer) -> None:
        """Take note that a user stops sending (ruling R39)."""

    def speaking(self, producer: Producer, is_speaking: bool) -> None:
        """Take note that a user begins or stops speaking (ruling R40)."""

    def over_rate(self, producer: Producer) -> None:
        """Take note that a producer sends more than it may (amendment A13)."""

    def transport_closed(self, transport: Transport, reason: Reason | None) -> None:
        """Take note that a transport is closed (amendment A11). reason: None when its user need not be told."""
