"""`hype-contract`: judge a running Hype server by its URLs."""

from __future__ import annotations

import argparse
import secrets
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from tempfile import TemporaryDirectory
from typing import Any

_HOW_TO_INSTALL = "pip install 'hype[contract]' (in a checkout: pip install -c constraints.txt -e '.[contract]')"

try:
    from hypothesis.configuration import set_hypothesis_home_dir

    from contract_tests import contract, requirements, target, verdict
    from contract_tests.clients.rest import connect
    from contract_tests.contract import AREAS
    from contract_tests.people import World
    from contract_tests.profile import PROFILES
    from contract_tests.report.console import Console
    from contract_tests.runner import Result, Runner, chosen, every_case
    from contract_tests.transcript import Secrets
except ModuleNotFoundError as missing:  # installed for its server alone
    print(
        f"hype-contract: {(missing.name or 'a library').partition('.')[0]} is not installed. Run: {_HOW_TO_INSTALL}",
        file=sys.stderr,
    )
    raise SystemExit(2) from None

_DESCRIPTION = """\
Judge a Hype server, in whatever language it is written, by openapi.yaml and asyncapi.yaml.

It makes its own users and channels, asks and listens, and checks every answer and every event against the two
specs. It needs nothing but the two URLs, and leaves the target usable. It ends with two tables of what was really
exercised, and a verdict.
"""

_EPILOG = """\
examples:
  hype-contract                                                 a server on this machine, on the usual ports
  hype-contract --base-url https://chat.example --ws-url wss://chat.example/ws
  hype-contract --area rest                                     you have built the REST half so far
  hype-contract --only R18 --seed 7                             the requirements whose ids begin with R18, again

exit codes:
  0  conforms
  1  does not conform, or too much could not be exercised to say so
  2  the target cannot be used (nothing listens, no JSON, nobody can log in …), or the options are wrong

Failures come first in the report: the rule and its source, what was expected, what came, and the requests and frames
that show it. Tokens and passwords are replaced by names.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the harness; the exit code (see `--help`)."""
    options = _parser().parse_args(argv)
    seed = options.seed if options.seed is not None else secrets.randbelow(2**31)
    areas = options.area or list(AREAS)
    try:
        found = target.reach(options.base_url, options.ws_url, options.profile, areas)
    except target.TargetUnusable as unusable:
        print(f"hype-contract: {unusable}", file=sys.stderr)
        return verdict.UNUSABLE
    return _judge(found, areas, options, seed)


def _judge(found: target.Target, areas: list[contract.Area], options: argparse.Namespace, seed: int) -> int:
    law = contract.load(found.profile)
    rules = requirements.load(law)
    cases = chosen(every_case(law), rules, law, areas, options.only)
    console = Console(sys.stdout, seed)
    console.begin(found, len(cases))
    with ExitStack() as stack:
        # Hypothesis leaves a directory where it runs unless told of another place.
        set_hypothesis_home_dir(stack.enter_context(TemporaryDirectory(prefix="hype-contract-")))
        http = stack.enter_context(connect(found.base_url))
        kept = Secrets()
        runner = Runner(
            lambda own: World(law, http, found.ws_url, own, kept, options.effort), rules, seed, options.workers
        )
        results: list[Result] = []
        for result in runner.run(cases):
            results.append(result)
            console.progress(result)
    scope = verdict.Scope(areas, partial=bool(options.only), extensions=options.extensions)
    decision = verdict.decide(results, runner.ledger, law, scope)
    console.end(results, runner.ledger, law, decision)
    return decision.exit_code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="hype-contract",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add: Any = parser.add_argument
    add("--base-url", default="http://localhost:3001", metavar="URL", help="the REST API (default %(default)s)")
    add("--ws-url", default="ws://localhost:8080", metavar="URL", help="the gateway (default %(default)s)")
    add(
        "--profile",
        choices=("auto", *PROFILES),
        default="auto",
        help="the contract to judge by: what works today, or with every hardening; auto asks the target (default)",
    )
    add("--area", action="append", choices=AREAS, help="judge this part only; may be repeated (default: all)")
    add("--only", action="append", default=[], metavar="ID", help="only requirements whose id begins so; repeatable")
    add("--seed", type=int, metavar="N", help="the same seed sends the same requests (default: a new one, printed)")
    add("--extensions", action="store_true", help="what is no part of the seed must work too")
    add("--effort", type=_positive, default=1, metavar="N", help="N times as many generated requests and frames")
    add("--workers", type=_positive, default=4, metavar="N", help="cases side by side (default %(default)s)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main())
