"""The books of the transports, producers and consumers in each voice channel, and the rules of what users may do.

Pure bookkeeping, one step each: rulings R26 to R29, and the part of R38 and R39 that is about media. A channel has a
room here while it has a transport. The packets are in a worker, which has a connection for each transport, an inbound
track for each producer and an outbound track for each consumer.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from hype.errors import BadRequest, Conflict, Forbidden, NotFound, TooManyRequests

__all__ = ["MOST_CONSUMERS", "Consumer", "Direction", "Kind", "Producer", "Rooms", "Transport"]

Direction = Literal["send", "recv"]
Kind = Literal["audio", "video", "screen"]

MOST_CONSUMERS: Final = 512
_LATER_S: Final = 10.0  # only the end of a consumer makes room
"""The most consumers of one transport: more than 99 users can produce, and few enough for one worker."""


@dataclass(eq=False, slots=True)
class Transport:
    """A transport by which one user sends to, or receives from, one channel.

    session_id: the session that made it, whose end closes it (amendment A21). known: the client has been told of
    it. connected: the client's side is known.
    consumed: the number of consumers that it has had so far. first_ssrc: the start for `ortc.consumer_ssrcs`.
    """

    id: str
    user_id: str
    session_id: str
    channel_id: str
    direction: Direction
    known: bool = False
    connected: bool = False
    consumed: int = 0
    first_ssrc: int = field(default_factory=lambda: secrets.randbits(32))
    producers: dict[str, Producer] = field(default_factory=dict)
    consumers: dict[str, Consumer] = field(default_factory=dict)


@dataclass(eq=False, slots=True)
class Producer:
    """A stream that a user sends. consumable: its RtpParameters as the router sees them.

    announced: whether the room was told of it. Before that the worker has not taken it yet.
    """

    id: str
    kind: Kind
    transport: Transport
    consumable: Mapping[str, Any]
    app_data: Mapping[str, Any]
    announced: bool = False
    paused: bool = False
    speaking: bool = False
    consumers: dict[str, Consumer] = field(default_factory=dict)

    @property
    def user_id(self) -> str:
        """The user who sends it."""
        return self.transport.user_id

    @property
    def channel_id(self) -> str:
        """The channel that it is sent to."""
        return self.transport.channel_id


@dataclass(eq=False, slots=True)
class Consumer:
    """A producer's stream on its way to one transport."""

    id: str
    transport: Transport
    producer: Producer


@dataclass(eq=False, slots=True)
class _Room:
    transports: dict[str, Transport] = field(default_factory=dict)
    producers: dict[str, Producer] = field(default_factory=dict)

    def users(self) -> set[str]:
        return {transport.user_id for transport in self.transports.values()}

    def load(self) -> int:
        return sum(1 + len(transport.consumers) for transport in self.transports.values())


