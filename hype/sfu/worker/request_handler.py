"""The methods of the link: the requests that the server's side of the SFU sends to a worker.

They name connections transports, inbound tracks producers and outbound tracks consumers, as the server's books do.
"""

from __future__ import annotations

import asyncio
import logging
import resource
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hype.sfu.framing import Refused
from hype.sfu.worker.connection import ClientConnection
from hype.sfu.worker.context import WorkerContext
from hype.sfu.worker.router import Router

__all__ = ["RequestHandler"]

_logger = logging.getLogger(__name__)

_MEMORY = Path("/proc/self/statm")
_TICKS_PER_SECOND = round(1 / ClientConnection.TICK_S)

Params = Mapping[str, Any]
Method = Callable[[Params], dict[str, Any]]


class RequestHandler:
    """The routers of a worker. A router appears with its first connection and goes with its last."""

    def __init__(self, context: WorkerContext) -> None:
        """Begin without a router."""
        self._context = context
        self._routers: dict[str, Router] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0
        self.shutdown = asyncio.Event()  # the server wants the worker to end
        self._methods: dict[str, Method] = {
            "createTransport": self._create_transport,
            "connectTransport": self._connect_transport,
            "restartIce": self._restart_ice,
            "closeTransport": self._close_transport,
            "produce": self._produce,
            "pauseProducer": self._pause_producer,
            "resumeProducer": self._resume_producer,
            "closeProducer": self._close_producer,
            "consume": self._consume,
            "pauseConsumer": self._pause_consumer,
            "resumeConsumer": self._resume_consumer,
            "closeConsumer": self._close_consumer,
            "closeRouter": self._close_router,
            "stats": self._stats,
            "shutdown": self._shutdown,
        }

    async def handle(self, method: str, params: Params) -> dict[str, Any]:
        """Return the result of one request. Raises Refused; `LinkServer.run` takes this."""
        action = self._methods.get(method)
        if action is None:
            raise Refused("invalid", f"no method {method}")
        try:
            return action(params)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            _logger.warning("a request of the server made no sense", extra={"method": method}, exc_info=error)
            raise Refused("invalid", f"{type(error).__name__}: {error}") from error

    def _find_connection(self, params: Params) -> tuple[Router, ClientConnection]:
        for router in self._routers.values():
            connection = router.connections.get(params["transportId"])
            if connection is not None:
                return router, connection
        raise Refused("not_found", "no such transport")

    def _router_of_inbound(self, params: Params) -> Router:
        for router in self._routers.values():
            if params["producerId"] in router.inbound:
                return router
        raise Refused("not_found", "no such producer")

    def _router_of_outbound(self, params: Params) -> Router:
        for router in self._routers.values():
            if params["consumerId"] in router.outbound:
                return router
        raise Refused("not_found", "no such consumer")

    def _create_transport(self, params: Params) -> dict[str, Any]:
        connection_id, router_id, direction = params["transportId"], params["routerId"], params["direction"]
        if direction not in ("send", "recv"):
            raise Refused("invalid", "direction is send or recv")
        if any(connection_id in router.connections for router in self._routers.values()):
            raise Refused("conflict", "a transport has this id")
        router = self._routers.setdefault(router_id, Router(self._context))
        connection = router.open_connection(connection_id, direction)
        self._schedule_tick()
        return connection.parameters()

    def _connect_transport(self, params: Params) -> dict[str, Any]:
        _, connection = self._find_connection(params)
        if not connection.connect(params["dtlsParameters"]):
            raise Refused("conflict", "it was connected before")
        return {}

    def _restart_ice(self, params: Params) -> dict[str, Any]:
        _, connection = self._find_connection(params)
        return {"iceParameters": connection.restart_ice()}

    def _close_transport(self, params: Params) -> dict[str, Any]:
        router, connection = self._find_connection(params)
        router.close_connection(connection)
        self._remove_empty_routers()
        return {}

    def _produce(self, params: Params) -> dict[str, Any]:
        router, connection = self._find_connection(params)
        if connection.direction != "send" or params["producerId"] in router.inbound:
            raise Refused("conflict", "it cannot send that")
        router.produce(connection, params["producerId"], params)
        return {}

    def _pause_producer(self, params: Params) -> dict[str, Any]:
        self._router_of_inbound(params).inbound[params["producerId"]].pause()
        return {}

    def _resume_producer(self, params: Params) -> dict[str, Any]:
        self._router_of_inbound(params).inbound[params["producerId"]].resume(self._context.clock())
        return {}

    def _close_producer(self, params: Params) -> dict[str, Any]:
        self._router_of_inbound(params).close_inbound(params["producerId"])
        return {}

    def _consume(self, params: Params) -> dict[str, Any]:
        router, connection = self._find_connection(params)
        if params["producerId"] not in router.inbound:
            raise Refused("not_found", "no such producer")
        if connection.direction != "recv" or params["consumerId"] in router.outbound:
            raise Refused("conflict", "it cannot receive that")
        router.consume(connection, params["consumerId"], params["producerId"], params)
        return {}

    def _pause_consumer(self, params: Params) -> dict[str, Any]:
        self._router_of_outbound(params).outbound[params["consumerId"]].pause()
        return {}

    def _resume_consumer(self, params: Params) -> dict[str, Any]:
        self._router_of_outbound(params).outbound[params["consumerId"]].resume(self._context.clock())
        return {}

    def _close_consumer(self, params: Params) -> dict[str, Any]:
        self._router_of_outbound(params).close_outbound(params["consumerId"])
        return {}

    def _close_router(self, params: Params) -> dict[str, Any]:
        router = self._routers.pop(params["routerId"], None)
        if router is not None:
            router.close()
        return {}

    def _stats(self, _params: Params) -> dict[str, Any]:
        routers = list(self._routers.values())
        connections = [each for router in routers for each in router.connections.values()]
        counters, port, outgoing = self._context.counters, self._context.port, self._context.socket
        return {
            "routers": len(routers),
            "transports": len(connections),
            "producers": sum(len(router.inbound) for router in routers),
            "consumers": sum(len(router.outbound) for router in routers),
            "packetsIn": counters.packets_in,
            "octetsIn": counters.octets_in,
            "lost": counters.lost,
            "jitterSeconds": _mean_jitter(routers),
            "packetsOut": outgoing.sent,
            "messagesOut": outgoing.messages,
            "segmentation": int(outgoing.segmentation),
            "oversized": outgoing.oversized,
            "rejected": counters.rejected,
            "unknown": counters.unknown,
            "overRate": counters.over_rate,
            "overShare": port.turns.lost,
            "dropped": port.dropped,
            "withheld": port.withheld,
            "remembered": sum(each.remembered for each in connections),
            "refused": self._context.ice.refused,
            "failures": port.failures,
            "paths": len(port.paths),
            "unidentified": len(port.unidentified),
            "tasks": len(asyncio.all_tasks()),
            "cpuSeconds": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
            "memoryBytes": _memory_bytes(),
        }

    def _shutdown(self, _params: Params) -> dict[str, Any]:
        self.shutdown.set()
        return {}

    def _schedule_tick(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(ClientConnection.TICK_S, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        self._ticks += 1
        now = self._context.clock()
        for router in list(self._routers.values()):
            for connection in list(router.connections.values()):
                try:
                    if connection.inbound:
                        connection.tick(now)
                    if self._ticks % _TICKS_PER_SECOND == 0:
                        connection.check(now)
                except Exception:  # the failure of one connection must not stop the clock of the others
                    _logger.exception("a media transport's tick failed")
        self._remove_empty_routers()
        if self._routers:
            self._schedule_tick()

    def _remove_empty_routers(self) -> None:
        for router_id in [key for key, router in self._routers.items() if not router.connections]:
            del self._routers[router_id]

    async def close(self) -> None:
        """Close every connection, and wait up to 1 s for the DTLS associations."""
        if self._ticking is not None:
            self._ticking.cancel()
        for router in self._routers.values():
            router.close()
        if self._context.closing:
            await asyncio.wait(self._context.closing, timeout=1)
        self._context.port.close()


def _mean_jitter(routers: Sequence[Router]) -> float:
    """Return the mean jitter of the streams that clients send, in seconds; 0 without a stream."""
    tracks = [track for router in routers for track in router.inbound.values()]
    receptions = [stream.reception for track in tracks for stream in track.streams if stream.reception is not None]
    known = [each.jitter_s for each in receptions if each.jitter_s is not None]
    return sum(known) / len(known) if known else 0.0


def _memory_bytes() -> int:
    """Return the resident memory of this process; where the system does not tell, the most that it has had."""
    try:
        return int(_MEMORY.read_text().split()[1]) * resource.getpagesize()
    except OSError:
        unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, else kilobytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
