"""The life of a worker process: it opens the ports, answers the link and closes every connection at the end."""

from __future__ import annotations

import asyncio
import gc
import time
from contextlib import suppress

from hype.sfu.worker.context import Timeouts, WorkerContext
from hype.sfu.worker.dtls import Certificate
from hype.sfu.worker.ice import IceLite
from hype.sfu.worker.link_server import LinkServer
from hype.sfu.worker.outgoing import Arena, OutgoingSocket, can_segment
from hype.sfu.worker.port import Port
from hype.sfu.worker.request_handler import RequestHandler
from hype.sfu.worker.stamps import FIELDS

__all__ = ["serve"]


async def serve(link: LinkServer, ip: str, announced_ip: str | None, ports: range, timeouts: Timeouts) -> None:
    """Answer the link until it ends, or until the server asks for a shutdown. Raises PortBusy when no port is free."""
    ice = IceLite(timeouts.consent)
    port = Port.bind(ip, ports, ice, announced_ip)
    outgoing = OutgoingSocket(Arena(FIELDS), port.udp.fileno(), can_segment(port.udp))
    handler = RequestHandler(WorkerContext(ice, port, Certificate(), outgoing, timeouts, time.monotonic, link))
    await port.start(outgoing.flush)
    gc.freeze()
    link.emit("ready", port=port.number)
    answering = asyncio.create_task(link.run(handler.handle), name="media link")
    shutdown = asyncio.create_task(handler.shutdown.wait(), name="media shutdown")
    await asyncio.wait((answering, shutdown), return_when=asyncio.FIRST_COMPLETED)
    await handler.close()
    for task in (answering, shutdown):
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
