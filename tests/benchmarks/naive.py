"""The naive design, for comparison: one `protect()` and one `sendto` per receiver. Benchmarks start it as a process.

It has what nobody can do without (unprotect, own SSRC and numbering per receiver) and nothing else: no ring, no
statistics, no extensions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from hype.sfu.worker.port import enlarge
from tests.sfu.worker.keys import GCM, session

_header = struct.Struct("!BBHII")
_ROOT = Path(__file__).parents[2]


@dataclass
class Plan:
    """The senders and receivers. Keys are SRTP master keys with their salt, in hexadecimal."""

    receivers: Sequence[tuple[int, str]]  # port, key
    streams: Sequence[tuple[int, str, list[int]]]  # SSRC, the sender's key, the indices of its receivers


@dataclass
class Process:
    """A naive forwarder, as its starter sees it. port: the one on which it receives."""

    pid: int
    port: int
    link: tuple[asyncio.StreamReader, asyncio.StreamWriter]

    async def sent(self) -> int:
        """Return how many packets it has sent on."""
        reader, writer = self.link
        writer.write(b"\n")
        return int(await reader.readline())


@asynccontextmanager
async def started(plan: Plan) -> AsyncIterator[Process]:
    """Yield a process that forwards as planned."""
    ours, theirs = socket.socketpair()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.benchmarks.naive", "--fd", str(theirs.fileno())),
        pass_fds=[theirs.fileno()],
        cwd=_ROOT,
    )
    theirs.close()
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    writer.write(json.dumps(asdict(plan)).encode() + b"\n")
    yield Process(process.pid, int(await reader.readline()), (reader, writer))
    writer.close()
    await process.wait()


class Forwarder(asyncio.DatagramProtocol):
    """A forwarder by a plan."""

    def __init__(self, plan: Plan) -> None:
        receivers = [
            (session(bytes.fromhex(key), GCM, outgoing=True), ("127.0.0.1", port)) for port, key in plan.receivers
        ]
        self._streams = {
            ssrc.to_bytes(4, "big"): (
                session(bytes.fromhex(key), GCM, outgoing=False),
                [(*receivers[index], index, 1000 * (number + 1) + index) for index in indices],
            )
            for number, (ssrc, key, indices) in enumerate(plan.streams)
        }
        self.sent = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket."""
        self._transport = transport

    def datagram_received(self, data: bytes, _address: Any) -> None:
        """Forward one packet of a stream."""
        incoming, receivers = self._streams[data[8:12]]
        packet = incoming.unprotect(data)
        first, second, sequence, timestamp, _ = _header.unpack_from(packet)
        content = packet[12:]
        for keys, address, shift, ssrc in receivers:
            own = _header.pack(first, second, (sequence + shift) & 0xFFFF, timestamp, ssrc) + content
            self._transport.sendto(keys.protect(own), address)
            self.sent += 1


async def serve(link: socket.socket) -> None:
    """Take the plan from the link, say the port, then the count whenever asked; end with the link."""
    reader, writer = await asyncio.open_unix_connection(sock=link, limit=1 << 22)
    forwarder = Forwarder(Plan(**json.loads(await reader.readline())))
    transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: forwarder, local_addr=("127.0.0.1", 0)
    )
    media = transport.get_extra_info("socket")
    enlarge(media)
    writer.write(b"%d\n" % media.getsockname()[1])
    while await reader.readline():
        writer.write(b"%d\n" % forwarder.sent)
    writer.close()
    transport.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--fd", type=int, required=True)
    asyncio.run(serve(socket.socket(fileno=parser.parse_args().fd)))
