"""A WebSocket to a gateway that may be hostile: what it sends is bounded after decoding, and no proxy is asked."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI, PayloadTooBig, TooManyFragments
from websockets.frames import Frame
from websockets.http11 import Response
from websockets.sync.client import ClientConnection
from websockets.sync.client import connect as open_websocket
from websockets.typing import Origin

from hype_contract.actors.clients.http import trusted
from hype_contract.actors.must import Violation

PATIENCE_S = 8.0
"""How long an event that must come may take."""

LARGEST_FRAME = 2**20
"""Bytes of one message, after decoding (permessage-deflate) and over all its fragments."""

MOST_HEARD = 64 * 2**20
"""Bytes of all that one socket hears, after decoding; each frame counts as `_FRAME` bytes more."""

_FRAME = 256
_LIBRARY_LOGGER = logging.getLogger(f"{__name__}.websockets")
_LIBRARY_LOGGER.setLevel(logging.CRITICAL)  # what it logs as errors are connections that a case dropped on purpose

_NARROW_WINDOW = 16_384
_NARROW_SEGMENT = 536


class _TooMuch(Exception):
    """The target has sent more than `MOST_HEARD` bytes; the text says so."""


class _Connection(ClientConnection):
    """Ends where it has heard too much: what no one has asked for yet is kept in memory."""

    heard = 0

    def process_event(self, event: Frame | Response) -> None:  # type: ignore[override]  # of the two it gets either
        """Take what the library has decoded. It tells `recv` of what is raised here."""
        if isinstance(event, Frame):
            self.heard += len(event.data) + _FRAME
        if self.heard > MOST_HEARD:
            raise _TooMuch(f"more than {MOST_HEARD:,} bytes on one socket")
        super().process_event(event)


def refused(closed: ConnectionClosed) -> str | None:
    """Why the harness ended a connection itself: it was sent too much. None: it did not."""
    cause = closed.__cause__
    if isinstance(cause, PayloadTooBig):
        return f"a message of more than {LARGEST_FRAME:,} bytes"
    return str(cause) if isinstance(cause, _TooMuch | TooManyFragments) else None


def connect(url: str, token: str | None = None, *, lazy: bool = False, origin: str | None = None) -> ClientConnection:
    """Open a WebSocket; `token` goes into `?token=`, `origin` into `Origin`. Raises `Violation` if there is none.

    `lazy`: take from the network only what is asked for, and let little wait in this machine's buffers (ruling R32).
    """
    try:
        return open_websocket(
            address(url, token),
            sock=_narrow(url) if lazy else None,
            origin=Origin(origin) if origin is not None else None,
            open_timeout=PATIENCE_S,
            close_timeout=2,
            max_queue=1 if lazy else None,
            # What is repeated shrinks to next to nothing, and a queue that should fill never does.
            compression=None if lazy else "deflate",
            max_size=LARGEST_FRAME,
            proxy=None,
            ssl=trusted() if urlsplit(url).scheme == "wss" else None,
            create_connection=_Connection,
            ping_interval=None,
            logger=_LIBRARY_LOGGER,
            legacy=True,  # a connection, not a context manager: `World` closes its sockets itself
        )
    except (OSError, ConnectionClosed, InvalidHandshake, InvalidURI, TimeoutError, EOFError) as error:
        raise Violation(f"a WebSocket at {url}", f"{type(error).__name__}: {error}") from error
    except AssertionError as error:  # the library's own, where an answer comes before it has asked
        raise Violation(f"a WebSocket at {url}", "an answer before the handshake was sent") from error


def address(url: str, token: str | None) -> str:
    """The gateway's URL, with `token` in `?token=`."""
    if token is None:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return parts._replace(path=parts.path or "/", query=f"{query}token={quote(token, safe='')}").geturl()


def _narrow(url: str) -> socket.socket:
    """A TCP connection with a small window and small segments: so both ends' systems keep little for it."""
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


def first_answer(url: str, token: str | None, frames: Iterable[str]) -> str | bytes | None:
    """Send `frames` on a fresh socket and give the first frame that comes; None if it was closed instead.

    Raises `Violation` if there is no gateway, or nothing comes within `PATIENCE_S` seconds.
    """
    with connect(url, token) as connection:
        try:
            for frame in frames:
                connection.send(frame)
            return connection.recv(timeout=PATIENCE_S)
        except TimeoutError as error:
            raise Violation("an answer on the gateway", f"it never answers ({PATIENCE_S:g} s)") from error
        except ConnectionClosed:
            return None
