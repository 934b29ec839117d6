"""HTTP to a target that may be hostile: an answer is bounded in bytes and in time, and the environment is ignored.

The client ignores proxies, `.netrc`, `SSL_CERT_FILE` and the like. It connects to the URLs of the command's options,
and checks certificates against certifi's authorities and those of `trust`.
"""

from __future__ import annotations

import http.cookiejar
import math
import ssl
import threading
import time
import weakref
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpcore
import httpx

from hype_contract.actors.clients.gate import carried

TIMEOUT_S = 15.0
"""Seconds that one answer may take from the request to its last byte."""

LARGEST_ANSWER = 16 * 2**20
"""The most bytes of one body, enough for a list of some 40,000 users. h11 bounds the head: 100 KiB."""

_GZIP = ("gzip", "x-gzip")
_PIECE = 65_536

PLAIN = {"Accept-Encoding": "identity"}
"""The header of each request that asks for a body without compression: its size on the wire is its size in memory."""


IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"})
"""The methods of requests that may be sent again when the target may have read them (RFC 9110 9.2.2)."""


class Unreadable(httpx.TransportError):
    """A body that the harness refuses to read; the text says why."""


def connect(base_url: str) -> httpx.Client:
    """Open a connection pool for a whole run, without proxies, redirects and cookies."""
    cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return _Client(
        base_url=base_url,
        timeout=TIMEOUT_S,
        trust_env=False,
        cookies=cookies,
        headers={**PLAIN, **dict(carried())},
        transport=_Transport(),
    )


class _Client(httpx.Client):
    """A client that sends each request once, as it is: httpx's own steps cost as much time as the request itself.

    Those steps are about redirects, cookies, authentication, hooks and the query, which no case leaves to the client.
    """

    def send(self, request: httpx.Request, *, stream: bool = False, **how: Any) -> httpx.Response:
        """Send a request; return its answer, with the body unless `stream`. Raises `httpx.TransportError`."""
        answer = self._transport.handle_request(request)
        answer.request = request
        if not stream:
            try:
                answer.read()
            finally:
                answer.close()
        return answer


@cache
def trusted() -> ssl.SSLContext:
    """Return the TLS context of all connections: certifi's authorities, whatever the environment names."""
    return httpx.create_ssl_context(trust_env=False)


def trust(authorities: Path) -> None:
    """Take a file of certificates (PEM) for authorities, too, in all connections of this process.

    Raises `OSError` for a file that cannot be read or holds no certificate.
    """
    trusted().load_verify_locations(authorities)


def untrusted(error: BaseException | None) -> str | None:
    """Return why an error is a refused TLS certificate, None if it is none. error: with its causes."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None


def bounded(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield the body of an answer, decoded. encoding: the answer's Content-Encoding.

    No request asks for an encoding, but a proxy may use gzip all the same (RFC 9110 section 12.5.3). Raises
    `Unreadable` for a body of more than `LARGEST_ANSWER` bytes, and for another encoding.
    """
    name = (encoding or "identity").strip().lower()
    pieces = _gunzipped(chunks) if name in _GZIP else chunks
    size = 0
    for piece in pieces:
        if piece and name not in ("identity", *_GZIP):
            raise Unreadable(f"Content-Encoding is {name[:40]!r}, although only identity was asked for")
        size += len(piece)
        if size > LARGEST_ANSWER:
            raise Unreadable(f"the body has more than {LARGEST_ANSWER:,} bytes")
        yield piece


