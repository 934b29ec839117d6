"""The cost of a REST request: requests per second, and the server's CPU time per request.

    python -m tests.benchmarks.rest                             on PostgreSQL and on SQLite
    python -m tests.benchmarks.rest --growth                    the same requests with few rows and with many
    python -m tests.benchmarks.rest --writers 1000              how long a reader waits while SQLite is written to

The load comes from a process of its own over connections that stay open. Its last column is the CPU time as a multiple
of the floor's: Falcon on uvicorn with one path and no database, which takes its turns in the same run. Figures are
medians of the rounds. On a machine that does other work, trust the CPU columns, and of those the ratios.

With `--growth` each request is measured with 60 and 1,000,000 messages in the channel, 10 and 100,000 users, and 10 and
1,000 channels, and the plan of each statement is printed. What has the same answer must cost the same; lists that
answer with more rows are marked. The database of a run is new; PostgreSQL does not wait for the disk.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks.processes import cpu_s
from tests.benchmarks.rest_load import Load
from tests.benchmarks.rest_rows import ROOM, Rows, explained
from tests.databases import postgresql
from tests.running import LOG, UNLIMITED, Running, begin

_FEW = {"messages": 60, "users": 10, "channels": 10}
_MANY = {"messages": 1_000_000, "users": 100_000, "channels": 1_000}


@dataclass(frozen=True)
class Server:
    """A server that is measured."""

    port: int
    pid: int


@dataclass(frozen=True)
class Case:
    """A request that is measured. note: what to know of it when rows become more."""

    name: str
    path: str
    body: object = None
    note: str = ""

    def octets(self, token: str) -> bytes:
        """Return the request as it is sent."""
        head = f"{self.name.split()[0]} {self.path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        if self.body is None:
            return f"{head}\r\n".encode()
        text = json.dumps(self.body)
        return f"{head}Content-Type: application/json\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()


_MORE_ROWS = "more rows in the answer"

FLOOR = Case("GET /health", "/health")
CASES = (
    FLOOR,
    Case("GET /api/messages (50)", f"/api/messages?channelId={ROOM}", note="60 → 1,000,000 messages"),
    Case("GET /api/users (100)", "/api/users?limit=100", note=_MORE_ROWS),
    Case("GET /api/channels (all)", "/api/channels", note=_MORE_ROWS),
    Case("GET /auth/me", "/auth/me"),
    Case("POST /api/messages", "/api/messages", {"content": "hello world", "channelId": "text-random"}),
)
GROWING = (*CASES, Case("GET /api/users (10)", "/api/users?limit=10", note="10 → 100,000 users"))


@dataclass(frozen=True)
class Cost:
    """The medians of a case."""

    per_second: float
    cpu_us: float


class Bench:
    """The way to measure. rounds: of each case. seconds: of each round."""

    def __init__(self, rounds: int, seconds: float, connections: int) -> None:
        """Take the options."""
        self._rounds, self._seconds, self._connections = rounds, seconds, connections

    def costs(self, turns: Sequence[tuple[Server, bytes]]) -> list[Cost]:
        """Measure requests by turns, so that other work of the machine meets all."""
        rounds = [[self._once(server, request) for server, request in turns] for _ in range(self._rounds)]
        return [Cost(*map(statistics.median, zip(*each, strict=True))) for each in zip(*rounds, strict=True)]

    def _once(self, server: Server, request: bytes) -> tuple[float, float]:
        before = cpu_s(server.pid)
        found = Load(server.port, request, self._seconds, self._connections).figures()
        return found.per_second, (cpu_s(server.pid) - before) / found.answers * 1e6


@contextmanager
def floor() -> Iterator[Server]:
    """Run the floor."""
    command = [sys.executable, "-m", "tests.benchmarks.rest_floor"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Server(int(process.stdout.readline()), process.pid)
        process.communicate()


@contextmanager
def reference(url: str, folder: Path) -> Iterator[tuple[Server, str]]:
    """Run the reference on a new database; yield it and the token of a guest."""
    running = Running(begin(folder, {"DATABASE_URL": url, **UNLIMITED}), folder / LOG, "hardened")
    try:
        guest = httpx.post(f"{running.url}/auth/guest", json={"username": "measuring"}).raise_for_status()
        yield Server(running.port, running.process.pid), guest.json()["data"]["accessToken"]
    finally:
        running.stop()


@contextmanager
def database(kind: str, folder: Path) -> Iterator[str]:
    """Yield the URL of a new database."""
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'hype.db'}"
    else:
        with postgresql() as server:
            yield server.get_uri()


def table(kind: str, bench: Bench, url: str, folder: Path) -> None:
    """Print what each request costs, beside the floor."""
    with floor() as least, reference(url, folder) as (server, token):
        Rows(url).fill(users=125, messages=60)
        print(f"{kind:<26}{'per s':>8}{'CPU µs':>9}{'floors':>8}")
        for case in CASES:
            ours, below = bench.costs([(server, case.octets(token)), (least, FLOOR.octets(token))])
            print(
                f"{case.name:<26}{ours.per_second:>8.0f}{ours.cpu_us:>9.0f}{ours.cpu_us / below.cpu_us:>8.1f}",
                flush=True,
            )
        print(f"{'(floor)':<26}{below.per_second:>8.0f}{below.cpu_us:>9.0f}{1:>8.1f}\n", flush=True)


def growth(kind: str, bench: Bench, url: str, folder: Path) -> None:
    """Print what each list costs with few rows and with many, and the plans of its statements."""
    with reference(url, folder) as (server, token):
        rows = Rows(url)
        found: dict[str, list[float]] = {case.name: [] for case in GROWING}
        for size in (_FEW, _MANY):
            rows.fill(**size)
            for case in GROWING:
                (cost,) = bench.costs([(server, case.octets(token))])
                found[case.name].append(cost.cpu_us)
        print(f"{kind:<26}{'few µs':>9}{'many µs':>9}{'ratio':>7}")
        for case in GROWING:
            few, many = found[case.name]
            print(f"{case.name:<26}{few:>9.0f}{many:>9.0f}{many / few:>7.2f}  {case.note}")
    for operation, lines in explained(url).items():
        print(f"\n{operation}")
        print("\n".join(f"    {line}" for line in lines))
    print(flush=True)


def writers(count: int, seconds: float, url: str, folder: Path) -> None:
    """Print how long a reader waits while so many writes are in flight."""
    with reference(url, folder) as (server, token):
        Rows(url).fill(users=1, messages=60)
        read, write = (case.octets(token) for case in (CASES[1], CASES[-1]))
        alone = Load(server.port, read, seconds, 1).figures()
        writing = Load(server.port, write, seconds + 2, count)
        beside = Load(server.port, read, seconds, 1).figures()
        written = writing.figures()
    print(f"SQLite, GET /api/messages: median and p99 in ms; {written.per_second:.0f} writes per second")
    for name, each in (("alone", alone), (f"{count} writers", beside)):
        print(f"{name:<26}{each.median_ms:>9.1f}{each.p99_ms:>9.1f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", nargs="+", choices=["postgresql", "sqlite"], default=["postgresql", "sqlite"])
    parser.add_argument("--rounds", type=int, default=5, help="of each request (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=2.0, help="of each round (default %(default)s)")
    parser.add_argument("--connections", type=int, default=16, help="that ask at once (default %(default)s)")
    parser.add_argument("--growth", action="store_true", help="compare few rows with many, and print plans")
    parser.add_argument("--writers", type=int, metavar="N", help="measure a reader beside N writers on SQLite")
    options = parser.parse_args()
    bench = Bench(options.rounds, options.seconds, options.connections)
    if options.writers:
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))  # a writer is a socket, here and in the server
        with tempfile.TemporaryDirectory() as name, database("sqlite", Path(name)) as url:
            writers(options.writers, options.seconds, url, Path(name))
        return
    show: Callable[[str, Bench, str, Path], None] = growth if options.growth else table
    print(f"medians of {options.rounds} rounds of {options.seconds} s, {options.connections} connections")
    for kind in options.database:
        with tempfile.TemporaryDirectory() as name, database(kind, Path(name)) as url:
            show(kind, bench, url, Path(name))


if __name__ == "__main__":
    main()
