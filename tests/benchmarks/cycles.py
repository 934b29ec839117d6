"""Whether joining and leaving leaks: what a server and its workers hold before and after a thousand calls.

    python -m tests.benchmarks.cycles [--cycles 1000]

Each cycle is two people of their own in a voice channel of its own: sockets, transports over real DTLS, a microphone
and who hears it; then their connections drop. The table shows the processes' memory and open descriptors, and how many
transports, producers and consumers the workers still know of.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import httpx

from contract_tests.media.stage import callers
from tests.benchmarks.harness import server
from tests.running import Running

_WARM = 50
"""Cycles before the first look: pools, caches and arenas are filled once."""


def cycle(target: Running, number: int) -> None:
    """Two people meet, one is heard by the other, and both drop."""
    world = target.world(f"cycle/{number}")
    ann, bob = callers(world, "ann", "bob")
    sound = ann.produce("audio")
    bob.consume(sound).begins(sound)
    world.close()


def looks(target: Running) -> dict[str, float]:
    """Sums over the server and its workers, and what the workers know of. Waits until they know of no transport."""
    while (gauges := _gauges(target))["transports"]:
        pass
    every = [Path(f"/proc/{pid}") for pid in (target.process.pid, *_children(target.process.pid))]
    return {
        "memory (MB, resident)": sum(_resident_kb(one) for one in every) / 1000,
        "descriptors": sum(len(list((one / "fd").iterdir())) for one in every),
        "threads": sum(len(list((one / "task").iterdir())) for one in every),
        **gauges,
    }


def _gauges(target: Running) -> dict[str, float]:
    lines = httpx.get(f"{target.url}/metrics").text.splitlines()
    gauges = {"transports": 0.0, "producers": 0.0, "consumers": 0.0, "connections": 0.0}
    for line in lines:
        gauge = line.partition("{")[0].partition(" ")[0].rpartition("_")[2]
        if gauge in gauges and not line.startswith("#"):
            gauges[gauge] += float(line.rpartition(" ")[2])
    return gauges


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident_kb(process: Path) -> int:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cycles", type=int, default=1000, help="how many (default %(default)s)")
    count = parser.parse_args().cycles
    with tempfile.TemporaryDirectory() as folder, server("documented", Path(folder)) as target:
        seen = {}
        for moment, several in (("before", _WARM), ("after", count)):
            for number in range(several):
                cycle(target, number)
                if number % 100 == 99:
                    print(f"{number + 1} cycles", flush=True)
            seen[moment] = looks(target)
    print(f"{'':<24} {'before':>10} {'after':>10}   ({count} cycles between)")
    for name, before in seen["before"].items():
        print(f"{name:<24} {before:>10.1f} {seen['after'][name]:>10.1f}")


if __name__ == "__main__":
    main()