def _gunzipped(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the contents of gzip data, a bounded piece at a time. Raises `Unreadable` for other data."""
    stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)  # 16: with the head and the end of gzip
    begun = False
    try:
        for chunk in chunks:
            begun = begun or bool(chunk)
            rest = chunk
            while rest and not stream.eof:
                yield stream.decompress(rest, _PIECE)
                rest = stream.unconsumed_tail
    except zlib.error as error:
        raise Unreadable(f"Content-Encoding is gzip, but the body is not ({error})") from error
    if begun and not stream.eof:
        raise Unreadable("Content-Encoding is gzip, but the body ends too early")


class _Transport(httpx.BaseTransport):
    """A transport of httpx over httpcore, with a deadline for the whole answer and a bound on its body."""

    def __init__(self) -> None:
        self._own = threading.local()
        self._ends: dict[httpcore.ConnectionPool, weakref.finalize[Any, Any]] = {}
        self._closes_kept = False

    def _pool(self, *, keeps: bool) -> httpcore.ConnectionPool:
        """Return a connection pool of this thread, which is closed after the thread. keeps: connections stay open.

        A pool that threads share closes an expired connection which another thread has just been given.
        """
        name = "keeping" if keeps else "unkept"
        pool: httpcore.ConnectionPool | None = getattr(self._own, name, None)
        if pool is None:
            # Many servers close a connection that was idle for five seconds. The pool gives it up before, so that no
            # request is sent while the server closes it.
            pool = httpcore.ConnectionPool(
                ssl_context=trusted(),
                max_connections=200,
                max_keepalive_connections=20 if keeps else 0,
                keepalive_expiry=2.0,
                network_backend=_Backend(),
            )
            setattr(self._own, name, pool)
            self._ends[pool] = weakref.finalize(threading.current_thread(), self._drop, pool)
        return pool

    def _drop(self, pool: httpcore.ConnectionPool) -> None:
        self._ends.pop(pool, None)
        pool.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request. Its read timeout is the number of seconds that the whole answer may take."""
        allowed = request.extensions.get("timeout", {}).get("read")
        _due.at = math.inf if allowed is None else time.monotonic() + allowed
        url = request.url
        asked = httpcore.Request(
            request.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _in_terms_of_httpx():
            answer = self._sent(asked, again=isinstance(request.stream, httpx.ByteStream))
        headers = httpx.Headers(answer.headers)
        body = _Body(answer, headers.pop("content-encoding", None))
        return httpx.Response(answer.status, headers=headers, stream=body, extensions=answer.extensions)

    def _sent(self, request: httpcore.Request, *, again: bool) -> httpcore.Response:
        """Send a request, and an idempotent one once more when the target closes a kept connection unannounced.

        A server may close an idle connection while a request is on its way; nobody knows then whether it read the
        request. So after the first such close, other requests go over new connections. again: the body can be sent
        twice.
        """
        idempotent = request.method.decode("ascii") in IDEMPOTENT
        if self._closes_kept and not idempotent:
            return self._pool(keeps=False).handle_request(request)
        _due.connected = False
        try:
            return self._pool(keeps=True).handle_request(request)
        except (httpcore.RemoteProtocolError, httpcore.ReadError, httpcore.WriteError):
            if _due.connected:
                raise
            self._closes_kept = True
            if not (idempotent and again):
                raise
            return self._pool(keeps=False).handle_request(request)

    def close(self) -> None:
        """Close every connection."""
        for end in list(self._ends.values()):
            end()


class _Body(httpx.SyncByteStream):
    def __init__(self, answer: httpcore.Response, encoding: str | None) -> None:
        self._answer = answer
        self._encoding = encoding

    def __iter__(self) -> Iterator[bytes]:
        with _in_terms_of_httpx():
            yield from bounded(self._answer.iter_stream(), self._encoding)

    def close(self) -> None:
        with _in_terms_of_httpx():
            self._answer.close()


@contextmanager
def _in_terms_of_httpx() -> Iterator[None]:
    """Raise httpx's exception of the same name for each exception of httpcore."""
    try:
        yield
    except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
        kind: type[httpx.TransportError] = getattr(httpx, type(error).__name__, httpx.TransportError)
        raise kind(str(error)) from error


class _Due(threading.local):
    """The deadline of the answer that this thread reads, on the monotonic clock. `connected`: on a new connection."""

    at = math.inf
    connected = False


_due = _Due()


def _within(timeout: float | None) -> float | None:
    """Return the seconds that one step may take. Raises `ReadTimeout` after the deadline of the answer."""
    left = _due.at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the answer did not end in time")
    return timeout if left == math.inf else left if timeout is None else min(timeout, left)


class _Stream(httpcore.NetworkStream):
    """A connection whose deadline holds for the whole answer, so that single bytes do not extend it."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _within(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _within(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, _within(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """A backend whose connections keep the deadline."""

    def connect_tcp(self, *where: Any, **how: Any) -> httpcore.NetworkStream:
        _due.connected = True
        return _Stream(super().connect_tcp(*where, **how))
