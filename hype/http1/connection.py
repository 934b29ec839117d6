"""A connection, from its first octet to its last. Everything that a client can make it hold or wait for is bounded.

One request is read at a time: while an answer is under way, what comes behind its request stays unread, so pipelined
requests do not pile up and no answer overtakes another. A deadline costs no timer of its own (`hype.deadlines`).
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final, cast
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.protocols.utils import get_local_addr, get_remote_addr
from uvicorn.server import ServerState

from hype.admission import Door
from hype.deadlines import Deadline, Deadlines
from hype.errors import BadRequest, HeadTooLarge, HypeError, PayloadTooLarge, RequestTimeout
from hype.http1 import heads
from hype.http1.answers import Answer, Permission
from hype.http1.chunks import Chunks
from hype.refusals import refusal

__all__ = ["Bounds", "Connection"]

_SILENT_S: Final = 10  # for the first octet of a new connection
_HEAD_S: Final = 10  # for a head, from its first octet
_BODY_S: Final = 30  # for a body
_READING_S: Final = 30  # for a client to take some of the answer that waits for it
_LINGERING_S: Final = 2  # for a client to read a refusal and close (RFC 9112 section 9.6)
_MOST_REQUESTS: Final = 10_000  # on one connection
_MOST_DISCARDED: Final = 1_048_576  # bytes that a client sends meanwhile

_log = logging.getLogger(__name__)
_uvicorn_log = logging.getLogger("uvicorn.error")


class Bounds:
    """The bounds and the deadlines that all connections of a server share."""

    def __init__(self, deadlines: Deadlines, keep_alive_s: float, max_body_bytes: int, permission: Permission) -> None:
        """Create them. keep_alive_s: for the next request. max_body_bytes: of a body that the application gets."""
        self.max_body_bytes = max_body_bytes
        self.permission = permission
        self.silent = deadlines.of(_SILENT_S, Connection.close)
        self.head = deadlines.of(_HEAD_S, Connection.miss_head)
        self.body = deadlines.of(_BODY_S, Connection.miss_body)
        self.idle = deadlines.of(keep_alive_s, Connection.close)
        self.reading = deadlines.of(_READING_S, Connection.miss_reader)
        self.lingering = deadlines.of(_LINGERING_S, Connection.cut)


class Connection(asyncio.Protocol):
    """A client's connection. uvicorn's server creates it, keeps it in `state.connections` and calls `shutdown`."""

    __slots__ = (
        "_answering",
        "_app",
        "_asgi",
        "_bounds",
        "_chunks",
        "_client",
        "_cycle",
        "_discarded",
        "_ended",
        "_expected",
        "_flow",
        "_held",
        "_last",
        "_left",
        "_loop",
        "_requests",
        "_seen",
        "_server",
        "_skipped",
        "_state",
        "_unread",
        "_waiting",
        "door",
        "transport",
    )
    transport: asyncio.Transport
    _flow: FlowControl

    def __init__(
        self,
        bounds: Bounds,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        """Create it for a client that uvicorn's server has accepted."""
        self.door: Door | None = None  # through which it has come
        self._bounds = bounds
        self._app = config.loaded_app
        self._asgi = {"version": config.asgi_version, "spec_version": "2.3"}
        self._state = server_state
        self._loop = _loop or asyncio.get_running_loop()
        self._held = b""  # what has come and is not read yet
        self._seen = 0  # how much of it was searched for the end of a head
        self._skipped = False  # whether an empty line before a head was ignored
        self._cycle: RequestResponseCycle | None = None  # of the request that is read or answered, or was the last one
        self._left: int | None = None  # bytes of its body that have not come; None while a head is wanted
        self._chunks: Chunks | None = None  # the reader of a body of unknown length
        self._expected: Deadline[Connection] | None = None  # for what the client owes
        self._requests = 0
        self._answering = self._ended = False
        self._unread = False  # whether the client may still send what nobody reads
        self._last = False  # whether the server shuts down
        self._waiting = 0  # bytes that waited for the client when the deadline for its reading was set
        self._discarded = 0

    # Callbacks of the event loop

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait for the first octet."""
        self.transport = cast(asyncio.Transport, transport)
        self._flow = FlowControl(self.transport)
        self._server, self._client = get_local_addr(self.transport), get_remote_addr(self.transport)
        self._state.connections.add(self)  # type: ignore[arg-type]  # it has no interface for them
        self._expect(self._bounds.silent)

    def connection_lost(self, error: Exception | None) -> None:
        """End. A request that was not received as a whole has had no effect; an answer in progress is for nobody."""
        self._state.connections.discard(self)
        self._ended, self._held = True, b""
        self._expect(None)
        self._bounds.reading.clear(self)
        if self._cycle is not None:
            self._cycle.disconnected = self._cycle.disconnected or not self._cycle.response_complete
            self._cycle.message_event.set()
        self._flow.resume_writing()
        if self.door is not None:
            self.door.left(self)

    def data_received(self, data: bytes) -> None:
        """Read what has come."""
        if self._ended:
            self._discarded += len(data)
            if self._discarded > _MOST_DISCARDED:
                self.transport.abort()
            return
        self._held = self._held + data if self._held else data
        self._read()

    def eof_received(self) -> None:
        """Let the transport close: a client that sends no more has gone."""

    def pause_writing(self) -> None:
        """Wait for the client to read."""
        self._flow.pause_writing()
        self._expect_reader()

    def resume_writing(self) -> None:
        """Go on, with what was held back meanwhile."""
        self._flow.resume_writing()
        if not self._answering:
            self._go_on()

    @property
    def idle(self) -> bool:
        """Whether there is no request, and no answer on its way."""
        busy = self._answering or self._receiving or self._expected is None  # the last: not connected yet, or ended
        return not busy and not self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Close the connection at once, and forget what waits for the client."""
        self.transport.abort()

    def close(self) -> None:
        """Close the connection of a client that has nothing to say."""
        self.transport.close()

    def miss_head(self) -> None:
        """Refuse a head that did not come in time."""
        self._refuse(RequestTimeout())

    def miss_body(self) -> None:
        """Refuse a body that did not come in time; the application says so, since it knows what comes first."""
        self._begin_without_body(RequestTimeout())

    def miss_reader(self) -> None:
        """Abort the connection of a client that has read nothing since the deadline was set."""
        waiting = self.transport.get_write_buffer_size()
        if waiting >= self._waiting > 0:
            _log.debug("a client does not read its answer")
            self.transport.abort()
        elif waiting:
            self._expect_reader()

    def shutdown(self) -> None:
        """Close once a request that has begun to come is answered."""
        self._last = True
        if self._cycle is not None:
            self._cycle.keep_alive = False
        if not self._answering and not self._receiving:
            self.transport.close()

    @property
    def _receiving(self) -> bool:
        """Whether a request has begun to come and is not whole."""
        return self._left is not None or self._expected is self._bounds.head

    def _expect(self, deadline: Deadline[Connection] | None) -> None:
        """Let this deadline run, instead of the one that runs now: a client owes one thing at a time."""
        if self._expected is not None:
            self._expected.clear(self)
        self._expected = deadline
        if deadline is not None:
            deadline.set(self)

    # The way in

    def _read(self) -> bool:
        """Read what has come; return whether the rest, or the client, must wait for an answer."""
        if self._answering or self._flow.write_paused:
            if not self.transport.is_closing():
                self._flow.pause_reading()
            return True
        try:
            if self._left is None and not self._read_head():
                return False
            if (self._left or self._chunks is not None) and not self._read_body():
                return self._answering
        except HypeError as error:
            self._refuse(error)
            return True
        self._begin()
        if self._held:
            self._flow.pause_reading()
        return True

    def _read_head(self) -> bool:
        """Read the next head; return whether there was a whole one. Raises HypeError for one that is refused."""
        held = self._held
        if not self._skipped and held.startswith(b"\r\n"):
            self._skipped = True
            self._held = held = held[2:]
        end = held.find(b"\r\n\r\n", max(0, self._seen - 3), heads.LIMIT_BYTES)
        bounds = self._bounds
        if end < 0:
            if not held and not self._skipped:
                return False
            if len(held) >= heads.LIMIT_BYTES:
                raise HeadTooLarge
            if not heads.may_begin(held, self._seen):
                raise BadRequest
            self._seen = len(held)
            if self._expected is not bounds.head:
                self._expect(bounds.head)
            return False
        head = heads.parse(held[: end + 4])
        self._held = held[end + 4 :]
        self._seen = 0
        self._skipped = False
        self._expect(None)
        self._take(head)
        return True

    def _take(self, head: heads.Head) -> None:
        """Prepare for the body and for the answer."""
        self._requests += 1
        path = head.path.decode("ascii")
        scope: Any = {
            "type": "http",
            "asgi": self._asgi,
            "http_version": head.version,
            "method": head.method,
            "scheme": "http",
            "path": unquote(path) if "%" in path else path,
            "raw_path": head.path,
            "query_string": head.query,
            "root_path": "",
            "headers": head.fields,
            "server": self._server,
            "client": self._client,
            "hype.is_gone": self.transport.is_closing,
        }
        self._cycle = RequestResponseCycle(
            scope=scope,
            transport=self.transport,
            flow=self._flow,
            logger=_uvicorn_log,
            access_logger=_uvicorn_log,
            access_log=False,
            default_headers=self._state.default_headers,
            message_event=asyncio.Event(),
            expect_100_continue=False,
            keep_alive=head.keep_alive and not self._last and self._requests < _MOST_REQUESTS,
            on_response=self._answered,
        )
        if head.length is None:
            self._chunks = Chunks(self._cycle.body)
        self._left = head.length or 0
        if head.length != 0:
            self._expect(self._bounds.body)
            if head.expects and self._left <= self._bounds.max_body_bytes:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _read_body(self) -> bool:
        """Read what has come of the body; return whether it is whole. Raises HypeError for one that is not valid."""
        cycle, held = cast(RequestResponseCycle, self._cycle), self._held
        if self._chunks is not None:
            used = self._chunks.read(held) if held else 0
            whole = self._chunks.done
            too_large = len(cycle.body) > self._bounds.max_body_bytes
        else:
            left = self._left or 0
            too_large = left + len(cycle.body) > self._bounds.max_body_bytes
            used = 0 if too_large else min(left, len(held))
            cycle.body += held[:used]
            self._left = left - used
            whole = self._left == 0
        self._held = held[used:]
        if too_large:
            self._begin_without_body(PayloadTooLarge())
            return False
        return whole

    # The way through the application

    def _begin_without_body(self, error: HypeError) -> None:
        """Ask the application, which answers `error` unless the request has an earlier fault (ruling R10)."""
        cycle = cast(RequestResponseCycle, self._cycle)
        cycle.body.clear()
        cycle.scope["hype.unread"] = error  # type: ignore[typeddict-unknown-key]  # our own
        cycle.keep_alive = False
        self._unread = True
        self._begin()

    def _begin(self) -> None:
        cycle = cast(RequestResponseCycle, self._cycle)
        if self._expected is not None:
            self._expect(None)
        self._left, self._chunks = None, None
        self._answering = True
        cycle.more_body = False
        cycle.default_headers = self._state.default_headers  # those of the head would have its date
        task = self._loop.create_task(cycle.run_asgi(cast(Any, Answer(cycle, self._app, self._close_after_answer))))
        task.add_done_callback(self._state.tasks.discard)
        self._state.tasks.add(task)

    def _answered(self) -> None:
        """Go on after an answer has been written."""
        self._state.total_requests += 1
        self._answering = False
        self._expect_reader()
        self._go_on()

    def _go_on(self) -> None:
        """Read what was held back, and then what comes, unless an answer is under way."""
        if self._ended or self.transport.is_closing():
            return
        if not self._held or not self._read():
            if self._flow.read_paused:
                self._flow.resume_reading()
            if not self._receiving:
                self._expect(self._bounds.idle)

    # The way out

    def _expect_reader(self) -> None:
        """Give the client time to read some of what waits for it."""
        self._waiting = self.transport.get_write_buffer_size()
        if self._waiting:
            self._bounds.reading.set(self)

    def _refuse(self, error: HypeError) -> None:
        """Answer a request that cannot be read, and end."""
        _log.debug("a request was refused: %s", error.error)
        if not self.transport.is_closing():
            origin = heads.origin_of(self._held) if self._left is None else None
            self.transport.write(refusal(error, [*self._state.default_headers, *self._bounds.permission(origin)]))
        self._end()

    def _close_after_answer(self) -> None:
        if self._unread:
            self._end()
        else:
            self.transport.close()

    def _end(self) -> None:
        """Close, but let the client read its answer first.

        A closed connection answers what still comes with a reset, at which a client may lose what it has not read.
        """
        self._ended, self._held = True, b""
        self._expect(None)
        if self.transport.is_closing():
            return
        self._expect(self._bounds.lingering)
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self._flow.resume_reading()
