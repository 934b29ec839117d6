"""The SFU as the rest of the server sees it: it places channels on workers, checks requests and passes them on.

It belongs to the event loop. The books (`rooms`) change and the listener is told in one step. So a caller that reads
the open producers and listens from then on misses no producer and is told of none twice.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hype.errors import BadRequest, NotFound
from hype.ids import new_id
from hype.sfu.negotiation import ortc, shapes
from hype.sfu.signalling.asking import ask
from hype.sfu.signalling.listener import Listener, Reason
from hype.sfu.signalling.rooms import Consumer, Direction, Kind, Producer, Rooms, Transport
from hype.sfu.signalling.unconnected import CHECK_INTERVAL_S, UnconnectedTransports
from hype.sfu.signalling.worker_pool import WorkerPool
from hype.sfu.signalling.worker_process import WorkerProcess, WorkerSettings

__all__ = ["Attends", "Present", "Sfu"]

Present = Callable[[str], Mapping[str, bool]]
"""(channel id) → the ids of the users who have a `voice_state` there → whether they are muted."""

Attends = Callable[[str, str], bool]
"""(user id, channel id) → whether the user has a socket in the channel's room. A `voice_state` there comes with one."""

_REASONS: Mapping[str, Reason] = {"consent": "consent", "connect timeout": "consent"}
"""The reasons of a worker for closing a transport; any other is about DTLS."""

_logger = logging.getLogger(__name__)


