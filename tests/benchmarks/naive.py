"""The naive design, for comparison: one `protect()` and one `sendto` per receiver. A process that `fanout.py` starts.

It has what nobody can do without (unprotect, own SSRC and numbering per receiver) and nothing else: no ring, no
statistics, no extensions.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
from typing import Any

from hype.sfu.port import enlarge
from tests.sfu.keys import GCM, session

_header = struct.Struct("!BBHII")


class Forwarder(asyncio.DatagramProtocol):
    """Forwards one stream."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._incoming = session(bytes.fromhex(plan["key"]), GCM, outgoing=False)
        self._receivers = [
            (session(bytes.fromhex(key), GCM, outgoing=True), ("127.0.0.1", port), number, 1000 + number)
            for number, (port, key) in enumerate(plan["receivers"])
        ]
        self.sent = 0
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The socket is there."""
        self._transport = transport

    def datagram_received(self, data: bytes, _address: Any) -> None:
        """One packet of the stream."""
        packet = self._incoming.unprotect(data)
        first, second, sequence, timestamp, _ = _header.unpack_from(packet)
        content = packet[12:]
        for keys, address, shift, ssrc in self._receivers:
            own = _header.pack(first, second, (sequence + shift) & 0xFFFF, timestamp, ssrc) + content
            self._transport.sendto(keys.protect(own), address)
            self.sent += 1


async def serve(link: socket.socket) -> None:
    """Take the plan from the link, say the port, then the count whenever asked; end with the link."""
    reader, writer = await asyncio.open_unix_connection(sock=link, limit=1 << 20)
    forwarder = Forwarder(json.loads(await reader.readline()))
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
