"""A WebSocket client that sends exactly the bytes that a test wants, and an attendant that does what a text says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from hype import greenlets
from hype.admission import Admission
from hype.deadlines import Deadlines
from hype.gateway.connection import Connection, Listener, Work
from hype.gateway.frames import text_frame
from tests.clocks import HandClock

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10
REQUEST = (
    "GET /?token=abc HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)
MOST_BYTES = 65_536
_TIMEOUT_S = 20
_MASK = b"\x01\x02\x03\x04"


def masked(opcode: int, payload: bytes, fin: bool = True) -> bytes:
    """Return a client's frame (RFC 6455, section 5.2)."""
    size = len(payload)
    length = bytes([0x80 | size]) if size < 126 else b"\xff" + size.to_bytes(8, "big")
    body = bytes(byte ^ _MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([(0x80 if fin else 0) | opcode]) + length + _MASK + body


def closing(code: int) -> bytes:
    """Return a client's close frame."""
    return masked(CLOSE, code.to_bytes(2, "big"))


class Client:
    """A TCP connection to a gateway."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take an open connection."""
        self.reader, self.writer = reader, writer

    def cut(self) -> None:
        """Cut the connection."""
        self.writer.transport.abort()

    def send(self, *frames: bytes) -> None:
        """Send frames in one piece."""
        self.writer.write(b"".join(frames))

    async def receive(self) -> tuple[int, bytes]:
        """Return the opcode and the payload of the next frame, which must be whole and not masked."""
        async with asyncio.timeout(_TIMEOUT_S):
            head, length = await self.reader.readexactly(2)
            assert head & 0xF0 == 0x80
            if length > 125:
                length = int.from_bytes(await self.reader.readexactly(2 if length == 126 else 8), "big")
            return head & 0x0F, await self.reader.readexactly(length)

    async def texts(self, count: int) -> list[str]:
        """Return the next frames, which must be texts."""
        frames = [await self.receive() for _ in range(count)]
        assert {opcode for opcode, _ in frames} == {TEXT}
        return [payload.decode() for _, payload in frames]

    async def closed(self) -> int | None:
        """Return the code with which the server closes; skip the frames before. None when it just cuts."""
        try:
            while True:
                opcode, payload = await self.receive()
                if opcode == CLOSE:
                    return int.from_bytes(payload[:2], "big")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None

    async def ended(self) -> bool:
        """Wait until the server has closed the connection; return whether nothing came before that."""
        async with asyncio.timeout(_TIMEOUT_S):
            try:
                return await self.reader.read() == b""
            except ConnectionError:
                return True


class Answering:
    """An `Attendant` that records, and answers each text with the same; `wait` first waits for `proceed`."""

    def __init__(self, gateway: RunningListener, connection: Connection) -> None:
        """Attend to a connection."""
        self.gateway, self.connection = gateway, connection
        self.token: str | None = None
        self.texts: list[str] = []
        self.noted = 0
        self.ended = asyncio.Event()

    def begin(self, token: str | None) -> Work | None:
        """Record the token."""
        self.token = token
        return None

    def receive(self, text: str) -> Work | None:
        """Answer, in a greenlet when it has to wait."""
        if text != "wait":
            self._answer(text)
            return None

        def work() -> None:
            greenlets.wait(self.gateway.proceed.wait())
            self._answer(text)

        return work

    def note_frame(self) -> None:
        """Record a frame without a text of its own."""
        self.noted += 1

    def end(self) -> Work | None:
        """Record the end."""
        self.ended.set()
        return None

    def _answer(self, text: str) -> None:
        self.connection.socket.send(text_frame(text.encode()))
        self.texts.append(text)


class RunningListener:
    """A listener with recording attendants, and a clock that stands still."""

    def __init__(self, clients: AsyncExitStack, most_waiting_bytes: int) -> None:
        """Create it; it does not listen yet."""
        self.clock = HandClock()
        self.deadlines = Deadlines(self.clock)
        self.attendants: list[Answering] = []
        self.proceed = asyncio.Event()
        self.port = 0
        self.listener: Listener
        self._most_waiting_bytes = most_waiting_bytes
        self._clients = clients

    async def start(self) -> None:
        """Listen on any port."""
        port = socket.create_server(("127.0.0.1", 0))
        self.port = port.getsockname()[1]
        self.listener = Listener(
            port,
            Admission(10_000, 10_000),
            self._attend,
            self.deadlines,
            max_frame_bytes=MOST_BYTES,
            max_queue_bytes=self._most_waiting_bytes,
        )
        self.listener.door.open()

    async def connect(self, **options: int) -> Client:
        """Open a TCP connection. options: those of a StreamReader."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port, **options)
        client = Client(reader, writer)
        self._clients.callback(client.cut)
        return client

    async def client(self, **options: int) -> Client:
        """Open a WebSocket."""
        client = await self.connect(**options)
        client.writer.write(REQUEST.encode())
        assert (await client.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
        return client

    def pass_time(self, seconds: float) -> None:
        """Move the clock, and serve the deadlines that have passed."""
        self.clock.advance(seconds)
        while self.deadlines.look():
            pass

    def _attend(self, connection: Connection) -> Answering:
        self.attendants.append(Answering(self, connection))
        return self.attendants[-1]


@asynccontextmanager
async def running_listener(most_waiting_bytes: int = 1_048_576) -> AsyncIterator[RunningListener]:
    """Run a listener without a gateway behind it. most_waiting_bytes: for one client."""
    async with AsyncExitStack() as clients:
        running = RunningListener(clients, most_waiting_bytes)
        await running.start()
        yield running
        running.proceed.set()
        running.listener.abort()
        await running.listener.close()
