"""The options of a run, for the command line of `hype-contract` and, as `--hype-…`, for that of pytest."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hype_contract.actors.clients.gate import RESERVED
from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES
from hype_contract.requirements.requirement import HIGHEST

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e]+")

_DESCRIPTION = """\
Judge a Hype server, in any language, by openapi.yaml and asyncapi.yaml.

The harness needs only the two URLs. It creates its own users and channels, sends requests and frames, and checks
every answer and every event against the two specs. The target stays usable. The report ends with two tables of the
answers and events that were exercised, and with a verdict.

  hype-contract [run]    judge a target
  hype-contract list     print the requirements, without a target
"""

_EPILOG = """\
examples:
  hype-contract                                                 a server on this machine, on the default ports
  hype-contract --base-url https://chat.example --ws-url wss://chat.example/ws
  hype-contract --area rest                                     a server that has only the REST operations so far
  hype-contract --only R18 --seed 7                             repeat the requirements whose ids begin with R18
  hype-contract --fast --junit report.xml --html report.html    in CI, on every push
  hype-contract --expected-failures known.txt                   adopt the contract step by step
  hype-contract --restart-command 'systemctl restart hype'      judge, too, what survives a restart
  hype-contract list --area gateway                             the requirements for a gateway
  hype-contract list --level documented                         those that the words of the document demand

levels:
  documented  what the words of the document demand. --level documented judges by them alone, so that a server built
              from the document gets a fair verdict
  published   what openapi.yaml and asyncapi.yaml decide beyond them; a server that breaks only such requirements
              "conforms to the document; 12 published requirements broken", exit code 1
  hardened    what the hardened profile adds
  extension   what nobody must offer

exit codes:
  0  conforms
  1  does not conform
  2  the target cannot be used (no server listens, the answers are no JSON, no user can log in …), or it went away in
     the middle of the run, or an option is wrong
  3  incomplete: no requirement failed, but too few were exercised to say that the target conforms, or the target was
     away for a while
  4  a fault of the harness itself (the command with --traceback says more)
  130, 143  interrupted by Ctrl+C or SIGTERM: the reports say what was judged until then

pytest runs a test per requirement (each option begins with --hype-; -k and --junit-xml are options of pytest):
  pytest --pyargs hype_contract --hype-base-url http://localhost:3001 --hype-ws-url ws://localhost:8080

The harness ignores the environment: proxies, .netrc, certificate authorities (see --ca) and hooks. So it cannot judge a
target that only a forward proxy reaches. It reads at most 16 MiB of an answer, for at most 15 seconds, and asks for no
compression; a proxy may compress with gzip all the same.

