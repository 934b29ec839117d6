"""HTTP requests as octets: no client library sends fields in the trailer of a chunked body, or half of a body."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import httpx

from hype_contract.actors.clients.gate import carried
from hype_contract.actors.clients.http import TIMEOUT_S, trusted
from hype_contract.actors.clients.rest import Header
from hype_contract.recording.secrecy import quote

_MOST_READ = 65_536  # the most bytes of an answer


@dataclass(frozen=True)
class Chunked:
    """A request whose body is one chunk. path: appended to the path of the base URL, and sent as it is."""

    method: str
    path: str
    content: bytes
    headers: Iterable[Header] = field(default=())
    trailers: Iterable[Header] = field(default=())

    def octets(self, base: httpx.URL) -> tuple[bytes, bytes]:
        """Return the head, and the body with its trailer (RFC 9112 section 7.1)."""
        head = _head(self.method, self.path, base, [("Transfer-Encoding", "chunked"), *self.headers])
        size = f"{len(self.content):x}\r\n".encode("ascii")
        return head, size + self.content + b"\r\n0\r\n" + _lines(self.trailers).encode("latin-1")


@dataclass(frozen=True)
class Cut:
    """A request whose client ends one octet before its body does. path: as for `Chunked`."""

    method: str
    path: str
    content: bytes
    headers: Iterable[Header] = field(default=())

    def octets(self, base: httpx.URL) -> tuple[bytes, bytes]:
        """Return the head, and the body without its last octet."""
        length = str(len(self.content))
        return _head(self.method, self.path, base, [("Content-Length", length), *self.headers]), self.content[:-1]


class FinalResponse(http.client.HTTPResponse):
    """An answer without the informational ones before it, such as `103 Early Hints` (RFC 9110 section 15.2)."""

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of the first answer that is not informational."""
        read: Callable[[], tuple[str, int, str]] = super()._read_status  # type: ignore[misc]  # of no public name
        while True:
            version, status, reason = read()
            if not 100 < status < 200 or status == http.client.SWITCHING_PROTOCOLS:
                return version, status, reason
            http.client.parse_headers(self.fp)


def send(
    request: Chunked | Cut, base: httpx.URL, between: Callable[[], object] | None = None
) -> tuple[int | None, str]:
    """Send a request on a new connection; return the status and the text of the answer.

    between: is called after the head is sent and before the rest; without it, all is sent at once. The status is None
    when the target closes the connection without an answer, or takes longer than `TIMEOUT_S` seconds.
    """
    head, rest = request.octets(base)
    with closing(_connected(base)) as connection, _in_time(connection):
        try:
            if between is None:
                connection.sendall(head + rest)
            else:
                connection.sendall(head)
                between()
                connection.sendall(rest)
            if isinstance(request, Cut):
                connection.shutdown(socket.SHUT_WR)
            answer = FinalResponse(connection, method=request.method)
            answer.begin()
            return answer.status, answer.read(_MOST_READ).decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            return None, f"{type(error).__name__}: {error}"


def command(request: Chunked | Cut, base: httpx.URL) -> str:
    """Return a line of bash that sends the request at once."""
    text = b"".join(request.octets(base)).decode("latin-1")
    escaped = text.replace("\\", "\\\\").replace("%", "%%").replace("'", "\\047")
    escaped = escaped.replace("\r", "\\r").replace("\n", "\\n")
    host, port = base.host, _port(base)
    if base.scheme == "https":
        server = quote(f"{host}:{port}")
        return f"printf '{escaped}' | openssl s_client -quiet -ign_eof -connect {server} | cat -v"
    read = "" if isinstance(request, Cut) else "cat -v <&3 2>/dev/null; "
    # A target may answer and close before it has read everything. Then `cat` ends, where `printf` would end the shell.
    return f"exec 3<>{quote(f'/dev/tcp/{host}/{port}')}; printf '{escaped}' | cat >&3 2>/dev/null; {read}exec 3>&-"


@contextmanager
def _in_time(connection: socket.socket) -> Iterator[None]:
    """Cut the connection after `TIMEOUT_S` seconds, even if octets still arrive."""

    def cut() -> None:
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(TIMEOUT_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _connected(base: httpx.URL) -> socket.socket:
    connection = socket.create_connection((base.host, _port(base)), TIMEOUT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if base.scheme != "https":
        return connection
    return trusted().wrap_socket(connection, server_hostname=base.host)


def _port(base: httpx.URL) -> int:
    return base.port or (443 if base.scheme == "https" else 80)


def _head(method: str, path: str, base: httpx.URL, fields: Iterable[Header]) -> bytes:
    target = base.raw_path.decode("ascii").rstrip("/") + path
    every = [("Host", base.netloc.decode("ascii")), ("Connection", "close"), *carried(), *fields]
    return f"{method} {target} HTTP/1.1\r\n{_lines(every)}".encode("latin-1")


def _lines(fields: Iterable[Header]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in fields) + "\r\n"
