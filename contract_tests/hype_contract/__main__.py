"""The command `hype-contract`, which judges a running Hype server by its URLs."""

from __future__ import annotations

import argparse
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
    from hype_contract.reporting.document import Unusable, of_run, of_unusable
    from hype_contract.running import expectations, target, verdict
    from hype_contract.running.order import Order, order_of
    from hype_contract.running.run import PlannedRun, confidential
except ModuleNotFoundError as missing:  # installed for its server alone
    print(
        f"hype-contract: {(missing.name or 'a library').partition('.')[0]} is not installed. Run: {_HOW_TO_INSTALL}",
        file=sys.stderr,
    )
    raise SystemExit(2) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the harness; return the exit code (see `--help`)."""
    # Without a handler, Python writes what libraries log of a target's text to stderr, as it is.
    logging.getLogger().addHandler(logging.NullHandler())
    options = arguments.parser().parse_args(argv)
    if options.command == "list":
        return listing.show(sys.stdout, options.profile, options.area or AREAS, options.only)
    try:
        order = order_of(options)
        places = {name: place for name in files.RENDERERS if (place := getattr(options, name)) is not None}
        files.prepare(places)
        return _judge(options, order, places)
    except (expectations.BadExpectations, files.CannotWrite) as wrong:
        return _refuse(str(wrong))


def _judge(options: argparse.Namespace, order: Order, places: Mapping[str, Path]) -> int:
    began, started = datetime.now(UTC), time.monotonic()
    try:
        found = target.reach(options.base_url, options.ws_url, options.profile, order.areas)
    except target.TargetUnusable as unusable:
        sentence = confidential(options.base_url, options.ws_url, order.options).hide(str(unusable))
        attempt = Unusable(options.base_url, options.ws_url, options.profile, order, began, sentence)
        files.write(of_unusable(attempt, time.monotonic() - started), places)
        return _refuse(sentence)
    planned = PlannedRun(found, order)
    console = Console(sys.stdout, planned)
    console.begin()
    run = planned.execute(console.progress)
    console.end(run)
    files.write(of_run(run), places)
    return run.verdict.exit_code


def _refuse(sentence: str) -> int:
    print(printable(f"hype-contract: {sentence}"), file=sys.stderr)
    return verdict.UNUSABLE


if __name__ == "__main__":
    sys.exit(main())