class Rooms:
    """Every room, transport, producer and consumer of this server, by id."""

    def __init__(self) -> None:
        """Begin without rooms."""
        self.transports: dict[str, Transport] = {}
        self.producers: dict[str, Producer] = {}
        self.consumers: dict[str, Consumer] = {}
        self._rooms: dict[str, _Room] = {}
        self._by_user: dict[str, dict[str, Transport]] = {}
        self._by_session: dict[str, dict[str, Transport]] = {}

    # Questions

    def __contains__(self, channel_id: object) -> bool:
        """Tell whether the channel has a room."""
        return channel_id in self._rooms

    def users(self, channel_id: str) -> set[str]:
        """Return the users who have a transport in the channel."""
        return self._room(channel_id).users()

    def load(self, channel_id: str) -> int:
        """Return how much work the room is: its transports and consumers."""
        return self._room(channel_id).load()

    def transports_in(self, channel_id: str, user_id: str | None = None) -> list[Transport]:
        """Return the transports of a user (None: of all users) in a channel; oldest first."""
        return [each for each in self._room(channel_id).transports.values() if user_id in (None, each.user_id)]

    def transports_of(self, user_id: str, *, outside: str | None = None) -> list[Transport]:
        """Return the user's transports in every channel but `outside`; oldest first."""
        return [each for each in self._by_user.get(user_id, {}).values() if each.channel_id != outside]

    def transports_of_session(self, session_id: str) -> list[Transport]:
        """Return the transports that the session made; oldest first."""
        return list(self._by_session.get(session_id, {}).values())

    def producers_in(self, channel_id: str) -> list[Producer]:
        """Return the producers that the room was told of, oldest first."""
        return [each for each in self._room(channel_id).producers.values() if each.announced]

    # What a user may do; failures come in the order 404, 403, 400, 409 (ruling R10)

    def admit(self, channel_id: str, user_id: str, limit: int | None, present: Collection[str]) -> None:
        """Raise Forbidden `Channel is full` when the user is one too many (ruling R26).

        present: the users with a `voice_state` in the channel, who count beside the users with a transport.
        """
        there = self.users(channel_id).union(present)
        if limit is not None and user_id not in there and len(there) >= limit:
            raise Forbidden("Channel is full")

    def own_transport(self, user_id: str, transport_id: str) -> Transport:
        """Return the user's transport of that id. Raises NotFound or Forbidden (ruling R27)."""
        transport = self.transports.get(transport_id)
        if transport is None:
            raise NotFound("Transport not found")
        return _owned(transport, user_id)

    def own_producer(self, user_id: str, producer_id: str) -> Producer:
        """Return the user's producer of that id. Raises NotFound or Forbidden (ruling R28)."""
        producer = self.producers.get(producer_id)
        if producer is None or not producer.announced:
            raise NotFound("Producer not found")
        if producer.user_id != user_id:
            raise Forbidden("Forbidden: You can only close your own producers")
        return producer

    def own_consumer(self, user_id: str, consumer_id: str) -> Consumer:
        """Return the user's consumer of that id. Raises NotFound or Forbidden (ruling R29)."""
        consumer = self.consumers.get(consumer_id)
        if consumer is None:
            raise NotFound("Consumer not found")
        if consumer.transport.user_id != user_id:
            raise Forbidden("Forbidden: You can only close your own consumers")
        return consumer

    def own_send_transport(self, user_id: str, transport_id: str) -> Transport:
        """Return the user's transport, if it is for sending. Raises NotFound, Forbidden or BadRequest (ruling R28)."""
        transport = self.own_transport(user_id, transport_id)
        if transport.direction != "send":
            raise BadRequest("Cannot produce on a receive transport")
        return transport

    def consumable(
        self, user_id: str, transport_id: str, producer_id: str, most: int | None = None
    ) -> tuple[Transport, Producer]:
        """Return the user's transport for receiving, and a producer of its channel that the user may consume.

        most: the consumers that a user may have in a channel, at most MOST_CONSUMERS (amendment A13). Raises NotFound,
        Forbidden, BadRequest `Cannot consume` (ruling R29), TooManyRequests. A producer of another channel is not
        found.
        """
        transport = self.transports.get(transport_id)
        if transport is None:
            raise NotFound("Transport not found")
        producer = self.producers.get(producer_id)
        if producer is None or not producer.announced or producer.channel_id != transport.channel_id:
            raise NotFound("Producer not found")
        _owned(transport, user_id)
        if transport.direction == "recv" and most is not None and len(transport.consumers) >= min(most, MOST_CONSUMERS):
            raise TooManyRequests("Too many consumers", retry_after_s=_LATER_S)
        if transport.direction != "recv" or len(transport.consumers) >= MOST_CONSUMERS:
            raise BadRequest("Cannot consume")
        return transport, producer

    def connect(self, transport: Transport) -> None:
        """Note that the client's side is known. Raises Conflict the second time (ruling R27)."""
        if transport.connected:
            raise Conflict("Transport is already connected")
        transport.connected = True

    # Changes

    def add_transport(self, transport: Transport) -> Transport | None:
        """Open a transport, and return the user's earlier one that it replaces (ruling R26).

        The earlier one has the same direction and channel.
        """
        room = self._rooms.setdefault(transport.channel_id, _Room())
        replaced = next((each for each in room.transports.values() if _alike(each, transport)), None)
        room.transports[transport.id] = self.transports[transport.id] = transport
        self._by_user.setdefault(transport.user_id, {})[transport.id] = transport
        self._by_session.setdefault(transport.session_id, {})[transport.id] = transport
        return replaced

    def add_producer(self, producer: Producer) -> None:
        """Open a producer that is not announced yet. Raises Conflict for a second one of its kind (ruling R28)."""
        room = self._room(producer.channel_id)
        if any(each.user_id == producer.user_id and each.kind == producer.kind for each in room.producers.values()):
            article = "an" if producer.kind == "audio" else "a"
            raise Conflict(f"You already have {article} {producer.kind} producer in this channel")
        room.producers[producer.id] = self.producers[producer.id] = producer
        producer.transport.producers[producer.id] = producer

    def add_consumer(self, consumer: Consumer) -> None:
        """Open a consumer."""
        self.consumers[consumer.id] = consumer
        consumer.transport.consumers[consumer.id] = consumer
        consumer.producer.consumers[consumer.id] = consumer

    def remove_transport(self, transport: Transport) -> list[Producer]:
        """Close a transport and all that is on it. A transport that is closed stays as it is.

        Returns the producers that closed and that the room was told of.
        """
        if self.transports.pop(transport.id, None) is None:
            return []
        _discard(self._by_user, transport.user_id, transport)
        _discard(self._by_session, transport.session_id, transport)
        room = self._rooms[transport.channel_id]
        del room.transports[transport.id]
        closed = [each for each in list(transport.producers.values()) if self.remove_producer(each)]
        for consumer in list(transport.consumers.values()):
            self.remove_consumer(consumer)
        if not room.transports:
            del self._rooms[transport.channel_id]
        return closed

    def remove_producer(self, producer: Producer) -> bool:
        """Close a producer and its consumers. Returns whether it was open and the room was told of it."""
        if self.producers.pop(producer.id, None) is None:
            return False
        self._room(producer.channel_id).producers.pop(producer.id, None)
        producer.transport.producers.pop(producer.id, None)
        for consumer in list(producer.consumers.values()):
            self.remove_consumer(consumer)
        return producer.announced

    def remove_consumer(self, consumer: Consumer) -> None:
        """Close a consumer. A consumer that is closed stays as it is."""
        self.consumers.pop(consumer.id, None)
        consumer.transport.consumers.pop(consumer.id, None)
        consumer.producer.consumers.pop(consumer.id, None)

    def _room(self, channel_id: str) -> _Room:
        return self._rooms.get(channel_id) or _Room()


def _owned(transport: Transport, user_id: str) -> Transport:
    if transport.user_id != user_id:
        raise Forbidden("Forbidden: You can only use your own transports")
    return transport


def _discard(index: dict[str, dict[str, Transport]], key: str, transport: Transport) -> None:
    index[key].pop(transport.id)
    if not index[key]:
        del index[key]


def _alike(first: Transport, second: Transport) -> bool:
    return (first.user_id, first.direction) == (second.user_id, second.direction)
