"""The options of a run, on the command line of `hype-contract` and, as `--hype-…`, on that of pytest."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES

_DESCRIPTION = """\
Judge a Hype server, in whatever language it is written, by openapi.yaml and asyncapi.yaml.

It makes its own users and channels, asks and listens, and checks every answer and every event against the two
specs. It needs nothing but the two URLs, and leaves the target usable. It ends with two tables of what was really
exercised, and a verdict.

  hype-contract [run]    judge a target
  hype-contract list     print the requirements that it would be judged by
"""

_EPILOG = """\
examples:
  hype-contract                                                 a server on this machine, on the usual ports
  hype-contract --base-url https://chat.example --ws-url wss://chat.example/ws
  hype-contract --area rest                                     you have built the REST half so far
  hype-contract --only R18 --seed 7                             the requirements whose ids begin with R18, again
  hype-contract --fast --junit report.xml --html report.html    in CI, on every push
  hype-contract --expected-failures known.txt                   adopt the contract step by step
  hype-contract list --area gateway                             what is demanded of a gateway

exit codes:
  0  conforms
  1  does not conform
  2  the target cannot be used (nothing listens, no JSON, nobody can log in …), or the options are wrong
  3  incomplete: nothing is broken, but too much could not be exercised to say that it conforms

in pytest, a test per requirement (the options with --hype- before them; -k and --junit-xml are pytest's own):
  pytest --pyargs hype_contract --hype-base-url http://localhost:3001 --hype-ws-url ws://localhost:8080

Nothing of the environment reaches the target but what an option names: no proxy, no .netrc, no certificate authorities
of one's own, no hooks. A target that can be reached through a proxy alone cannot be judged. An answer is read up to
16 MiB and 15 seconds, as it comes: compressed ones are not asked for.

Failures come first in the report: the rule and its source, what was expected, what came, and the requests and frames
that show it. Tokens and passwords are replaced by names.
"""


def parser() -> argparse.ArgumentParser:
    """All options of `run` and `list`."""
    made = argparse.ArgumentParser(
        prog="hype-contract",
        usage="hype-contract [run | list] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("command", nargs="?", choices=("run", "list"), default="run", help=argparse.SUPPRESS)
    declare(made.add_argument_group)
    return made


def declare(group: Callable[[str], Any]) -> None:
    """Add every option of a run. `group`: makes an argument group of a title, or what looks like one."""
    _about_the_target(group("the target"))
    _about_what_is_judged(group("what is judged"))
    _about_the_run(group("the run"))
    _about_reports(group("reports"))


def _about_the_target(group: Any) -> None:
    add = group.add_argument
    add("--base-url", default="http://localhost:3001", metavar="URL", help="the REST API (default %(default)s)")
    add("--ws-url", default="ws://localhost:8080", metavar="URL", help="the gateway (default %(default)s)")
    add(
        "--profile",
        choices=("auto", *PROFILES),
        default="auto",
        help="the contract to judge by: what works today, or with every hardening; auto asks the target (default)",
    )
    add(
        "--jwt-access-secret",
        metavar="SECRET",
        help="what the target signs access tokens with (HS256): expired tokens and forged claims are judged with it",
    )
    add("--jwt-refresh-secret", metavar="SECRET", help="the same for refresh tokens")
    add(
        "--access-lifetime",
        type=_positive_seconds,
        metavar="SECONDS",
        help="the target's access tokens expire so soon, instead of the contract's 15 minutes: expiry is waited for",
    )


def _about_what_is_judged(group: Any) -> None:
    add = group.add_argument
    add("--area", action="append", choices=AREAS, help="judge this part only; may be repeated (default: all)")
    add("--only", action="append", default=[], metavar="ID", help="only requirements whose id begins so; repeatable")
    add("--extensions", action="store_true", help="what is no part of the seed must work too")
    add(
        "--expected-failures",
        type=Path,
        metavar="FILE",
        help="requirements that may fail, one id a line, the reason behind a #; those that pass are named",
    )


def _about_the_run(group: Any) -> None:
    add = group.add_argument
    modes = group.add_mutually_exclusive_group()
    modes.add_argument(
        "--fast",
        dest="mode",
        action="store_const",
        const="fast",
        default="default",
        help="a first answer in seconds: fewer inputs, no waits",
    )
    modes.add_argument(
        "--thorough",
        dest="mode",
        action="store_const",
        const="thorough",
        default="default",
        help="ten times as many generated inputs",
    )
    add("--seed", type=int, metavar="N", help="the same seed sends the same requests (default: a new one, printed)")
    add("--workers", type=_positive, default=4, metavar="N", help="cases side by side (default %(default)s)")


def _about_reports(group: Any) -> None:
    add = group.add_argument
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="everything, for programs (schema: hype_contract/reporting/report.schema.json)",
    )
    add("--junit", type=Path, metavar="FILE", help="JUnit XML, a test case per requirement")
    add("--html", type=Path, metavar="FILE", help="one page for people")
    add("--badge", type=Path, metavar="FILE", help="an SVG badge")


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _positive_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 120:
        raise argparse.ArgumentTypeError("more than 0 and at most 120: expiry is waited for")
    return seconds
