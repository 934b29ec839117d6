"""The command `hype-contract`, which judges a running Hype server by its URLs."""

from __future__ import annotations

import argparse
import io
import logging
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

_HOW_TO_INSTALL = (
    "pip install 'hype-backend[contract]' (in a checkout: pip install -c constraints.txt -e '.[contract]')"
)

try:
    from hype_contract.command import arguments, listing
    from hype_contract.contract.areas import AREAS
    from hype_contract.recording.printable import printable
    from hype_contract.reporting import files
    from hype_contract.reporting.console import Console
    from hype_contract.reporting.document import UnusableRun, of_run, of_unusable
    from hype_contract.running import expectations, target, verdict
    from hype_contract.running.config import BadAuthorities, RunConfig, config_of
    from hype_contract.running.run import PlannedRun, known_secrets
except ModuleNotFoundError as missing:  # only the server was installed
    print(
        f"hype-contract: {(missing.name or 'a library').partition('.')[0]} is not installed. Run: {_HOW_TO_INSTALL}",
        file=sys.stderr,
    )
    raise SystemExit(2) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (see `--help`)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal of a legacy code page lacks characters of the report
            stream.reconfigure(errors="replace")
    # Without a handler, Python writes the log records of libraries to stderr, with the target's text unchanged in them.
    logging.getLogger().addHandler(logging.NullHandler())
    options = arguments.parser().parse_args(argv)
    if options.command == "list":
        return listing.show(sys.stdout, options.profile, options.area or AREAS, options.only)
    try:
        config = config_of(options)
        paths = {name: path for name in files.RENDERERS if (path := getattr(options, name)) is not None}
        files.prepare(paths)
        return _judge(options, config, paths)
    except (expectations.BadExpectations, BadAuthorities, files.CannotWrite) as wrong:
        return _refuse(str(wrong))


def _judge(options: argparse.Namespace, config: RunConfig, paths: Mapping[str, Path]) -> int:
    began, started = datetime.now(UTC), time.monotonic()
    try:
        found = target.reach(options.base_url, options.ws_url, options.profile, config.areas)
    except target.TargetUnusable as unusable:
        sentence = known_secrets(options.base_url, options.ws_url, config.options).hide(str(unusable))
        run = UnusableRun(options.base_url, options.ws_url, options.profile, config, began, sentence)
        files.write(of_unusable(run, time.monotonic() - started), paths)
        return _refuse(sentence)
    planned = PlannedRun(found, config)
    console = Console(sys.stdout, planned)
    console.begin()
    finished = planned.execute(console.progress)
    console.end(finished)
    files.write(of_run(finished), paths)
    return finished.verdict.exit_code


def _refuse(sentence: str) -> int:
    print(printable(f"hype-contract: {sentence}"), file=sys.stderr)
    return verdict.UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
