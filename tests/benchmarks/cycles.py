"""A search for leaks in joining and leaving: what a server and its workers hold before and after a thousand calls.

    python -m tests.benchmarks.cycles [--cycles 1000] [--warm 100]

Each cycle is two people of their own in a voice channel of its own: sockets, transports over real DTLS, a microphone
and who hears it; then their connections drop. The table has a column per process: its memory, descriptors, threads,
ports and asyncio tasks, and how many transports, producers and consumers it still knows of.

The look `before` comes after some cycles, several at a time, and some more, one after the other: they fill what is
filled once and for all, such as the pools of threads that ask the database (up to 8 to read, 8 to write and 8 that
wait for media, each begun when the others are busy, each with its own connection). What still grows between the looks
grows with the number of cycles if it is a leak: compare `--cycles 1000` with `--cycles 3000`. The database itself
grows, by two users and their sessions a cycle, as nobody deletes them.

The exit code is 1, and what is left is printed, when transports or connections are still known a minute after the
last cycle.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx

from hype_contract.actors.clients.http import connect
from hype_contract.actors.world import World
from hype_contract.cases.media.peers import peers
from hype_contract.recording.secrecy import Secrets
from tests.benchmarks.processes import children, held
from tests.running import LOG, UNLIMITED, Running, begin

_AT_ONCE = 8
"""As many as each pool of the server has threads."""
_TIMEOUT_S = 60
_LOOK_S = 6
"""Workers say every five seconds how they are."""

_SERVER = {
    "hype_event_loop_tasks": "tasks",
    "hype_media_transports": "transports",
    "hype_media_producers": "producers",
    "hype_media_consumers": "consumers",
    "hype_gateway_connections": "gateway connections",
}
_MUST_GO = ("transports", "producers", "consumers", "gateway connections")
_GAUGE = re.compile(r'^(?:hype_media_worker_(\w+)(?<!_total)\{pid="(\d+)"\}|(hype_\w+)) (\S+)$', re.MULTILINE)

Look = dict[str, dict[str, float]]
"""The number of each kind of thing that a process holds, by the names of both."""


class Leaked(Exception):
    """A thing that should have gone is still there."""


def cycle(target: Running, number: int) -> None:
    """Have two users meet, one hear the other, and both drop."""
    with connect(target.url) as http:
        world = World(target.contract, http, target.ws_url, f"cycle/{number}", Secrets())
        try:
            ann, bob = peers(world, "ann", "bob")
            sound = ann.produce("audio")
            bob.consume(sound).wait_for(sound)
        finally:
            world.close()


def run(target: Running, numbers: Iterable[int]) -> None:
    """Run one cycle after the other."""
    for number in numbers:
        cycle(target, number)
        if number % 100 == 99:
            print(f"{number + 1} cycles", file=sys.stderr, flush=True)


def look(target: Running) -> Look:
    """Return what each process holds once all calls have ended. Raises Leaked when they have not after a minute."""
    limit = time.monotonic() + _TIMEOUT_S
    while left := _left(gauges(target)):
        if time.monotonic() > limit:
            raise Leaked(f"still there {_TIMEOUT_S} s after the last cycle: {', '.join(left)}")
        time.sleep(0.1)  # noqa: TID251 - `/metrics` is asked, it does not tell
    time.sleep(_LOOK_S)  # noqa: TID251 - so that workers have spoken since
    known = gauges(target)
    return {name: {**held(pid), **known.get(name, {})} for name, pid in processes(target).items()}


def processes(target: Running) -> dict[str, int]:
    """Return the process ids of the server and its workers."""
    pid = target.process.pid
    return {"server": pid, **{f"worker {n}": each for n, each in enumerate(sorted(children(pid)), 1)}}


def gauges(target: Running) -> Look:
    """Return what each process says of itself."""
    text = httpx.get(f"{target.url}/metrics").raise_for_status().text
    names = {str(pid): name for name, pid in processes(target).items()}
    known: Look = {}
    for thing, pid, own, number in _GAUGE.findall(text):
        if pid in names:
            known.setdefault(names[pid], {})[thing] = float(number)
        elif own in _SERVER:
            known.setdefault("server", {})[_SERVER[own]] = float(number)
    return known


def _left(known: Look) -> list[str]:
    return [
        f"{things[thing]:.0f} {thing} ({name})"
        for name, things in known.items()
        for thing in _MUST_GO
        if things.get(thing)
    ]


def table(before: Look, after: Look) -> Iterable[str]:
    """Return the lines of the table."""
    yield f"{'':<22}" + "".join(f"{name:>20}" for name in before)
    for thing in dict.fromkeys(thing for things in before.values() for thing in things):
        cells = (_cell(before[name], after.get(name, {}), thing) for name in before)
        yield f"{thing:<22}" + "".join(f"{cell:>20}" for cell in cells)


def _cell(before: Mapping[str, float], after: Mapping[str, float], thing: str) -> str:
    if thing not in before or thing not in after:
        return "-"
    digits = 1 if "MB" in thing else 0
    return f"{before[thing]:.{digits}f} → {after[thing]:.{digits}f}"


def _compared(target: Running, warm: int, count: int) -> tuple[Look, Look]:
    with ThreadPoolExecutor(_AT_ONCE) as several:
        list(several.map(lambda number: cycle(target, number), range(warm // 2)))
    run(target, range(warm // 2, warm))
    before = look(target)
    began = time.monotonic()
    run(target, range(count))
    print(f"{(time.monotonic() - began) / count * 1000:.0f} ms a cycle", file=sys.stderr)
    return before, look(target)


@contextmanager
def serving(folder: Path) -> Iterator[Running]:
    """Yield a server with `/metrics`, which the documented profile does not have, on SQLite."""
    environment = {"DATABASE_URL": f"sqlite:///{folder / 'hype.db'}", "HYPE_PROFILE": "hardened", **UNLIMITED}
    running = Running(begin(folder, environment), folder / LOG, "hardened")
    try:
        yield running
    finally:
        running.stop()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cycles", type=int, default=1000, help="between the two looks (default %(default)s)")
    parser.add_argument("--warm", type=int, default=100, help="before the first look (default %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as target:
        try:
            before, after = _compared(target, options.warm, options.cycles)
        except Leaked as leaked:
            print(leaked, file=sys.stderr)
            return 1
    print(f"{options.cycles} cycles between the looks, {options.warm} before the first (half of them 8 at a time)")
    print("\n".join(table(before, after)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