The report shows the failures first: the rule and its source, the expected and the actual result, and a script that
reproduces it. Names such as $ANN_TOKEN replace tokens and passwords.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of all options of `run` and `list`."""
    made = argparse.ArgumentParser(
        prog="hype-contract",
        usage="hype-contract [run | list] [options]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("command", nargs="?", choices=("run", "list"), default="run", help=argparse.SUPPRESS)
    made.add_argument("--traceback", action="store_true", help="show the traceback of a fault of the harness")
    declare(made.add_argument_group)
    return made


def declare(group: Callable[[str], Any]) -> None:
    """Add every option of a run. `group`: takes a title and returns an argument group, or an object like one."""
    _declare_target(group("target"))
    _declare_scope(group("scope"))
    _declare_run(group("run"))
    _declare_reports(group("reports"))


def _declare_target(group: Any) -> None:
    add = group.add_argument
    add("--base-url", default="http://localhost:3001", metavar="URL", help="the REST API (default %(default)s)")
    add("--ws-url", default="ws://localhost:8080", metavar="URL", help="the gateway (default %(default)s)")
    add(
        "--ca",
        type=Path,
        metavar="FILE",
        help="certificates (PEM) of authorities to trust as well, for a target whose certificate no public one signed",
    )
    add(
        "--header",
        action="append",
        default=[],
        type=_header,
        metavar="'NAME: VALUE'",
        help="a header of each request and handshake, for a gate before the target; reports hide its value; repeatable",
    )
    add(
        "--origin",
        metavar="ORIGIN",
        help="the frontend's origin that the target allows, sent with each request (default: none is sent)",
    )
    add(
        "--profile",
        choices=("auto", *PROFILES),
        default="auto",
        help="the contract: documented (works today) or hardened (with all plans); auto asks the target (default)",
    )
    add(
        "--jwt-access-secret",
        metavar="SECRET",
        help="the secret with which the target signs access tokens (HS256); needed to judge expired and forged tokens",
    )
    add("--jwt-refresh-secret", metavar="SECRET", help="the same for refresh tokens")
    add(
        "--access-lifetime",
        type=_positive_seconds,
        metavar="SECONDS",
        help="the access tokens of this target expire after so many seconds, not after 15 minutes; cases wait for it",
    )
    add(
        "--restart-command",
        metavar="COMMAND",
        help="a shell command that restarts the target and ends within two minutes; with it, cases judge what survives "
        "a restart, such as 'docker compose restart server'",
    )


def _declare_scope(group: Any) -> None:
    add = group.add_argument
    add("--area", action="append", choices=AREAS, help="judge only this area; repeatable (default: all areas)")
    add(
        "--only",
        action="append",
        default=[],
        metavar="ID",
        help="judge only ids that begin with ID; repeatable",
    )
    add(
        "--level",
        choices=HIGHEST,
        default=HIGHEST[-1],
        help="judge only up to this level: documented (the words of the document), published (the specs too), or "
        "hardened (all, default)",
    )
    add("--extensions", action="store_true", help="extensions count for the verdict, too")
    add(
        "--expected-failures",
        type=Path,
        metavar="FILE",
        help="requirements that may fail: an id per line, the reason after a #; the report names those that pass",
    )


def _declare_run(group: Any) -> None:
    add = group.add_argument
    modes = group.add_mutually_exclusive_group()
    modes.add_argument(
        "--fast",
        dest="mode",
        action="store_const",
        const="fast",
        default="default",
        help="a first result within a minute: fewer inputs, no slow cases",
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
    add(
        "--workers",
        type=_positive,
        default=4,
        metavar="N",
        help="cases that run at the same time (default %(default)s)",
    )
    add(
        "--time-limit",
        type=_positive,
        default=120,
        metavar="MINUTES",
        help="end the run after so many minutes; what is not judged by then makes it incomplete (default %(default)s)",
    )


def _declare_reports(group: Any) -> None:
    add = group.add_argument
    add(
        "--json",
        type=Path,
        metavar="FILE",
        help="the whole report, for programs (schema: hype_contract/reporting/report.schema.json)",
    )
    add("--junit", type=Path, metavar="FILE", help="JUnit XML, a test case per requirement")
    add("--html", type=Path, metavar="FILE", help="a page for people")
    add("--badge", type=Path, metavar="FILE", help="an SVG badge")
    add("--markdown", type=Path, metavar="FILE", help="the verdict and the causes, for the summary of a CI job")
    add("--compare", type=Path, metavar="FILE", help="say what has changed since the run with this report.json")


def _header(text: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not colon or not _HEADER_NAME.fullmatch(name) or not value or not _HEADER_VALUE.fullmatch(value):
        raise argparse.ArgumentTypeError("it must be of the form 'Name: value', in ASCII")
    if name.lower() == "authorization":
        # One header cannot carry both, and many requirements are about the tokens in it.
        raise argparse.ArgumentTypeError(
            "Authorization carries the tokens of the harness's users, so no gate can use it: let the gate ask for "
            "another header, such as 'Proxy-Authorization: Basic ...' or 'X-Gate: secret'"
        )
    if name.lower() in RESERVED:
        raise argparse.ArgumentTypeError(f"the cases set {name} themselves")
    return name, value


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("it must be at least 1")
    return number


def _positive_seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 120:
        raise argparse.ArgumentTypeError("it must be more than 0 and at most 120, since cases wait for it")
    return seconds
