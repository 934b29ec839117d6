"""One media worker: a process with one UDP and one TCP port that does what the server's `service` asks by a link.

    python -m hype.sfu.worker --fd N --ip 0.0.0.0 --announced-ip X --min-port A --max-port B

It ends at once when the link does: without a server there is nobody to serve.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from hype.errors import StartError
from hype.sfu.datagrams import Arena
from hype.sfu.dtls import Certificate
from hype.sfu.fan import Outlet
from hype.sfu.ice import IceLite
from hype.sfu.link import Refused, Serving
from hype.sfu.port import Port
from hype.sfu.producer import Producer
from hype.sfu.router import Router
from hype.sfu.stamps import FIELDS
from hype.sfu.transport import Ground, Timeouts, Transport

__all__ = ["Worker", "main"]

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
        """Answer one request. Raises Refused; what the link's `Serving.run` takes."""
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


async def serve(link: Serving, ip: str, announced_ip: str | None, ports: range, timeouts: Timeouts) -> None:
    """Be a worker until the link ends or asks to. Raises PortBusy when no port is free."""
    ice = IceLite()
    port = Port.bind(ip, ports, ice, announced_ip)
    outlet = Outlet(Arena(FIELDS), port.udp.fileno())
    worker = Worker(Ground(ice, port, Certificate(), outlet, timeouts, time.monotonic, link.tell))
    await port.start()
    gc.freeze()
    link.tell("ready", port=port.number)
    answering = asyncio.create_task(link.run(worker.handle), name="media link")
    asked = asyncio.create_task(worker.ended.wait(), name="media shutdown")
    await asyncio.wait((answering, asked), return_when=asyncio.FIRST_COMPLETED)
    await worker.close()
    for task in (answering, asked):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _arguments(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hype.sfu.worker", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--fd", type=int, required=True, help="the link: one end of a socket pair")
    parser.add_argument("--ip", default="0.0.0.0", help="where to listen (default %(default)s)")  # noqa: S104  # media
    parser.add_argument("--announced-ip", default=None, help="the address that clients are told (default: --ip)")
    parser.add_argument("--min-port", type=int, default=10000)
    parser.add_argument("--max-port", type=int, default=10100)
    parser.add_argument("--connect-timeout", type=float, default=Timeouts().connect, metavar="SECONDS")
    parser.add_argument("--consent-timeout", type=float, default=Timeouts().consent, metavar="SECONDS")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a worker; gives the exit code: 1 when there is no free port."""
    options = _arguments(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's Ctrl-C is the server's to answer; then the link ends
    logging.basicConfig(format="%(levelname)s %(name)s %(message)s")
    timeouts = Timeouts(options.connect_timeout, options.consent_timeout)
    ports = range(options.min_port, options.max_port + 1)

    async def run() -> None:
        link = await Serving.over(socket.socket(fileno=options.fd))
        await serve(link, options.ip, options.announced_ip, ports, timeouts)

    try:
        asyncio.run(run())
    except StartError as error:
        logger.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
