"""`python -m tests.benchmarks.recorded FILE …`: `hype-contract …`, with all that it sends written to FILE.

Each line is a JSON list of four texts: how it was sent, the request line, the headers and the body. Octets that a case
writes by itself, and media, are not in it.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import httpcore
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from websockets.sync.client import ClientConnection

from hype_contract.__main__ import main

_LEFT_OUT = ("host", "content-length", "x-schemathesis-testcaseid")
"""Headers that say nothing of the request, or only how long its ids are."""


class Recorder:
    """A record of what the HTTP and WebSocket clients of this process send."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out
        self._lock = threading.Lock()

    def install(self) -> None:
        """Record from now on."""
        self._record_cases()
        self._record_generated_requests()
        self._record_frames()

    def _record_cases(self) -> None:
        send = httpcore.ConnectionPool.handle_request

        def sent(pool: httpcore.ConnectionPool, request: httpcore.Request) -> httpcore.Response:
            assert isinstance(request.stream, Iterable)
            pieces = list(request.stream)
            request.stream = _Again(pieces)
            line = f"{request.method.decode()} {request.url.target.decode('latin-1')}"
            headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in request.headers]
            self._note("HTTP", line, headers, b"".join(pieces))
            return send(pool, request)

        httpcore.ConnectionPool.handle_request = sent  # type: ignore[method-assign, assignment]

    def _record_generated_requests(self) -> None:
        send = HTTPAdapter.send

        def sent(adapter: HTTPAdapter, request: PreparedRequest, **how: Any) -> Response:
            headers = [(name, value) for name, value in request.headers.items()]
            body = request.body if isinstance(request.body, str | bytes) else b""
            self._note("generated", f"{request.method} {request.path_url}", headers, body)
            return send(adapter, request, **how)

        HTTPAdapter.send = sent  # type: ignore[method-assign, assignment]

    def _record_frames(self) -> None:
        send = ClientConnection.send

        def sent(connection: ClientConnection, message: Any, text: bool | None = None) -> None:
            self._note("frame", "", [], message if isinstance(message, str | bytes) else "".join(message))
            send(connection, message, text=text)

        ClientConnection.send = sent  # type: ignore[method-assign, assignment]

    def _note(self, how: str, line: str, headers: Iterable[tuple[str, Any]], body: str | bytes) -> None:
        text = body if isinstance(body, str) else body.decode("latin-1")
        fields = sorted(f"{name}: {value}".lower() for name, value in headers if name.lower() not in _LEFT_OUT)
        with self._lock:
            self._out.write(json.dumps([how, line, ", ".join(fields), text]) + "\n")


class _Again:
    """The pieces of a body, as often as they are asked for."""

    def __init__(self, pieces: Sequence[bytes]) -> None:
        self._pieces = pieces

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._pieces)


if __name__ == "__main__":
    with Path(sys.argv[1]).open("w") as out:
        Recorder(out).install()
        code = main(sys.argv[2:])
    sys.exit(code)
