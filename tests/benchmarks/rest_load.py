"""A load on an HTTP server: requests over connections that stay open, each sent when the last is answered.

    python -m tests.benchmarks.rest_load PORT SECONDS CONNECTIONS < REQUEST

It sends the bytes of stdin, and prints as JSON how many answers came, in how many seconds, how many were no success,
and the median and the 99th percentile of their delays in milliseconds. It is a process of its own, so that its CPU
time is not the server's.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import cast

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Figures:
    """The counts of a load. failed: the number of answers that were no success."""

    answers: int
    failed: int
    seconds: float
    median_ms: float
    p99_ms: float

    @property
    def per_second(self) -> float:
        """The answers per second."""
        return self.answers / self.seconds


@dataclass
class _Tally:
    until: float
    failed: int = 0
    delays: list[float] = field(default_factory=list)


class _Connection(asyncio.Protocol):
    def __init__(self, request: bytes, tally: _Tally) -> None:
        self._request = request
        self._tally = tally
        self._buffer = b""
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, separator, body = self._buffer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if separator and len(body) >= (int(length[1]) if length else 0):
            self._answered(head)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self._tally.failed += 1
            self.ended.set_result(None)

    def _ask(self) -> None:
        self._buffer, self._asked = b"", time.perf_counter()
        self._transport.write(self._request)

    def _answered(self, head: bytes) -> None:
        now = time.perf_counter()
        self._tally.delays.append(now - self._asked)
        self._tally.failed += not head.startswith(b"HTTP/1.1 2")
        if now < self._tally.until:
            self._ask()
        else:
            self.ended.set_result(None)
            self._transport.close()


async def measure(port: int, request: bytes, seconds: float, connections: int) -> Figures:
    """Send the load from this process, and return its figures."""
    loop, begun = asyncio.get_running_loop(), time.perf_counter()
    tally = _Tally(begun + seconds)
    made = [
        (await loop.create_connection(lambda: _Connection(request, tally), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    await asyncio.wait([each.ended for each in made])
    delays = sorted(tally.delays)
    p99 = delays[min(len(delays) - 1, len(delays) * 99 // 100)]
    taken = time.perf_counter() - begun
    return Figures(len(delays), tally.failed, taken, statistics.median(delays) * 1000, p99 * 1000)


class Load:
    """The load in a process of its own, which starts at once."""

    def __init__(self, port: int, request: bytes, seconds: float, connections: int) -> None:
        command = [sys.executable, "-m", "tests.benchmarks.rest_load", str(port), str(seconds), str(connections)]
        self._request = request
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdin is not None
        self._process.stdin.write(request)
        self._process.stdin.close()

    def figures(self) -> Figures:
        """Wait for its end, and return what it has seen. Raises RuntimeError when a request failed."""
        with self._process:
            assert self._process.stdout is not None
            found = Figures(**json.load(self._process.stdout))
        if found.failed:
            raise RuntimeError(f"{found.failed} of {found.answers} answers were no success: {self._request!r}")
        return found


def main() -> None:
    """Send the load, and print its figures."""
    import uvloop

    port, seconds, connections = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
    print(json.dumps(vars(uvloop.run(measure(port, sys.stdin.buffer.read(), seconds, connections)))))


if __name__ == "__main__":
    main()
