"""A media worker without media: it keeps the link's protocol, records its requests, and does what tests ask.

Run by its path, with a worker's arguments. Beside the protocol it has the methods `emit` (send these events), `asked`
(return the requests so far), `refuse` (refuse the next request, with this code) and `hang` (never answer again).
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from collections.abc import Mapping
from typing import Any

from hype.sfu.framing import ErrorCode, Refused
from hype.sfu.worker.link_server import LinkServer

DTLS = {"role": "auto", "fingerprints": [{"algorithm": "sha-256", "value": ":".join(["AB"] * 32)}]}
ICE = {"usernameFragment": "fragment", "password": "a password of 22 chars", "iceLite": True}


class FakeWorker:
    """A worker. asked: methods and params in order. next_refusal: the code that the next request is refused with."""

    def __init__(self, link: LinkServer, ip: str, port: int) -> None:
        self.asked: list[tuple[str, Mapping[str, Any]]] = []
        self.next_refusal: ErrorCode | None = None
        self._link = link
        self._candidate = {
            "foundation": "udp",
            "priority": 1,
            "ip": ip,
            "protocol": "udp",
            "port": port,
            "type": "host",
        }

    async def handle(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Answer one request."""
        match method:
            case "emit":
                for event in params["events"]:
                    self._link.emit(**event)
            case "asked":
                return {"asked": self.asked}
            case "refuse":
                self.next_refusal = params["code"]
            case "hang":
                await asyncio.Event().wait()
            case "stats":
                return {
                    "packetsIn": 3,
                    "packetsOut": 5,
                    "messagesOut": 2,
                    "segmentation": 1,
                    "tasks": 4,
                    "jitterSeconds": 0.25,
                }
            case _:
                return self._protocol(method, params)
        return {}

    def _protocol(self, method: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        self.asked.append((method, params))
        if self.next_refusal is not None:
            code, self.next_refusal = self.next_refusal, None
            raise Refused(code, "as the test said")
        if method == "shutdown":
            os._exit(0)
        if method == "createTransport":
            return {"iceParameters": ICE, "iceCandidates": [self._candidate], "dtlsParameters": DTLS}
        return {"iceParameters": ICE} if method == "restartIce" else {}


async def main() -> None:
    """Be a worker until the link closes."""
    parser = argparse.ArgumentParser()
    for name, kind in (("fd", int), ("ip", str), ("announced-ip", str), ("min-port", int), ("max-port", int)):
        parser.add_argument(f"--{name}", type=kind, required=True)
    options = parser.parse_args()
    link = await LinkServer.over(socket.socket(fileno=options.fd))
    worker = FakeWorker(link, options.announced_ip, options.min_port)
    link.emit("ready", port=options.min_port)
    await link.run(worker.handle)


if __name__ == "__main__":
    asyncio.run(main())
