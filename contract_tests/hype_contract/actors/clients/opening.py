"""A WebSocket to a gateway that may be hostile: its frames are bounded after decoding, and no proxy is used."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI, PayloadTooBig, TooManyFragments
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket

from hype_contract.actors.clients import gate
from hype_contract.actors.clients.http import TIMEOUT_S, trusted
from hype_contract.actors.must import Violation

PATIENCE_S = 8.0
"""The seconds that an event may take which must come."""

LARGEST_FRAME = 2**20
"""The most bytes of one message, after decoding (permessage-deflate) and over all its fragments."""

MOST_RECEIVED = 64 * 2**20
"""The most bytes that one socket receives, after decoding; each frame counts as `_FRAME` bytes more."""

_FRAME = 256
_LIBRARY_LOGGER = logging.getLogger(f"{__name__}.websockets")
_LIBRARY_LOGGER.setLevel(logging.CRITICAL)  # the library logs errors for connections that a case drops on purpose

_NARROW_WINDOW = 16_384
_NARROW_SEGMENT = 536


class _TooMuch(Exception):
    """More than `MOST_RECEIVED` bytes from the target; the text says so."""


class _Connection(ClientConnection):
    """A connection that ends when it has received too much, because unread frames are kept in memory."""

    received_bytes = 0

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]  # both types occur
        """Take an event that the library has decoded. `recv` raises what is raised here."""
        if isinstance(event, Frame):
            self.received_bytes += len(event.data) + _FRAME
        if self.received_bytes > MOST_RECEIVED:
            raise _TooMuch(f"more than {MOST_RECEIVED:,} bytes on one socket")
        super().process_event(event)


def refused(closed: ConnectionClosed) -> str | None:
    """Return why the harness itself ended a connection on which it received too much; None if it did not."""
    cause = closed.__cause__
    if isinstance(cause, PayloadTooBig):
        return f"a message of more than {LARGEST_FRAME:,} bytes"
    return str(cause) if isinstance(cause, _TooMuch | TooManyFragments) else None


def connect(url: str, token: str | None = None, *, lazy: bool = False, origin: str | None = None) -> ClientConnection:
    """Open a WebSocket. Raises `Violation` if that fails.

    token: goes into `?token=`. origin: the `Origin` header, in place of that of all requests (`gate`). lazy: read from
    the network only what is asked for, and keep the buffers of this machine small (ruling R32).
    """
    try:
        made = open_websocket(
            address(url, token),
            sock=_narrow(url) if lazy else None,
            additional_headers=headers(origin),
            open_timeout=PATIENCE_S,
            close_timeout=2,
            max_queue=1 if lazy else None,
            # Compressed repetitions would be so small that the server's queue, which a lazy case fills, never fills.
            compression=None if lazy else "deflate",
            max_size=LARGEST_FRAME,
            proxy=None,
            ssl=trusted() if urlsplit(url).scheme == "wss" else None,
            create_connection=_Connection,
            ping_interval=None,
            logger=_LIBRARY_LOGGER,
            legacy=True,  # returns a connection, not a context manager: `World` closes its sockets itself
        )
        # The library waits without end when a target does not read. A target that closes at once has closed by now.
        with suppress(OSError):
            made.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", int(TIMEOUT_S), 0))
        return made
    except (OSError, ConnectionClosed, InvalidHandshake, InvalidURI, TimeoutError, EOFError) as error:
        raise Violation(f"a WebSocket at {url}", f"{type(error).__name__}: {error}") from error
    except AssertionError as error:  # the library raises it when an answer comes before the request
        raise Violation(f"a WebSocket at {url}", "an answer before the handshake was sent") from error


@contextmanager
def in_one_piece(connection: ClientConnection) -> Iterator[None]:
    """Have Linux send at the end of the block what the block sends: an early close cuts it at no chance place."""
    option: int | None = getattr(socket, "TCP_CORK", None)
    with suppress(OSError):
        if option is not None:
            connection.socket.setsockopt(socket.IPPROTO_TCP, option, 1)
    try:
        yield
    finally:
        with suppress(OSError):
            if option is not None:
                connection.socket.setsockopt(socket.IPPROTO_TCP, option, 0)


def headers(origin: str | None = None) -> list[tuple[str, str]]:
    """Return the headers of a handshake beside those of every one: those for a gate, and `Origin` if there is one.

    origin: in place of that of all requests.
    """
    sent = origin if origin is not None else gate.origin()
    carried = [header for header in gate.carried() if header[0].lower() != "origin"]
    return carried if sent is None else [*carried, ("Origin", sent)]


def address(url: str, token: str | None) -> str:
    """Return the gateway's URL, with `token` in `?token=`."""
    if token is None:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(path=parts.path or "/", query=f"{query}token={quote(token, safe='')}").geturl()


def _narrow(url: str) -> socket.socket:
    """Open a TCP connection with a small window and small segments, so that both systems buffer little for it."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "wss" else 80)
    failure: OSError = OSError(f"{parts.hostname} has no address")
    for family, kind, protocol, _, address in socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM):
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _NARROW_WINDOW)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _NARROW_SEGMENT)
        made.settimeout(PATIENCE_S)
        try:
            made.connect(address)
        except OSError as error:
            made.close()
            failure = error
        else:
            return made
    raise failure


def first_answer(url: str, token: str | None, frames: Iterable[str], within: float) -> str | bytes | None:
    """Send `frames` on a new socket and return the first frame that comes.

    Return None if none comes `within` seconds, or the gateway closes the socket. Raises `Violation` if nothing shakes
    hands at the URL.
    """
    with connect(url, token) as connection:
        try:
            for frame in frames:
                connection.send(frame)
            return connection.recv(timeout=within)
        except (TimeoutError, ConnectionClosed):
            return None
