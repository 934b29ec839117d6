"""A reverse proxy in the test process, between the harness and a server: what real deployments put there.

It handles one request per connection, as `Connection: close` tells both sides, and passes WebSockets on.
"""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

_PATIENCE_S = 30
_REFUSAL = b"<html>too many requests</html>"


@dataclass
class Answer:
    """An answer on its way to the client. fields: the lines of the head, without the status line."""

    status: bytes
    fields: list[bytes]
    body: bytes

    def octets(self) -> bytes:
        """Return the answer as it is sent."""
        return b"\r\n".join([self.status, *self.fields, b"Connection: close", b"", self.body])


@dataclass
class Proxy:
    """A reverse proxy. Each member is a thing that deployments do; the defaults pass everything on.

    prefix: the path beneath which the server is reached. host: the address to listen on. tls: the context of the
    clients' connections. latency_s: seconds that octets take each way. change: changes every answer in place.
    refuse_every: one of so many requests is refused with 429.
    """

    prefix: str = ""
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    latency_s: float = 0.0
    change: Callable[[Answer], None] = lambda answer: None
    refuse_every: int = 0
    requests: int = field(default=0, init=False)


@contextmanager
def behind(proxy: Proxy, port: int) -> Iterator[int]:
    """Run the proxy in front of a server on a port of this machine; yield the proxy's port."""
    family = socket.AF_INET6 if ":" in proxy.host else socket.AF_INET
    with socket.create_server((proxy.host, 0), family=family) as listener:
        serving = threading.Thread(target=_serve, args=(listener, proxy, port))
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, proxy: Proxy, port: int) -> None:
    with ThreadPoolExecutor(64) as pool, suppress(OSError):
        while True:
            pool.submit(_attend, listener.accept()[0], proxy, port)


def _attend(accepted: socket.socket, proxy: Proxy, port: int) -> None:
    with accepted, suppress(OSError):
        accepted.settimeout(_PATIENCE_S)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = proxy.tls.wrap_socket(accepted, server_side=True) if proxy.tls else accepted
        with client:
            head, body = _head(client)
            beneath = re.match(rb"(\S+ )" + proxy.prefix.encode() + rb"(?=[/? ])/?", head)
            if beneath is None:
                client.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                return
            with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as server:
                server.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                head = beneath[1] + b"/" + head[beneath.end() :]
                if re.search(rb"\r\nupgrade: websocket\r\n", head, re.IGNORECASE):
                    _pass_on(client, server, head + body, proxy.latency_s)
                else:
                    _exchange(client, server, head, body, proxy)


def _head(client: socket.socket) -> tuple[bytes, bytes]:
    """Return the head of a request, and the octets after it; an empty head when the client closes."""
    received = b""
    while b"\r\n\r\n" not in received:
        octets = client.recv(65_536)
        if not octets:
            return b"", b""
        received += octets
    head, end, body = received.partition(b"\r\n\r\n")
    return head + end, body


def _pass_on(client: socket.socket, server: socket.socket, first: bytes, latency_s: float) -> None:
    """Pass octets on in both directions until either side closes."""
    server.sendall(first)
    back = threading.Thread(target=_pump, args=(server, client, latency_s))
    back.start()
    _pump(client, server, latency_s)
    back.join()


def _pump(source: socket.socket, sink: socket.socket, latency_s: float) -> None:
    with suppress(OSError):
        while octets := source.recv(65_536):
            time.sleep(latency_s)  # noqa: TID251 - a network takes this time
            sink.sendall(octets)
    for end in (source, sink):
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _exchange(client: socket.socket, server: socket.socket, head: bytes, body: bytes, proxy: Proxy) -> None:
    """Send one request on, and its answer back."""
    proxy.requests += 1
    if proxy.refuse_every and proxy.requests % proxy.refuse_every == 0:
        fields = [b"Retry-After: 1", b"Content-Type: text/html", b"Content-Length: %d" % len(_REFUSAL)]
        client.sendall(Answer(b"HTTP/1.1 429 Too Many Requests", fields, _REFUSAL).octets())
        return
    line, _, fields_of_client = head.partition(b"\r\n")
    kept = [each for each in fields_of_client.split(b"\r\n") if each and not each.lower().startswith(b"connection:")]
    more = [b"Connection: close", b"X-Forwarded-For: 203.0.113.7", b"X-Forwarded-Proto: https", b"Via: 1.1 proxy"]
    time.sleep(proxy.latency_s)  # noqa: TID251 - a network takes this time
    server.sendall(b"\r\n".join([line, *kept, *more, b"", b""]) + body)
    rest = threading.Thread(target=_send_rest, args=(client, server))
    rest.start()
    received = bytearray()
    with suppress(OSError):
        while octets := server.recv(65_536):
            received += octets
    time.sleep(proxy.latency_s)  # noqa: TID251 - the same
    if received:
        answer = _answer(bytes(received))
        proxy.change(answer)
        client.sendall(answer.octets())
    with suppress(OSError):
        client.shutdown(socket.SHUT_RDWR)
    rest.join()


def _send_rest(client: socket.socket, server: socket.socket) -> None:
    """Send the rest of the client's body on, and the end of what it sends."""
    with suppress(OSError):
        while octets := client.recv(65_536):
            server.sendall(octets)
        server.shutdown(socket.SHUT_WR)


def _answer(received: bytes) -> Answer:
    """Return the final answer, without the informational ones before it."""
    head, _, body = received.partition(b"\r\n\r\n")
    while head.split(b" ")[1].startswith(b"1"):
        head, _, body = body.partition(b"\r\n\r\n")
    status, *fields = head.split(b"\r\n")
    return Answer(status, [each for each in fields if not each.lower().startswith(b"connection:")], body)


def compress(answer: Answer) -> None:
    """Compress a body with gzip and send it in chunks, as a proxy does that does not look at Accept-Encoding."""
    if not answer.body or any(each.lower().startswith(b"transfer-encoding:") for each in answer.fields):
        return
    packed = gzip.compress(answer.body)
    answer.fields = [each for each in answer.fields if not each.lower().startswith(b"content-length:")]
    answer.fields += [b"Content-Encoding: gzip", b"Transfer-Encoding: chunked", b"Vary: Accept-Encoding"]
    pieces = [packed[:10], packed[10:]]
    answer.body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces if piece) + b"0\r\n\r\n"


def decorate(answer: Answer) -> None:
    """Add the headers of a proxy, in unusual letter case, and take the server's own name away."""
    answer.fields = [each for each in answer.fields if not each.lower().startswith(b"server:")]
    answer.fields += [
        b"VIA: 1.1 proxy",
        b"strict-transport-security: max-age=63072000",
        b"X-Request-Id: 7f3c",
        b"X-Cache: MISS",
        b'Alt-Svc: h3=":443"',
        b"Set-Cookie: lb=a; Path=/",
        b"SERVER: proxy",
    ]
