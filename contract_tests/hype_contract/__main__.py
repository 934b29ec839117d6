"""The command `hype-contract`, which judges a running Hype server by its URLs."""

from __future__ import annotations

import argparse
import logging
import sys
import time
import traceback
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
    from hype_contract.reporting import comparison, files, streams
    from hype_contract.reporting.console import Console
    from hype_contract.reporting.document import Document, UnbegunRun, of_run, of_unbegun
    from hype_contract.running import expectations, target, verdict
    from hype_contract.running.config import BadAuthorities, RunConfig, UnknownIds, config_of
    from hype_contract.running.garbage import seldom_collected
    from hype_contract.running.interruption import Interrupted, interruptible
    from hype_contract.running.results import Ending
    from hype_contract.running.run import PlannedRun, known_secrets
except ModuleNotFoundError as missing:  # only the server was installed
    print(
        f"hype-contract: {(missing.name or 'a library').partition('.')[0]} is not installed. Run: {_HOW_TO_INSTALL}",
        file=sys.stderr,
    )
    raise SystemExit(2) from None


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code (see `--help`)."""
    # Without a handler, Python writes the log records of libraries to stderr, with the target's text unchanged in them.
    logging.getLogger().addHandler(logging.NullHandler())
    streams.make_lasting()
    options = arguments.parser().parse_args(argv)
    try:
        with interruptible():
            exit_code = _command(options)
        if reason := streams.lost():
            streams.complain(f"hype-contract: a part of the report is not on stdout: {reason}.")
        return exit_code
    except (
        comparison.CannotCompare,
        expectations.BadExpectations,
        BadAuthorities,
        UnknownIds,
        files.CannotWrite,
    ) as wrong:
        return _refuse(str(wrong))
    except Interrupted as interrupted:
        return _refuse(f"{interrupted}.", interrupted.exit_code)
    except Exception as error:  # noqa: BLE001 - exit code 1 says something about the target
        return _break(error, options)


def _command(options: argparse.Namespace) -> int:
    if options.command == "list":
        return listing.show(sys.stdout, options.profile, options.area or AREAS, options.only, options.level)
    config = config_of(options)
    paths = {name: path for name in files.RENDERERS if (path := getattr(options, name)) is not None}
    earlier = comparison.read(options.compare) if options.compare else None
    files.prepare(paths)
    return _Judgement(options, config, paths, earlier).judge()


_KILLED = 137  # a process that SIGKILL ends


class _Judgement:
    """The judgement of one target, which leaves a true report in each file whatever happens."""

    def __init__(
        self,
        options: argparse.Namespace,
        config: RunConfig,
        paths: Mapping[str, Path],
        earlier: Document | None = None,
    ) -> None:
        self._earlier = earlier
        self._options = options
        self._config = config
        self._paths = paths
        self._began, self._started = datetime.now(UTC), time.monotonic()

    def judge(self) -> int:
        """Run all cases, report them and return the exit code."""
        try:
            # A process that is killed leaves this, and not the report of an earlier run.
            self._write(Ending("interrupted", _KILLED, "the run has not come to its end"))
            return self._judge()
        except (target.TargetUnusable, UnknownIds) as unusable:
            return self._end(Ending("unusable", verdict.UNUSABLE, str(unusable)))
        except Interrupted as interrupted:
            return self._end(Ending("interrupted", interrupted.exit_code, f"{interrupted}."))
        except files.CannotWrite:
            raise
        except Exception as error:
            self._write(Ending("unusable", verdict.BROKEN, _fault(error)))
            raise

    def _judge(self) -> int:
        options = self._options
        config = self._config
        found = target.reach(options.base_url, options.ws_url, options.profile, config.areas, config.options)
        planned = PlannedRun(found, self._config)
        console = Console(sys.stdout, planned, self._earlier)
        planned.announce = console.announce
        console.begin()
        with seldom_collected():
            finished = planned.execute(console.progress)
        try:
            files.write(of_run(finished), self._paths)
            self._paths = {}  # whatever happens now, these reports stay
        finally:
            console.end(finished)
        return finished.verdict.exit_code

    def _end(self, ending: Ending) -> int:
        return _refuse(self._write(ending), ending.exit_code)

    def _write(self, ending: Ending) -> str:
        """Write the reports of a run that has judged nothing; return the reason without secrets."""
        options = self._options
        sentence = known_secrets(options.base_url, options.ws_url, self._config.options).hide(ending.reason)
        ending = Ending(ending.word, ending.exit_code, sentence)
        run = UnbegunRun(options.base_url, options.ws_url, options.profile, self._config, self._began, ending)
        files.write(of_unbegun(run, time.monotonic() - self._started), self._paths)
        return sentence


def _refuse(sentence: str, exit_code: int = verdict.UNUSABLE) -> int:
    streams.complain(printable(f"hype-contract: {sentence}"))
    return exit_code


def _fault(error: Exception) -> str:
    return f"a fault of hype-contract, and not of the target: {type(error).__name__}: {error}".rstrip(" .:") + "."


def _break(error: Exception, options: argparse.Namespace) -> int:
    if options.traceback:
        streams.complain(printable("".join(traceback.format_exception(error))).replace("\\n", "\n"))
        how = "please report it with the text above"
    else:
        how = "please report it with what the same command says with --traceback"
    return _refuse(f"{_fault(error)} To have it mended, {how}.", verdict.BROKEN)


if __name__ == "__main__":
    sys.exit(main())
