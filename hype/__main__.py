"""The command line `hype`: argv → Config → a command."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterator, Sequence

import yaml

from hype import config, server, spec
from hype.config import Config
from hype.database import Database
from hype.errors import StartError
from hype.event_loop import new_event_loop
from hype.models.migrate import migrate
from hype.telemetry import logs

__all__ = ["main"]

_DESCRIPTION = """\
Hype is the reference server of a Discord-like API. Its contract is openapi.yaml (REST) and asyncapi.yaml (WebSocket).

  hype serve                       REST on port 3001, gateway on 8080, data in ./hype.db
  PORT=8000 hype serve             the same on another port; settings are environment variables
  curl http://localhost:3001/api   what it serves

To check any server against the contract, see `hype-contract --help`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return the exit code.

    0: done. 1: could not start. 2: wrong usage (argparse). 130: stopped by a second signal.
    """
    options = _parser().parse_args(arguments)
    command: Callable[[argparse.Namespace], None] = options.command
    try:
        command(options)
    except StartError as error:
        print(f"hype: {error}", file=sys.stderr)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        print("hype: stopped without waiting for requests in progress.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("hype", description=_DESCRIPTION, formatter_class=argparse.RawTextHelpFormatter)
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    variables = f"environment (a .env file in the working directory is read too):\n{config.environment_table()}"
    for name, command, summary, details in (
        ("serve", _serve, "serve REST and gateway until SIGTERM or Ctrl+C", variables),
        ("migrate", _migrate, "bring the database of DATABASE_URL up to date (`serve` does it too)", ""),
        ("seed", _seed, "store the default server and its channels (`serve` does it too); repeatable", ""),
    ):
        sub = commands.add_parser(
            name, help=summary, description=summary, epilog=details, formatter_class=argparse.RawTextHelpFormatter
        )
        sub.set_defaults(command=command)
    sub = commands.add_parser("spec", help="print a spec as it stands for one profile")
    sub.add_argument("which", choices=["openapi", "asyncapi"])
    sub.add_argument("--profile", choices=["documented", "hardened"], default="hardened")
    sub.set_defaults(command=_spec)
    return parser


def _serve(options: argparse.Namespace) -> None:
    if sys.platform == "win32":
        raise StartError("Windows has no links to media workers. On Windows, run Hype in WSL 2 or in a container.")
    settings = Config.load()
    _set_up_logs(settings)
    if settings.generated_secrets:
        print(
            "hype: JWT_ACCESS_SECRET and JWT_REFRESH_SECRET are not set. Hype uses random ones until the next start; "
            "then all users must log in again.",
            file=sys.stderr,
        )
    with asyncio.Runner(loop_factory=new_event_loop) as runner:
        runner.run(server.serve(settings))


def _migrate(options: argparse.Namespace) -> None:
    with _open_database() as database:
        applied = migrate(database)
        print("\n".join(f"applied {name}" for name in applied) or "Nothing to do.")
        print(f"{database.name} is up to date.")


def _seed(options: argparse.Namespace) -> None:
    with _open_database() as database:
        server.prepare(database)
        print(f"The default server and its channels are in {database.name}.")


def _spec(options: argparse.Namespace) -> None:
    print(yaml.safe_dump(spec.document(f"{options.which}.yaml", options.profile), sort_keys=False, allow_unicode=True))


@contextlib.contextmanager
def _open_database() -> Iterator[Database]:
    settings = Config.load()
    _set_up_logs(settings)
    database = Database(settings.database_url)
    database.open()
    try:
        yield database
    finally:
        database.close()


def _set_up_logs(settings: Config) -> None:
    logs.set_up(settings.log_level, json_lines=settings.env == "production")


if __name__ == "__main__":
    sys.exit(main())
