"""An adapter that gives a `requests` session, which schemathesis sends with, the same bounds as `http.py`."""

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
from requests.exceptions import ChunkedEncodingError, ContentDecodingError, RequestException, Timeout
from requests.exceptions import ConnectionError as Unconnected
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from hype_contract.actors.clients.conditions import Conditions
from hype_contract.actors.clients.gate import carried
from hype_contract.actors.clients.http import IDEMPOTENT, PLAIN, TIMEOUT_S, Unreadable, bounded, trusted
from hype_contract.actors.clients.wire import FinalResponse

_CHUNK = 65_536


def confine(session: requests.Session, conditions: Conditions) -> None:
    """Make a session ignore the environment, follow no redirect, and bound each answer in bytes and in time.

    conditions: of the case that sends. After a silence, its later requests fail at once.
    """
    session.trust_env = False
    session.get_redirect_target = _no_redirect  # type: ignore[method-assign, assignment]  # whatever the caller asks
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Bounded(conditions))


def _no_redirect(answer: requests.Response) -> None:
    """Return no URL, so that the session follows no redirect."""


class _Bounded(HTTPAdapter):
    """An adapter that reads each body at once: at most `LARGEST_ANSWER` bytes, for at most `TIMEOUT_S` seconds."""

    def __init__(self, conditions: Conditions) -> None:
        super().__init__()
        self._conditions = conditions
        self._closes_kept = False

    def init_poolmanager(self, *sizes: Any, **named: Any) -> None:
        """Make a pool of connections that are cut when a head does not come in time."""
        super().init_poolmanager(*sizes, ssl_context=trusted(), **named)
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
        """Send a request without any proxy.

        Raises what requests raises, and `ContentDecodingError` for a body that is too large or cannot be decoded.
        """
        request.headers.update({**PLAIN, **dict(carried())})
        began = time.monotonic()
        self._conditions.check()
        if self._conditions.silent:  # schemathesis would look for a shorter example, and wait for each try
            raise Timeout(f"an earlier request of this case got no answer in {TIMEOUT_S:g} s", request=request)
        try:
            answer = self._answer(request, timeout, verify, cert)
        except RequestException as error:
            self._note(error, began)
            raise
        try:
            chunks = _chunks(answer.raw, began + TIMEOUT_S)
            content = b"".join(bounded(chunks, answer.headers.pop("Content-Encoding", None)))
        except Unreadable as error:
            raise ContentDecodingError(str(error), request=request) from error
        except (ReadTimeoutError, TimeoutError) as error:
            self._conditions.silent = True
            raise Timeout(f"the answer did not end in {TIMEOUT_S:g} s", request=request) from error
        except HTTPError as error:
            raise ChunkedEncodingError(error, request=request) from error
        finally:
            answer.raw.close()
        answer.raw = _already_read(answer.raw, content)
        answer.encoding = "utf-8"  # a charset that the target chooses could make a text grow without bound
        return answer

    def _answer(self, request: requests.PreparedRequest, *how: Any) -> requests.Response:
        """Send a request as `http.py` does: an idempotent one again when a kept connection ends unannounced."""
        timeout, verify, cert = how
        idempotent = request.method in IDEMPOTENT
        if self._closes_kept and not idempotent:
            self.poolmanager.clear()
        _opened.now = False
        try:
            return super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert)
        except Unconnected:
            if _opened.now:
                raise
            self._closes_kept = True
            self.poolmanager.clear()
            if not idempotent:
                raise
        return super().send(request, stream=True, timeout=timeout, verify=verify, cert=cert)

    def _note(self, error: RequestException, began: float) -> None:
        """Tell the case what became of its connection. A head that comes too slowly is cut, which is a silence."""
        if isinstance(error, Timeout) or time.monotonic() - began >= TIMEOUT_S:
            self._conditions.silent = True
        else:
            self._conditions.lose(error)


def _chunks(raw: HTTPResponse, due: float) -> Iterator[bytes]:
    """Yield the body, as it stands on the wire. Raises `TimeoutError` after the time `due`."""
    while chunk := raw.read1(_CHUNK, decode_content=False):
        yield chunk
        if time.monotonic() > due:
            raise TimeoutError


def _already_read(raw: HTTPResponse, content: bytes) -> HTTPResponse:
    """Return the answer with its content, which is decoded."""
    headers = raw.headers.copy()
    for name in ("Content-Encoding", "Content-Length"):
        headers.discard(name)
    return HTTPResponse(BytesIO(content), headers, raw.status, raw.version, reason=raw.reason, preload_content=False)


class _Opened(threading.local):
    """Whether the request of this thread has opened a new connection."""

    now = False


_opened = _Opened()


class _InTime:
    """A connection that is cut when the whole head has not come within `TIMEOUT_S` seconds."""

    sock: socket.socket | None

    def connect(self) -> None:
        """Open the connection."""
        _opened.now = True
        super().connect()  # type: ignore[misc]  # this class is a mix-in

    def getresponse(self) -> Any:
        """Wait for the head."""
        timer = threading.Timer(TIMEOUT_S, self._cut)
        timer.daemon = True
        timer.start()
        try:
            return super().getresponse()  # type: ignore[misc]  # this class is a mix-in
        finally:
            timer.cancel()

    def _cut(self) -> None:
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]  # the socket may be closed already


class _Connection(_InTime, HTTPConnection):
    response_class = FinalResponse


class _SecureConnection(_InTime, HTTPSConnection):
    response_class = FinalResponse


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection  # pyright: ignore[reportAssignmentType]  # urllib3 declares a protocol


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection  # pyright: ignore[reportAssignmentType]  # the same