class Sfu:
    """All media of one server."""

    def __init__(
        self,
        settings: WorkerSettings,
        workers: int,
        listener: Listener,
        present: Present,
        attends: Attends,
        check_interval_s: float = CHECK_INTERVAL_S,
    ) -> None:
        """Prepare as many worker processes as `workers` says. check_interval_s: see `UnconnectedTransports`."""
        self._workers = WorkerPool(settings, workers, self)
        self._listener = listener
        self._present = present
        self._rooms = Rooms()
        self._places: dict[str, WorkerProcess] = {}  # by channel id
        self._unconnected = UnconnectedTransports(
            attends, lambda transport: self._close_transport(transport, "unused"), check_interval_s
        )

    async def start(self) -> None:
        """Start the workers. Raises PortBusy when they do not start."""
        await self._workers.start()

    async def stop(self) -> None:
        """End the workers, and all media with them. The listener is not told."""
        self._unconnected.clear()
        await self._workers.close()

    @property
    def healthy(self) -> bool:
        """Whether no worker is missing (ruling R12)."""
        return self._workers.complete

    def figures(self) -> dict[str, int]:
        """Return the present numbers, and the packets since the start, as of some seconds ago."""
        rooms, packets = self._rooms, self._workers.packets()
        return {
            "workers": len(self._workers.live),
            "transports": len(rooms.transports),
            "producers": len(rooms.producers),
            "consumers": len(rooms.consumers),
            "received_packets": packets[0],
            "sent_packets": packets[1],
        }

    def worker_figures(self) -> dict[int, dict[str, float]]:
        """Return the numbers of each worker by its process id, as of some seconds ago."""
        return {worker.pid: worker.figures() for worker in tuple(self._workers.live) if worker.stats}

    # The requests of users by REST (rulings R25 to R29)

    def rtp_capabilities(self) -> dict[str, Any]:
        """Return the parameter of mediasoup-client's `Device.load()`."""
        return ortc.router_capabilities()

    async def create_transport(
        self, channel_id: str, user_id: str, session_id: str, direction: Direction, user_limit: int | None
    ) -> dict[str, Any]:
        """Create a transport in place of the user's old one, and return it. Raises Forbidden `Channel is full`."""
        await self._workers.wait_for_any()
        self._rooms.admit(channel_id, user_id, user_limit, self._present(channel_id))
        worker = self._place(channel_id)
        transport = Transport(new_id(), user_id, session_id, channel_id, direction)
        replaced = self._rooms.add_transport(transport)
        if replaced is not None:
            self._close_transport(replaced, "replaced")
        params = {"transportId": transport.id, "routerId": channel_id, "direction": direction}
        with _undo_on_failure(lambda: self._close_transport(transport)):
            options = await ask(worker, "createTransport", params)
            self._must_be_open(transport)
        transport.known = True
        self._unconnected.add(transport)
        return {"id": transport.id, **options}

    async def connect_transport(
        self, user_id: str, transport_id: str, dtls_parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Connect a transport to the client. Raises NotFound, Forbidden, BadRequest, Conflict."""
        transport = self._rooms.own_transport(user_id, transport_id)
        params = {"transportId": transport_id, "dtlsParameters": shapes.validate_dtls_parameters(dtls_parameters)}
        self._rooms.connect(transport)

        def undo() -> None:
            transport.connected = False

        with _undo_on_failure(undo):
            await ask(self._places[transport.channel_id], "connectTransport", params)
        self._unconnected.remove(transport)
        return {"id": transport_id}

    async def restart_ice(self, user_id: str, transport_id: str) -> dict[str, Any]:
        """Return new ICE credentials for a transport. Raises NotFound, Forbidden."""
        transport = self._rooms.own_transport(user_id, transport_id)
        answer = await ask(self._places[transport.channel_id], "restartIce", {"transportId": transport_id})
        return {"id": transport_id, **answer}

    async def create_producer(
        self,
        user_id: str,
        transport_id: str,
        kind: Kind,
        rtp_parameters: Mapping[str, Any],
        app_data: Mapping[str, Any],
        bits_per_second: int | None = None,
    ) -> dict[str, Any]:
        """Create a producer, and tell the room. Raises NotFound, Forbidden, BadRequest, Conflict.

        bits_per_second: the most that is taken from the client, None = unlimited; what is over is dropped.
        """
        transport = self._rooms.own_send_transport(user_id, transport_id)
        media_kind = _media_kind(kind)
        parameters = shapes.validate_rtp_parameters(rtp_parameters, media_kind)
        parameters["rtcp"]["cname"] = parameters["rtcp"]["cname"] or _cname(transport)
        mapping = ortc.producer_mapping(parameters, media_kind)
        consumable = ortc.consumable_rtp_parameters(parameters)
        producer = Producer(new_id(), kind, transport, consumable, app_data)
        self._rooms.add_producer(producer)
        producer.paused = kind == "audio" and self._present(transport.channel_id).get(user_id, False)
        params = {
            "transportId": transport_id,
            "producerId": producer.id,
            "kind": media_kind,
            "rtpParameters": parameters,
            "rtpMapping": mapping,
            "paused": producer.paused,
            "bitsPerSecond": bits_per_second,
        }
        with _undo_on_failure(lambda: self._close_producer(producer)):
            await ask(self._places[transport.channel_id], "produce", params)
            self._must_be_open(transport)
        producer.announced = True
        self._listener.new_producer(producer)
        return {"id": producer.id, "producerId": producer.id, "kind": kind}

    async def close_producer(self, user_id: str, producer_id: str) -> None:
        """Close a producer, and tell the room. Raises NotFound, Forbidden."""
        self._close_producer(self._rooms.own_producer(user_id, producer_id))

    async def create_consumer(
        self,
        user_id: str,
        transport_id: str,
        producer_id: str,
        rtp_capabilities: Mapping[str, Any],
        most: int | None = None,
    ) -> dict[str, Any]:
        """Create a consumer of a producer, and return it. Raises NotFound, Forbidden, BadRequest, TooManyRequests.

        most: the consumers that the user may have in the channel, None = unlimited. They are those of one transport,
        because a user has one transport for receiving in a channel.
        """
        transport, producer = self._rooms.consumable(user_id, transport_id, producer_id, most)
        capabilities = shapes.validate_rtp_capabilities(rtp_capabilities)
        if not ortc.can_consume(dict(producer.consumable), capabilities):
            raise BadRequest("Cannot consume")
        mid = ortc.mid_text(transport.consumed)
        ssrcs = ortc.consumer_ssrcs(transport.first_ssrc, transport.consumed)
        parameters = ortc.consumer_rtp_parameters(dict(producer.consumable), capabilities, mid, ssrcs)
        consumer = Consumer(new_id(), transport, producer)
        self._rooms.add_consumer(consumer)
        transport.consumed += 1
        params = {
            "transportId": transport_id,
            "consumerId": consumer.id,
            "producerId": producer_id,
            "kind": _media_kind(producer.kind),
            "rtpParameters": parameters,
            "paused": False,
        }
        with _undo_on_failure(lambda: self._close_consumer(consumer)):
            await ask(self._places[transport.channel_id], "consume", params)
            if consumer.id not in self._rooms.consumers:
                self._must_be_open(transport)
                raise NotFound("Producer not found")
        return {
            "id": consumer.id,
            "consumerId": consumer.id,
            "producerId": producer_id,
            "kind": _media_kind(producer.kind),
            "rtpParameters": parameters,
            "producerPaused": producer.paused,
        }

    async def close_consumer(self, user_id: str, consumer_id: str) -> None:
        """Close a consumer. Raises NotFound, Forbidden."""
        self._close_consumer(self._rooms.own_consumer(user_id, consumer_id))

    # The questions of the gateway (rulings R38 and R39); each is one step

    def producers(self, channel_id: str) -> Sequence[Producer]:
        """Return the open producers of a channel, oldest first."""
        return self._rooms.producers_in(channel_id)

    def users(self, channel_id: str) -> Collection[str]:
        """Return the users who have a transport in the channel (ruling R26)."""
        return self._rooms.users(channel_id)

    def places_of_session(self, session_id: str) -> Collection[tuple[str, str]]:
        """Return (user id, channel id) of the transports that a session made."""
        return {(each.user_id, each.channel_id) for each in self._rooms.transports_of_session(session_id)}

    # Closing; each returns the producers that closed, of which the listener is not told

    def close_channel(self, channel_id: str, user_id: str | None = None) -> Sequence[Producer]:
        """Close the transports of a user (None: of all users) in a channel."""
        return self._forget_transports(self._rooms.transports_in(channel_id, user_id))

    def close_user(self, user_id: str, *, outside: str | None = None) -> Sequence[Producer]:
        """Close a user's transports in every channel but `outside`."""
        return self._forget_transports(self._rooms.transports_of(user_id, outside=outside))

    def close_session(self, session_id: str) -> Sequence[Producer]:
        """Close the transports that a session made (amendment A21)."""
        return self._forget_transports(self._rooms.transports_of_session(session_id))

    def close_transport(self, transport_id: str) -> None:
        """Close a transport, if it is still open, and tell the room of its producers."""
        transport = self._rooms.transports.get(transport_id)
        if transport is not None:
            self._close_transport(transport)

    def set_muted(self, channel_id: str, user_id: str, muted: bool) -> None:
        """Stop or resume the forwarding of a user's audio (ruling R39)."""
        for transport in self._rooms.transports_in(channel_id, user_id):
            for producer in transport.producers.values():
                if producer.kind == "audio" and producer.paused != muted:
                    producer.paused = muted
                    method = "pauseProducer" if muted else "resumeProducer"
                    self._tell(channel_id, method, {"producerId": producer.id})
                    if muted:
                        self._set_speaking(producer, False)

    # What the worker pool tells

    def event_received(self, event: Mapping[str, Any]) -> None:
        """Take an event of a worker.

        A transport has closed, a user begins or stops speaking, or a producer is over its bit rate.
        """
        if event["event"] == "transportClosed":
            transport = self._rooms.transports.get(event["transportId"])
            if transport is not None:
                self._close_transport(transport, _REASONS.get(event.get("reason", ""), "dtls"))
        elif event["event"] == "speaking":
            producer = self._rooms.producers.get(event["producerId"])
            if producer is not None and producer.announced:
                self._set_speaking(producer, bool(event["speaking"]) and not producer.paused)
        elif event["event"] == "overRate":
            producer = self._rooms.producers.get(event["producerId"])
            if producer is not None and producer.announced:
                self._listener.over_rate(producer)

    def worker_died(self, worker: WorkerProcess) -> None:
        """Close all transports that a worker has carried, and tell their rooms (ruling R30)."""
        for channel_id in [each for each, place in self._places.items() if place is worker]:
            for transport in self._rooms.transports_in(channel_id):
                self._close_transport(transport, "worker")

    def _set_speaking(self, producer: Producer, speaking: bool) -> None:
        if producer.speaking != speaking:
            producer.speaking = speaking
            self._listener.speaking(producer, speaking)

    # Closing, and telling the worker and the room

    def _close_transport(self, transport: Transport, reason: Reason | None = None) -> None:
        """Close a transport, and tell the room of its producers. reason: is told to its user, unless it is None."""
        was_open = transport.id in self._rooms.transports
        for producer in self._forget_transport(transport):
            self._announce_closed(producer)
        if was_open:
            self._listener.transport_closed(transport, reason if transport.known else None)

    def _close_producer(self, producer: Producer) -> None:
        if self._rooms.remove_producer(producer):
            self._announce_closed(producer)
        self._tell(producer.channel_id, "closeProducer", {"producerId": producer.id})

    def _close_consumer(self, consumer: Consumer) -> None:
        self._rooms.remove_consumer(consumer)
        self._tell(consumer.transport.channel_id, "closeConsumer", {"consumerId": consumer.id})

    def _forget_transports(self, transports: Sequence[Transport]) -> list[Producer]:
        return [producer for transport in transports for producer in self._forget_transport(transport)]

    def _forget_transport(self, transport: Transport) -> list[Producer]:
        self._unconnected.remove(transport)
        closed = self._rooms.remove_transport(transport)
        self._tell(transport.channel_id, "closeTransport", {"transportId": transport.id})
        if transport.channel_id not in self._rooms:
            self._tell(transport.channel_id, "closeRouter", {"routerId": transport.channel_id})
            self._places.pop(transport.channel_id, None)
        return closed

    def _tell(self, channel_id: str, method: str, params: Mapping[str, Any]) -> None:
        """Send a request to the channel's worker. A channel without a worker has nothing that could be changed."""
        worker = self._places.get(channel_id)
        if worker is not None:
            worker.notify(method, params)

    def _announce_closed(self, producer: Producer) -> None:
        self._set_speaking(producer, False)
        self._listener.producer_closed(producer)

    def _must_be_open(self, transport: Transport) -> None:
        """Raise NotFound when the transport was closed while the worker was asked."""
        if transport.id not in self._rooms.transports:
            raise NotFound("Transport not found")

    # Placing channels

    def _place(self, channel_id: str) -> WorkerProcess:
        """Return the worker of a channel: the one it has, or the one with the least to do."""
        if channel_id not in self._places:
            loads = {id(worker): 0 for worker in self._workers.live}
            for each, worker in self._places.items():
                loads[id(worker)] += self._rooms.load(each)
            self._places[channel_id] = min(self._workers.live, key=lambda worker: loads[id(worker)])
        return self._places[channel_id]


@contextmanager
def _undo_on_failure(undo: Callable[[], None]) -> Iterator[None]:
    """Take back what was noted before a request to a worker when the request fails, for any reason."""
    try:
        yield
    except BaseException:
        undo()
        raise


def _cname(transport: Transport) -> str:
    """Return a cname for a producer without one, as Chrome's with simulcast: that of the transport's other producers.

    Receivers play streams with one cname in step.
    """
    named = (str(each.consumable["rtcp"]["cname"]) for each in transport.producers.values())
    return next(named, transport.id)


def _media_kind(kind: Kind) -> str:
    return "audio" if kind == "audio" else "video"
