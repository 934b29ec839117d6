"""`hype-contract`: judge a running Hype server by its URLs."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

_HOW_TO_INSTALL = "pip install 'hype[contract]' (in a checkout: pip install -c constraints.txt -e '.[contract]')"

try:
    from contract_tests import arguments, contract, expectations, listing, target, verdict
    from contract_tests.contract import AREAS
    from contract_tests.options import Options
    from contract_tests.profile import PROFILES
    from contract_tests.report import files
    from contract_tests.report.console import Console
    from contract_tests.report.document import Unusable, of_run, of_unusable
    from contract_tests.run import Judging, Order, confidential, known_ids
except ModuleNotFoundError as missing:  # installed for its server alone
    print(
        f"hype-contract: {(missing.name or 'a library').partition('.')[0]} is not installed. Run: {_HOW_TO_INSTALL}",
        file=sys.stderr,
    )
    raise SystemExit(2) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the harness; the exit code (see `--help`)."""
    options = arguments.parser().parse_args(argv)
    areas = options.area or list(AREAS)
    if options.command == "list":
        return listing.show(sys.stdout, options.profile, areas, options.only)
    try:
        order = _order(options, areas)
        places = {name: place for name in files.RENDERERS if (place := getattr(options, name)) is not None}
        files.prepare(places)
        return _judge(options, order, places)
    except (expectations.BadExpectations, files.CannotWrite) as wrong:
        return _refuse(str(wrong))


def _order(options: argparse.Namespace, areas: Sequence[contract.Area]) -> Order:
    expected = options.expected_failures
    return Order(
        areas,
        options.seed if options.seed is not None else secrets.randbelow(2**31),
        options.only,
        options.extensions,
        options.workers,
        Options(
            options.mode,
            _bytes(options.jwt_access_secret),
            _bytes(options.jwt_refresh_secret),
            options.access_lifetime,
        ),
        expectations.read(expected, known_ids(PROFILES)) if expected else {},
    )


def _judge(options: argparse.Namespace, order: Order, places: Mapping[str, Path]) -> int:
    began, started = datetime.now(UTC), time.monotonic()
    try:
        found = target.reach(options.base_url, options.ws_url, options.profile, order.areas)
    except target.TargetUnusable as unusable:
        sentence = confidential(options.base_url, options.ws_url, order.options).hide(str(unusable))
        attempt = Unusable(options.base_url, options.ws_url, options.profile, order, began, sentence)
        files.write(of_unusable(attempt, time.monotonic() - started), places)
        return _refuse(sentence)
    judging = Judging(found, order)
    console = Console(sys.stdout, judging)
    console.begin()
    run = judging.run(console.progress)
    console.end(run)
    files.write(of_run(run), places)
    return run.verdict.exit_code


def _refuse(sentence: str) -> int:
    print(f"hype-contract: {sentence}", file=sys.stderr)
    return verdict.UNUSABLE


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None


if __name__ == "__main__":
    sys.exit(main())
