"""`hype-contract`: judge a running Hype server by its URLs."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence

_HOW_TO_INSTALL = "pip install 'hype[contract]' (in a checkout: pip install -c constraints.txt -e '.[contract]')"

try:
    from contract_tests import arguments, contract, expectations, listing, target, verdict
    from contract_tests.contract import AREAS
    from contract_tests.options import Options
    from contract_tests.profile import PROFILES
    from contract_tests.report.console import Console
    from contract_tests.run import Judging, Order, known_ids
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
        found = target.reach(options.base_url, options.ws_url, options.profile, areas)
    except (target.TargetUnusable, expectations.BadExpectations) as unusable:
        print(f"hype-contract: {unusable}", file=sys.stderr)
        return verdict.UNUSABLE
    return _judge(Judging(found, order), options)


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


def _judge(judging: Judging, options: argparse.Namespace) -> int:
    console = Console(sys.stdout, judging)
    console.begin()
    run = judging.run(console.progress)
    console.end(run)
    return run.verdict.exit_code


def _bytes(secret: str | None) -> bytes | None:
    return secret.encode() if secret is not None else None


if __name__ == "__main__":
    sys.exit(main())
