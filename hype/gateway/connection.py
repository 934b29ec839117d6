"""WebSocket connections, from the handshake to the close. Beside `text_frames`, no other file imports websockets.

A connection is an asyncio protocol around the library's Sans-I/O layer: the library reads frames and does the
handshakes, this file moves bytes. It has no task, no queue of its own for what goes out, and no timer: a frame is
written to the transport, and `Deadlines` serves all connections of a listener.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from typing import cast
from urllib.parse import parse_qs

from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

from hype import greenlets
from hype.admission import Admission, Door
from hype.deadlines import Deadlines
from hype.gateway.attending import Attendant, ClientAddress, Work
from hype.gateway.hub import Socket, drop
from hype.gateway.library import ServerProtocol
from hype.gateway.protocol import Close, CloseCode
from hype.gateway.text_frames import size_on_the_wire, text_or_close, whole_text

__all__ = ["Attendant", "Connection", "Listener", "Work"]

_OPEN_S = 10  # the time for a client to finish its handshake
_PING_S = 20  # between a pong and the next ping, and the time for a pong
_CLOSE_S = 3  # the time for a client to take the frames that wait for it, and to answer the closing handshake
_ABNORMAL = 1006
_NO_PONG = 1011
_FRAGMENTS = 64  # so many, apart from the last of each text, count as one frame
_READ_BYTES = 8192  # at a time, so that a flood of tiny frames does not hold the event loop up


class Connection(asyncio.BufferedProtocol):
    """A `hub.ClientConnection` that reads as well. What it reads goes to its attendant, one text after the other."""

    __slots__ = (
        "_attendant",
        "_fragments",
        "_handling",
        "_late",
        "_listener",
        "_lost",
        "_parts",
        "_protocol",
        "_transport",
        "_unread",
        "_waiting",
        "_writable",
        "socket",
    )
    _transport: asyncio.Transport
    socket: Socket

    def __init__(self, listener: Listener) -> None:
        """Create it for a client that the listener has accepted."""
        self._listener = listener
        self._protocol = ServerProtocol(listener.max_frame_bytes)
        self._attendant: Attendant | None = None
        self._handling: asyncio.Future[None] | None = None
        self._waiting: deque[str | Close] | None = None  # while there are any, nothing more is read
        self._parts: bytearray | None = None  # of a text that comes in fragments
        self._fragments = 0
        self._unread = 0  # the bytes that wait in the library for the rest of their frame, or more than that
        self._late = 0  # the bytes that have come since the closing began
        self._writable = False  # whether an event may be written
        self._lost = False

    @property
    def close_code(self) -> int:
        """The code with which it was closed; valid once it is closed."""
        return self._protocol.close_code or _ABNORMAL

    @property
    def idle(self) -> bool:
        """Whether the client has not finished its handshake, so that it may be cut for the sake of another."""
        return self in self._listener.opening

    @property
    def lost(self) -> bool:
        """Whether the network connection has ended."""
        return self._lost

    @property
    def waiting_bytes(self) -> int:
        """The number of bytes that wait for the client."""
        return self._transport.get_write_buffer_size()

    def close(self, code: int, reason: str) -> None:
        """Begin the closing handshake, behind the frames that wait; abort when the client does not answer in time."""
        if self._writable:
            self._protocol.send_close(code, reason)
            self._write()

    def close_next(self, code: int, reason: str) -> None:
        """Close once the text in progress has been handled; the texts behind it are not."""
        if self._handling is None:
            self.socket.close(code, reason)
        elif self._waiting is None:
            self._waiting = deque([Close(code, reason)])
            self._pause()
        else:
            self._waiting.appendleft(Close(code, reason))

    def cut(self) -> None:
        """Close the connection without a handshake. What has arrived is handled all the same."""
        self._transport.abort()

    def abort(self) -> None:
        """Cut the connection, and end the handling of what has arrived."""
        self.cut()
        self._waiting = None
        if self._handling is not None:
            self._handling.cancel()

    # Deadlines

    def ping(self) -> None:
        """Ask the client for a sign of life."""
        if self._writable:
            self._protocol.send_ping(b"")
            self._listener.answering.set(self)
            self._write()

    def miss_pong(self) -> None:
        """Close a client that has not answered the ping, unless nothing was read meanwhile."""
        if self._waiting is not None:
            self._listener.answering.set(self)
        elif self._writable:
            self._protocol.fail(_NO_PONG, "keepalive ping timeout")
            self._write()

    # Callbacks of the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the handshake."""
        self._transport = cast(asyncio.Transport, transport)
        self.socket = Socket(self, str((transport.get_extra_info("peername") or ("",))[0]))
        self._listener.connections.add(self)
        self._listener.opening.set(self)
        if self._listener.closing:
            self.cut()

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return the room for what is read; `buffer_updated` takes it out before anything else is read."""
        return self._listener.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Take what was read."""
        data = bytes(self._listener.buffer[:nbytes])
        if self._unread == 0 and self._writable and self._parts is None:
            text = whole_text(data, self._listener.max_frame_bytes)
            if text is not None:
                self._add(text_or_close(text))
                return
        if self in self._listener.leaving:
            self._late += nbytes
        if self._late > self._listener.max_frame_bytes:
            self.cut()  # a flood, which would go on for as long as it is read
        else:
            self._read(data)

    def _read(self, data: bytes) -> None:
        protocol = self._protocol
        protocol.receive_data(data)
        events = protocol.events_received()
        self._unread += len(data)
        if self._attendant is not None:
            self._write()  # pongs, and the answer to a close frame
        for event in events:
            if isinstance(event, Frame):
                self._unread -= size_on_the_wire(len(event.data))
                self._take(event)
            elif isinstance(event, Request):
                self._open(event, data)
        if self._attendant is None:
            self._write()

    def pause_writing(self) -> None:
        """Close a client that does not read: more than the allowed bytes wait for it (ruling R32)."""
        if self._writable:
            self.socket.close(CloseCode.TOO_SLOW, "Too slow")

    def eof_received(self) -> None:
        """Take the end of what the client sends; the transport closes by itself when all has been written."""
        self._protocol.receive_eof()
        self._stop_writing()
        self._listener.leaving.set(self)

    def connection_lost(self, error: Exception | None) -> None:
        """End, once every text that had arrived has been handled."""
        self._protocol.receive_eof()
        self._lost = True
        self._stop_writing()
        self._listener.clear(self)
        self._listener.door.left(self)
        self._continue()

    # The way in

    def _open(self, request: Request, read: bytes) -> None:
        if self._unread == len(read):  # a head that took several reads is never made up for
            self._unread -= read.index(b"\r\n\r\n") + 4
        response = self._protocol.accept(request)
        if self._protocol.parser_exc is not None:
            # What came behind the request is no frame, a body for example. The library has given up on the client.
            if response.status_code != 101:
                self._transport.write(response.serialize())
            return
        self._protocol.send_response(response)
        self.socket.address = self._listener.client_address(
            self.socket.address, request.headers.get_all("X-Forwarded-For")
        )
        token = parse_qs(request.path.partition("?")[2], keep_blank_values=True).get("token", [None])[0]
        # The library keeps the request for as long as the connection lives.
        request.path = ""
        request.headers.clear()
        self._write()
        if response.status_code == 101:
            if self._protocol.state is State.OPEN:
                self._writable = True
                self._transport.set_write_buffer_limits(self._listener.max_queue_bytes)
                self.socket.send = self._transport.write
            self._listener.opening.clear(self)
            self._listener.quiet.set(self)
            self._attendant = self._listener.attend(self)
            self._perform(self._attendant.begin(token))

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT if frame.fin:
                self._add(text_or_close(frame.data))
            case Opcode.TEXT:
                self._parts = bytearray(frame.data)
                self._count_fragment()
            case Opcode.CONT if self._parts is not None:
                self._parts += frame.data
                if not frame.fin:
                    self._count_fragment()
                else:
                    parts, self._parts = self._parts, None
                    self._add(text_or_close(parts))
            case Opcode.BINARY:
                self._add(Close(CloseCode.TEXT_ONLY, "Text only"))
            case Opcode.PONG if self in self._listener.answering:
                self._listener.answering.clear(self)
                self._listener.quiet.set(self)
            case Opcode.PING | Opcode.PONG:
                self._count()

    def _count_fragment(self) -> None:
        self._fragments = (self._fragments + 1) % _FRAGMENTS
        if self._fragments == 0:
            self._count()

    def _count(self) -> None:
        if self._attendant is not None and self.socket.open:
            self._attendant.note_frame()

    def _add(self, item: str | Close) -> None:
        if self._handling is None:
            self._handle(item)
        elif self._waiting is None:
            self._waiting = deque([item])
            self._pause()
        else:
            self._waiting.append(item)

    def _handle(self, item: str | Close) -> None:
        if self._attendant is None or not self.socket.open:
            return  # the server closes this socket; only the client's close frame matters now
        if isinstance(item, str):
            self._perform(self._attendant.receive(item))
        else:
            self.socket.close(item.code, item.reason)

    def _perform(self, work: Work | None) -> None:
        if work is None:
            return
        handling = greenlets.spawn(work)
        if not handling.done():
            self._handling = handling
            handling.add_done_callback(self._handled)

    def _handled(self, handling: asyncio.Future[None]) -> None:
        self._handling = None
        while self._waiting and self._handling is None:
            self._handle(self._waiting.popleft())
        self._continue()

    def _continue(self) -> None:
        """Read on when nothing waits; part when nothing comes any more."""
        if self._handling is not None:
            return
        if self._waiting is not None:
            self._waiting = None
            if not self._lost and not self._transport.is_closing():
                self._transport.resume_reading()
        if self._lost:
            self._end()

    def _pause(self) -> None:
        if not self._lost and not self._transport.is_closing():
            self._transport.pause_reading()

    def _end(self) -> None:
        attendant, self._attendant = self._attendant, None
        if attendant is not None:
            self._perform(attendant.end())
        if self._handling is None:
            self._listener.forget(self)

    # The way out

    def _write(self) -> None:
        ended = False
        transport = self._transport
        for data in self._protocol.data_to_send():
            if data:
                transport.write(data)
            elif not self._lost and not transport.is_closing():
                transport.write_eof()
                ended = True
        if ended or self._protocol.close_expected():
            self._stop_writing()
            if self not in self._listener.leaving and not self._lost:
                self._listener.leaving.set(self)

    def _stop_writing(self) -> None:
        self._writable = False
        self.socket.send = drop


