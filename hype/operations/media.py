"""The way from operations, in their threads, to the SFU, on the event loop; and what the SFU says by itself.

The SFU is known here by its shape only (`hype.server` brings the real one).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Literal, Protocol, TypeVar

from hype import payloads
from hype.cluster import Cluster, RoomEvent
from hype.errors import InternalError
from hype.payloads import Producer

__all__ = ["Announcer", "Media", "MediaBridge"]

T = TypeVar("T")

_PATIENCE_S = 10


class Media(Protocol):
    """The SFU as operations see it. Everything but `healthy` and `rtp_capabilities` belongs to the event loop."""

    @property
    def healthy(self) -> bool:
        """Whether every media worker is there (ruling R12)."""

    def rtp_capabilities(self) -> dict[str, Any]:
        """The router's capabilities (ruling R25)."""

    async def create_transport(
        self, channel_id: str, user_id: str, session_id: str, direction: Literal["send", "recv"], user_limit: int | None
    ) -> dict[str, Any]:
        """What mediasoup-client creates a transport from (ruling R26). Raises Forbidden."""

    async def connect_transport(
        self, user_id: str, transport_id: str, dtls_parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The transport's `id` (ruling R27). Raises NotFound, Forbidden, BadRequest, Conflict."""

    async def restart_ice(self, user_id: str, transport_id: str) -> dict[str, Any]:
        """The transport's `id` and new `iceParameters` (ruling R29). Raises NotFound, Forbidden."""

    async def create_producer(
        self,
        user_id: str,
        transport_id: str,
        kind: Literal["audio", "video", "screen"],
        rtp_parameters: Mapping[str, Any],
        app_data: Mapping[str, Any],
    ) -> dict[str, Any]:
        """`id`, `producerId` and `kind` (ruling R28). Raises NotFound, Forbidden, BadRequest, Conflict."""

    async def close_producer(self, user_id: str, producer_id: str) -> None:
        """Raises NotFound, Forbidden (ruling R28)."""

    async def create_consumer(
        self, user_id: str, transport_id: str, producer_id: str, rtp_capabilities: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What mediasoup-client creates a consumer from (ruling R29). Raises NotFound, Forbidden, BadRequest."""

    async def close_consumer(self, user_id: str, consumer_id: str) -> None:
        """Raises NotFound, Forbidden (ruling R29)."""

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """The open producers of a channel, oldest first."""

    def close_transport(self, transport_id: str) -> None:
        """Close a transport, if it is still open, and tell the room of its producers."""


class MediaBridge:
    """Lets a thread that is not the event loop's ask the SFU and wait for what it says."""

    def __init__(self, media: Media, loop: asyncio.AbstractEventLoop) -> None:
        """loop: the one that `media` belongs to."""
        self._media = media
        self._loop = loop

    @property
    def healthy(self) -> bool:
        """Whether every media worker is there."""
        return self._media.healthy

    def rtp_capabilities(self) -> dict[str, Any]:
        """The router's capabilities."""
        return self._media.rtp_capabilities()

    def ask(self, question: Callable[[Media], Coroutine[Any, Any, T]]) -> T:
        """The answer to a question that takes time. Raises what it raises, InternalError when there is none in 10 s."""
        asked = asyncio.run_coroutine_threadsafe(question(self._media), self._loop)
        try:
            return asked.result(_PATIENCE_S)
        except TimeoutError:
            asked.cancel()
            raise InternalError from None

    def look(self, at: Callable[[Media], T]) -> T:
        """What one step on the event loop returns."""

        async def step(media: Media) -> T:
            return at(media)

        return self.ask(step)


class Announcer:
    """Tells rooms what the SFU does (rulings R39 and R40); its `Listener`."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    def new_producer(self, producer: Producer) -> None:
        """To the room without the producer's owner."""
        self._tell_others("new_producer", producer)

    def producer_closed(self, producer: Producer) -> None:
        """To the room without the producer's owner."""
        self._tell_others("producer_closed", producer)

    def speaking(self, producer: Producer, is_speaking: bool) -> None:
        """To the whole room."""
        data = {"userId": producer.user_id, "isSpeaking": is_speaking, "channelId": producer.channel_id}
        self._cluster.publish([RoomEvent(producer.channel_id, "speaking_state", data)])

    def _tell_others(self, name: str, producer: Producer) -> None:
        event = RoomEvent(producer.channel_id, name, payloads.producer(producer), except_user=producer.user_id)
        self._cluster.publish([event])
