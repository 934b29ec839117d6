"""The least that a gateway in Python can do: rooms on the Sans-I/O layer of websockets, without checks or a database.

    python -m tests.benchmarks.bare      listens on a port that it prints

It speaks as much of the protocol as `tests.benchmarks.gateway` needs, and is its floor. `bare.cjs` does the same with
`ws` on Node.
"""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any, cast

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.server import ServerProtocol

rooms: dict[str, set[Member]] = {}


class Member(asyncio.Protocol):
    """A connection."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        self.transport = cast(asyncio.Transport, transport)
        self.protocol = ServerProtocol(max_size=65_536)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived."""
        self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.protocol.send_response(self.protocol.accept(event))
            elif isinstance(event, Frame) and event.opcode is Opcode.TEXT:
                self.hear(json.loads(bytes(event.data)))
        self.flush()

    def hear(self, frame: dict[str, Any]) -> None:
        """Enter a room, or tell the others there."""
        channel_id = frame["data"]["channelId"]
        if frame["type"] == "user_joined":
            rooms.setdefault(channel_id, set()).add(self)
            others = {self}
        else:
            others = rooms.get(channel_id, set()) - {self}
        if others:
            now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            data = {"userId": "u", "username": "somebody", "channelId": channel_id}
            text = json.dumps({"type": frame["type"], "data": data, "timestamp": now}, separators=(",", ":")).encode()
            whole = Frame(Opcode.TEXT, text).serialize(mask=False)
            for each in others:
                each.transport.write(whole)

    def flush(self) -> None:
        """Write what the protocol has to say."""
        for data in self.protocol.data_to_send():
            if data:
                self.transport.write(data)

    def connection_lost(self, error: Exception | None) -> None:
        """Leave the rooms."""
        for members in rooms.values():
            members.discard(self)


async def main() -> None:
    """Serve for ever."""
    server = await asyncio.get_running_loop().create_server(Member, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(main())
    else:
        uvloop.run(main())