class Listener:
    """The listening port, every connection that came through it, and their deadlines."""

    def __init__(
        self,
        port: socket.socket,
        admission: Admission,
        attend: Callable[[Connection], Attendant],
        deadlines: Deadlines,
        *,
        max_frame_bytes: int,
        max_queue_bytes: int,
        client_address: ClientAddress = lambda peer, forwarded_for: peer,
    ) -> None:
        """Take over a bound port; `door.open` begins to listen. admission: decides which clients come in.

        attend: called for each connection. max_frame_bytes: longer messages close with 1009. max_queue_bytes: the bytes
        that may wait for a client.
        """
        # Members at the gateway leave an eighth of all connections to REST, without which nobody logs in.
        most = admission.most - admission.most // 8
        self.door = Door("gateway", port, admission, lambda door: Connection(self), most)
        self.attend = attend
        self.client_address = client_address
        self.max_frame_bytes = max_frame_bytes
        self.max_queue_bytes = max_queue_bytes
        self.buffer = memoryview(bytearray(_READ_BYTES))
        self.connections: set[Connection] = set()
        self.closing = False
        self.opening = deadlines.of(_OPEN_S, Connection.cut)
        self.quiet = deadlines.of(_PING_S, Connection.ping)
        self.answering = deadlines.of(_PING_S, Connection.miss_pong)
        self.leaving = deadlines.of(_CLOSE_S, Connection.cut)
        self._empty = asyncio.Event()

    async def close(self) -> None:
        """Take no more connections, and wait until the open ones have ended; cut those that are not open yet."""
        self.closing = True
        self.door.close()
        for connection in list(self.connections):
            if connection in self.opening:
                connection.cut()
        if self.connections:
            await self._empty.wait()

    def abort(self) -> None:
        """Abort every connection that is still there."""
        for connection in list(self.connections):
            connection.abort()

    def clear(self, connection: Connection) -> None:
        """Let no deadline of a connection pass any more."""
        for deadline in (self.opening, self.quiet, self.answering, self.leaving):
            deadline.clear(connection)

    def forget(self, connection: Connection) -> None:
        """Forget a connection that has ended."""
        self.connections.discard(connection)
        if self.closing and not self.connections:
            self._empty.set()
