"""The methods of the link: what the server's `service` asks a worker to do."""

from __future__ import annotations

import asyncio
import logging
import resource
from collections.abc import Callable, Mapping
from typing import Any

from hype.sfu.framing import Refused
from hype.sfu.worker.connection import Ground, Transport
from hype.sfu.worker.inbound_track import Producer
from hype.sfu.worker.router import Router

__all__ = ["Worker"]

logger = logging.getLogger(__name__)

_TICKS_PER_SECOND = round(1 / Transport.TICK_S)

Params = Mapping[str, Any]
Method = Callable[[Params], dict[str, Any]]


class Worker:
    """What the link's methods do. Routers appear with their first transport and go with their last."""

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._routers: dict[str, Router] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._ticks = 0
        self.ended = asyncio.Event()
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
        """Answer one request. Raises Refused; what the link's `LinkServer.run` takes."""
        action = self._methods.get(method)
        if action is None:
            raise Refused("invalid", f"no method {method}")
        try:
            return action(params)
        except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
            logger.warning("a request of the server made no sense", extra={"method": method}, exc_info=error)
            raise Refused("invalid", f"{type(error).__name__}: {error}") from error

    def _transport(self, params: Params) -> Transport:
        found = (router.transports.get(params["transportId"]) for router in self._routers.values())
        transport = next((each for each in found if each is not None), None)
        if transport is None:
            raise Refused("not_found", "no such transport")
        return transport

    def _router_of(self, kind: str, thing_id: str) -> Router:
        for router in self._routers.values():
            if thing_id in getattr(router, kind):
                return router
        raise Refused("not_found", f"no such {kind[:-1]}")

    def _create_transport(self, params: Params) -> dict[str, Any]:
        transport_id, router_id, direction = params["transportId"], params["routerId"], params["direction"]
        if direction not in ("send", "recv"):
            raise Refused("invalid", "direction is send or recv")
        if any(transport_id in router.transports for router in self._routers.values()):
            raise Refused("conflict", "a transport has this id")
        router = self._routers.setdefault(router_id, Router(router_id))
        transport = Transport(transport_id, router_id, direction, self._ground)
        router.add_transport(transport)
        self._tick_soon()
        return transport.parameters()

    def _connect_transport(self, params: Params) -> dict[str, Any]:
        if not self._transport(params).connect(params["dtlsParameters"]):
            raise Refused("conflict", "it was connected before")
        return {}

    def _restart_ice(self, params: Params) -> dict[str, Any]:
        return {"iceParameters": self._transport(params).restart_ice()}

    def _close_transport(self, params: Params) -> dict[str, Any]:
        transport = self._transport(params)
        router = self._routers[transport.router_id]
        router.close_transport(transport)
        self._forget_empty()
        return {}

    def _produce(self, params: Params) -> dict[str, Any]:
        transport = self._transport(params)
        router = self._routers[transport.router_id]
        if transport.direction != "send" or params["producerId"] in router.producers:
            raise Refused("conflict", "it cannot send that")
        producer = Producer(params["producerId"], params["kind"], params, self._ground.outlet, self._spoke)
        if any(stream.ssrc is not None and transport.sends(stream.ssrc) for stream in producer.streams):
            raise Refused("conflict", "it already sends that SSRC")
        router.produce(transport, producer)
        return {}

    def _spoke(self, producer_id: str, speaking: bool) -> None:
        self._ground.tell("speaking", producerId=producer_id, speaking=speaking)

    def _producer(self, params: Params) -> Producer:
        return self._router_of("producers", params["producerId"]).producers[params["producerId"]]

    def _pause_producer(self, params: Params) -> dict[str, Any]:
        self._producer(params).pause()
        return {}

    def _resume_producer(self, params: Params) -> dict[str, Any]:
        self._producer(params).resume(self._ground.clock())
        return {}

    def _close_producer(self, params: Params) -> dict[str, Any]:
        self._router_of("producers", params["producerId"]).close_producer(params["producerId"])
        return {}

    def _consume(self, params: Params) -> dict[str, Any]:
        transport = self._transport(params)
        router = self._routers[transport.router_id]
        if params["producerId"] not in router.producers:
            raise Refused("not_found", "no such producer")
        if transport.direction != "recv" or params["consumerId"] in router.consumers:
            raise Refused("conflict", "it cannot receive that")
        router.consume(transport, params["consumerId"], params["producerId"], params)
        return {}

    def _pause_consumer(self, params: Params) -> dict[str, Any]:
        consumer = self._router_of("consumers", params["consumerId"]).consumers[params["consumerId"]]
        consumer.paused = True
        consumer.stop()
        return {}

    def _resume_consumer(self, params: Params) -> dict[str, Any]:
        consumer = self._router_of("consumers", params["consumerId"]).consumers[params["consumerId"]]
        consumer.paused = False
        consumer.start(self._ground.clock())
        return {}

    def _close_consumer(self, params: Params) -> dict[str, Any]:
        self._router_of("consumers", params["consumerId"]).close_consumer(params["consumerId"])
        return {}

    def _close_router(self, params: Params) -> dict[str, Any]:
        router = self._routers.pop(params["routerId"], None)
        if router is not None:
            router.close()
        return {}

    def _stats(self, _params: Params) -> dict[str, Any]:
        routers = list(self._routers.values())
        transports = [each for router in routers for each in router.transports.values()]
        counters, port = self._ground.counters, self._ground.port
        return {
            "routers": len(routers),
            "transports": len(transports),
            "producers": sum(len(router.producers) for router in routers),
            "consumers": sum(len(router.consumers) for router in routers),
            "packetsIn": counters.packets_in,
            "packetsOut": self._ground.outlet.sent,
            "rejected": counters.rejected,
            "unknown": counters.unknown,
            "dropped": port.dropped,
            "remembered": sum(each.remembered for each in transports),
            "refused": self._ground.ice.refused,
            "failures": port.failures,
            "paths": len(port.paths),
            "strangers": len(port.strangers),
            "tasks": len(asyncio.all_tasks()),
            "cpuSeconds": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]),
        }

    def _shutdown(self, _params: Params) -> dict[str, Any]:
        self.ended.set()
        return {}

    def _tick_soon(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(Transport.TICK_S, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        self._ticks += 1
        now = self._ground.clock()
        for router in list(self._routers.values()):
            for transport in list(router.transports.values()):
                try:
                    if transport.producers:
                        transport.tick(now)
                    if self._ticks % _TICKS_PER_SECOND == 0:
                        transport.look(now)
                except Exception:  # one client's trouble must not stop the others' clock
                    logger.exception("a media transport's tick failed")
        self._forget_empty()
        if self._routers:
            self._tick_soon()

    def _forget_empty(self) -> None:
        for router in [each for each in self._routers.values() if not each.transports]:
            del self._routers[router.id]

    async def close(self) -> None:
        """End every call."""
        if self._ticking is not None:
            self._ticking.cancel()
        for router in self._routers.values():
            router.close()
        if self._ground.goodbyes:
            await asyncio.wait(self._ground.goodbyes, timeout=1)
        self._ground.port.close()
