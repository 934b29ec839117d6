"""HTTP to a target that may be hostile: an answer is bounded in bytes and in time, and the environment is ignored.

The client ignores proxies, `.netrc`, `SSL_CERT_FILE` and the like. It connects to the URLs of the command's options,
and checks certificates against certifi's authorities.
"""

from __future__ import annotations

import http.cookiejar
import math
import ssl
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import httpcore
import httpx

TIMEOUT_S = 15.0
"""Seconds that one answer may take from the request to its last byte."""

LARGEST_ANSWER = 16 * 2**20
"""The most bytes of one body, enough for a list of some 40,000 users. h11 bounds the head: 100 KiB."""

PLAIN = {"Accept-Encoding": "identity"}
"""The header of each request that asks for a body without compression: its size on the wire is its size in memory."""


class Unreadable(httpx.TransportError):
    """A body that the harness refuses to read; the text says why."""


def connect(base_url: str) -> httpx.Client:
    """Open a connection pool for a whole run, without proxies, redirects and cookies."""
    cookies = http.cookiejar.CookieJar(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
    return _Client(
        base_url=base_url, timeout=TIMEOUT_S, trust_env=False, cookies=cookies, headers=PLAIN, transport=_Transport()
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
    """Return a TLS context with certifi's authorities, whatever the environment names."""
    return httpx.create_ssl_context(trust_env=False)


def bounded(chunks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """Yield the chunks of a body. encoding: the answer's Content-Encoding.

    Raises `Unreadable` for a body of more than `LARGEST_ANSWER` bytes, and for a body that is encoded, because no
    request asks for that (RFC 9110 12.5.3).
    """
    size = 0
    for chunk in chunks:
        if chunk and (encoding or "identity").strip().lower() != "identity":
            raise Unreadable(f"Content-Encoding is {encoding[:40]!r}, although only identity was asked for")  # type: ignore[index]
        size += len(chunk)
        if size > LARGEST_ANSWER:
            raise Unreadable(f"the body has more than {LARGEST_ANSWER:,} bytes")
        yield chunk


class _Transport(httpx.BaseTransport):
    """A transport of httpx over httpcore, with a deadline for the whole answer and a bound on its body."""

    def __init__(self) -> None:
        # Many servers close a connection that was idle for five seconds. The pool gives it up before, so that no
        # request is sent while the server closes it.
        self._pool = httpcore.ConnectionPool(
            ssl_context=trusted(),
            max_connections=200,
            max_keepalive_connections=20,
            keepalive_expiry=2.0,
            network_backend=_Backend(),
        )

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
            answer = self._pool.handle_request(asked)
        headers = httpx.Headers(answer.headers)
        body = _Body(answer, headers.get("content-encoding"))
        return httpx.Response(answer.status, headers=headers, stream=body, extensions=answer.extensions)

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


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
    """The deadline of the answer that this thread reads, on the monotonic clock."""

    at = math.inf


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
        return _Stream(super().connect_tcp(*where, **how))
