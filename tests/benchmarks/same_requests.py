"""Does a seed send the same requests to two fresh targets?

    python -m tests.benchmarks.same_requests                      `--fast` and default, both with seed 1
    python -m tests.benchmarks.same_requests --mode fast --show 40

Each run judges a reference server of its own: hardened, on SQLite. What the target gives, or what must be new, is no
difference: ids, tokens, unique names, passwords, keys of media and times. Neither is the order, since cases run beside
each other. The figure is the share of the requests and frames of both runs without an equal in the other one.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from tests.benchmarks.harness import MODES, server
from tests.running import SECRETS, Running

_NEW_EACH_TIME: tuple[tuple[str, str], ...] = (
    (r"eyj[\w-]*\.[\w-]*\.[\w-]*", "<token>"),
    (r"(?<![a-z0-9])c[a-z0-9]{22,25}(?![a-z0-9])", "<id>"),
    (r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>"),
    (r"(?<![a-z0-9])[0-9a-f]{12}(?=case|(?![a-z0-9]))", "<new>"),
    (r'(?<="username": ")[\w-]{3,32}(?=")', "<new>"),
    (r'(?<=password": ")[\w-]{16,17}(?=")', "<new>"),
    (r"(?:[0-9a-f]{2}:){31}[0-9a-f]{2}", "<fingerprint>"),
    (r'(?<="ssrc": )\d{5,}', "<ssrc>"),
    (r"20\d\d-\d\d-\d\dt[\d:.]+z?", "<time>"),
    (r"127\.0\.0\.1:\d+", "<host>"),
)
_PATTERNS = [(re.compile(pattern, re.IGNORECASE), name) for pattern, name in _NEW_EACH_TIME]


def judged(target: Running, mode: str, seed: int, record: Path) -> int:
    """Judge the target, with all that the harness sends in `record`; return the exit code."""
    urls = ["--base-url", target.url, "--ws-url", target.ws_url, "--profile", target.profile]
    secrets = [f"--jwt-{name}-secret={SECRETS[f'JWT_{name.upper()}_SECRET']}" for name in ("access", "refresh")]
    command = [sys.executable, "-m", "tests.benchmarks.recorded", str(record), *urls, *secrets, "--seed", str(seed)]
    return subprocess.run([*command, *MODES[mode]], stdout=subprocess.DEVNULL, check=False).returncode


def requests(record: Path) -> Iterator[str]:
    """Yield each request of a record, without what is new each time."""
    with record.open() as lines:
        for line in lines:
            how, head, headers, body = json.loads(line)
            # A body in UTF-16 has a NUL in each character of an id.
            text = "\n".join((how, unquote(head), headers, body.replace("\0", "")))
            for pattern, name in _PATTERNS:
                text = pattern.sub(name, text)
            yield text


def compared(mode: str, seed: int, show: int) -> None:
    """Judge two fresh targets, and print how many requests differ and some of them."""
    sent: list[Counter[str]] = []
    codes = []
    for _ in range(2):
        with tempfile.TemporaryDirectory() as made:
            folder = Path(made)
            with server("hardened", folder, postgresql=False) as target:
                codes.append(judged(target, mode, seed, folder / "record"))
            sent.append(Counter(requests(folder / "record")))
    one, other = sent
    sides = {"-": one - other, "+": other - one}
    differ = sum(side.total() for side in sides.values())
    share = differ / max(1, one.total() + other.total())
    print(f"{mode:<8} {one.total():>7} {other.total():>7} {differ:>7} {share:>8.2%}   exit {codes[0]} and {codes[1]}")
    for sign, side in sides.items():
        for text, count in side.most_common(show):
            how, head, _, body = text.split("\n", 3)
            print(f"   {sign} {count} × {how} {head} {body}"[:300].rstrip())
    sys.stdout.flush()


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mode", nargs="+", choices=MODES, default=["fast", "default"])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=10, help="how many requests without an equal (default %(default)s)")
    options = parser.parse_args()
    print(f"{'mode':<8} {'first':>7} {'second':>7} {'differ':>7} {'share':>8}")
    for mode in options.mode:
        compared(mode, options.seed, options.show)
    return 0


if __name__ == "__main__":
    sys.exit(main())
