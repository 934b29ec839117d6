"""The same bounds as in `http.py` for a library that sends with requests (schemathesis)."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from io import BytesIO
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, Timeout
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from hype_contract.actors.clients.http import PLAIN, TIMEOUT_S, Unreadable, bounded

_CHUNK = 65_536


def confine(session: requests.Session) -> None:
    """Have a session send nothing of the environment, follow no redirect, and read no more than an answer may be."""
    session.trust_env = False
    session.get_redirect_target = _nowhere  # type: ignore[method-assign, assignment]  # whatever the caller asks
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded())


def _nowhere(answer: requests.Response) -> None:
    """Where to send the request next."""


class _Bounded(HTTPAdapter):
    """Reads each body at once, at most `LARGEST_ANSWER` bytes and `TIMEOUT_S` seconds of it."""

    def init_poolmanager(self, *sizes: Any, **named: Any) -> None:
        """Make the pool, of connections whose heads come in time."""
        super().init_poolmanager(*sizes, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _SecurePool}

    def send(
        self,
        request: requests.PreparedRequest,
        stream: bool = False,
        timeout: Any = None,
        verify: bool | str = True,
        cert: Any = None,
        proxies: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """Send a request, past all proxies. Raises what requests raises, and ContentDecodingError for such a body."""
        request.headers.update(PLAIN)
        began = time.monotonic()
        answer = super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert)
        try:
            chunks = _chunks(answer.raw, began + TIMEOUT_S)
            content = b"".join(bounded(chunks, answer.headers.get("Content-Encoding")))
        except Unreadable as error:
            raise ContentDecodingError(str(error), request=request) from error
        except (ReadTimeoutError, TimeoutError) as error:
            raise Timeout(f"the answer did not end in {TIMEOUT_S:g} s", request=request) from error
        except HTTPError as error:
            raise ChunkedEncodingError(error, request=request) from error
        finally:
            answer.raw.close()
        answer.raw = _read_already(answer.raw, content)
        answer.encoding = "utf-8"  # what a charset of the target's choice does to a text has no bound
        return answer


def _chunks(raw: HTTPResponse, due: float) -> Iterator[bytes]:
    """The body as it stands on the wire, as it comes."""
    while chunk := raw.read1(_CHUNK, decode_content=False):
        yield chunk
        if time.monotonic() > due:
            raise TimeoutError


def _read_already(raw: HTTPResponse, content: bytes) -> HTTPResponse:
    return HTTPResponse(
        BytesIO(content), raw.headers, raw.status, raw.version, reason=raw.reason, preload_content=False
    )


class _InTime:
    """A connection that is cut where a head has not come within `TIMEOUT_S` seconds, trickle or not."""

    sock: socket.socket | None

    def getresponse(self) -> Any:
        """Wait for the head."""
        patience = threading.Timer(TIMEOUT_S, self._cut)
        patience.daemon = True
        patience.start()
        try:
            return super().getresponse()  # type: ignore[misc]  # it is mixed in
        finally:
            patience.cancel()

    def _cut(self) -> None:
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # it may be gone by now


class _Connection(_InTime, HTTPConnection):
    pass


class _SecureConnection(_InTime, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection
