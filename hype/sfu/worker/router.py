"""One voice channel's media: who sends what to whom in it. Packets themselves go from a stream through its fan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype.sfu.worker.connection import Transport
from hype.sfu.worker.inbound_track import Producer
from hype.sfu.worker.outbound_track import Consumer
from hype.sfu.worker.rtcp import SenderInfo
from hype.sfu.worker.stream import Stream

__all__ = ["Router"]


class Router:
    """Transports, producers and consumers of one channel; closing one closes what hangs on it."""

    def __init__(self, router_id: str) -> None:
        self.id = router_id
        self.transports: dict[str, Transport] = {}
        self.producers: dict[str, Producer] = {}
        self.consumers: dict[str, Consumer] = {}
        self._senders: dict[str, Transport] = {}  # by producer id
        self._receivers: dict[str, Transport] = {}  # by consumer id

    def add_transport(self, transport: Transport) -> None:
        """A client comes."""
        self.transports[transport.id] = transport
        transport.on_closed = self.transport_closed

    def close_transport(self, transport: Transport) -> None:
        """A client goes."""
        transport.close()
        self.transport_closed(transport)

    def transport_closed(self, transport: Transport) -> None:
        """A client has gone."""
        for consumer in list(transport.consumers.values()):
            self.close_consumer(consumer.id)
        for producer_id in list(transport.producers):
            self.close_producer(producer_id)
        self.transports.pop(transport.id, None)

    def produce(self, transport: Transport, producer: Producer) -> None:
        """A client sends something new."""
        self.producers[producer.id] = producer
        self._senders[producer.id] = transport
        for stream in producer.streams:
            stream.on_report = lambda stream, info: self._report(producer, stream, info)
        transport.add_producer(producer)

    def _report(self, producer: Producer, stream: Stream, info: SenderInfo) -> None:
        for consumer in self.consumers.values():
            if consumer.producer is producer:
                consumer.report(stream, info)

    def close_producer(self, producer_id: str) -> None:
        """It ends, and so does everybody's receiving of it."""
        producer = self.producers.pop(producer_id)
        producer.closed = True
        for consumer in [each for each in self.consumers.values() if each.producer is producer]:
            self.close_consumer(consumer.id)
        self._senders.pop(producer_id).remove_producer(producer)

    def consume(self, transport: Transport, consumer_id: str, producer_id: str, params: Mapping[str, Any]) -> Consumer:
        """A client receives a producer. Raises KeyError for an unknown producer; like `Consumer` for the parameters."""
        consumer = Consumer(consumer_id, self.producers[producer_id], transport, params["rtpParameters"])
        consumer.paused = bool(params.get("paused"))
        self.consumers[consumer_id] = consumer
        self._receivers[consumer_id] = transport
        transport.add_consumer(consumer)
        return consumer

    def close_consumer(self, consumer_id: str) -> None:
        """A client receives it no more."""
        consumer = self.consumers.pop(consumer_id)
        self._receivers.pop(consumer_id).remove_consumer(consumer)

    def close(self) -> None:
        """The channel is gone."""
        for transport in list(self.transports.values()):
            self.close_transport(transport)
