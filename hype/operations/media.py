"""The SFU as operations see it, and its events.

This module knows the SFU by its shape only (`hype.server` brings the real one).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol

from hype import payloads
from hype.cluster import Cluster, RoomEvent, TransportClosed, UserEvent
from hype.payloads import Producer, Transport

__all__ = ["Announcer", "Media"]


class Media(Protocol):
    """The SFU. What takes time is a coroutine, for `Call.wait`."""

    @property
    def healthy(self) -> bool:
        """Whether every media worker is there (ruling R12)."""
        ...

    def rtp_capabilities(self) -> dict[str, Any]:
        """Return the router's capabilities (ruling R25)."""
        ...

    async def create_transport(
        self, channel_id: str, user_id: str, session_id: str, direction: Literal["send", "recv"], user_limit: int | None
    ) -> dict[str, Any]:
        """Return the options of a new transport for mediasoup-client (ruling R26). Raises Forbidden."""
        ...

    async def connect_transport(
        self, user_id: str, transport_id: str, dtls_parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Return the transport's `id` (ruling R27). Raises NotFound, Forbidden, BadRequest, Conflict."""
        ...

    async def restart_ice(self, user_id: str, transport_id: str) -> dict[str, Any]:
        """Return the transport's `id` and new `iceParameters` (ruling R29). Raises NotFound, Forbidden."""
        ...

    async def create_producer(
        self,
        user_id: str,
        transport_id: str,
        kind: Literal["audio", "video", "screen"],
        rtp_parameters: Mapping[str, Any],
        app_data: Mapping[str, Any],
        bits_per_second: int | None = None,
    ) -> dict[str, Any]:
        """Return `id`, `producerId` and `kind` of a new producer (ruling R28).

        bits_per_second: the most that is taken from the client, None = unlimited (amendment A13). Raises NotFound,
        Forbidden, BadRequest, Conflict.
        """
        ...

    async def close_producer(self, user_id: str, producer_id: str) -> None:
        """Close a producer (ruling R28). Raises NotFound, Forbidden."""

    async def create_consumer(
        self,
        user_id: str,
        transport_id: str,
        producer_id: str,
        rtp_capabilities: Mapping[str, Any],
        most: int | None = None,
    ) -> dict[str, Any]:
        """Return the options of a new consumer for mediasoup-client (ruling R29).

        most: the consumers that the user may have in the channel, None = unlimited (amendment A13). Raises NotFound,
        Forbidden, BadRequest, TooManyRequests.
        """
        ...

    async def close_consumer(self, user_id: str, consumer_id: str) -> None:
        """Close a consumer (ruling R29). Raises NotFound, Forbidden."""

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Return the open producers of a channel, oldest first."""
        ...

    def close_transport(self, transport_id: str) -> None:
        """Close a transport, if it is still open, and announce the end of its producers."""


class Announcer:
    """The SFU's `Listener`: it announces what the SFU does (rulings R39 and R40, amendment A11)."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def new_producer(self, producer: Producer) -> None:
        """Announce a producer to the room without the producer's owner."""
        self._tell_room("new_producer", producer, except_user=producer.user_id)

    def producer_closed(self, producer: Producer) -> None:
        """Announce the end of a producer to the whole room."""
        self._tell_room("producer_closed", producer)

    def speaking(self, producer: Producer, is_speaking: bool) -> None:
        """Announce to the whole room that a user speaks, or no longer speaks."""
        data = {"userId": producer.user_id, "isSpeaking": is_speaking, "channelId": producer.channel_id}
        self._cluster.publish([RoomEvent(producer.channel_id, "speaking_state", data)])

    def over_rate(self, producer: Producer) -> None:
        """Tell the sockets of a producer's owner that a part of its media is dropped (amendment A13)."""
        self._cluster.publish([UserEvent(producer.user_id, "error", payloads.over_rate(producer))])

    def transport_closed(self, transport: Transport, reason: str | None) -> None:
        """Announce the end of a transport (amendment A11). reason: is told to the user's sockets, unless it is None."""
        if reason is not None:
            data = payloads.closed_transport(transport, reason)
            self._cluster.publish([UserEvent(transport.user_id, "transport_closed", data)])
        self._cluster.publish([TransportClosed(transport.user_id, transport.channel_id)])

    def _tell_room(self, name: str, producer: Producer, except_user: str | None = None) -> None:
        event = RoomEvent(producer.channel_id, name, payloads.producer(producer), except_user=except_user)
        self._cluster.publish([event])
