"""The requirements as items of pytest. Cases run at the same time, as in `hype-contract`; an item waits for its cases.

`fail` is a failed test and `error` an error. `blocked`, `skipped` and `unsupported` are skipped tests with the reason.
A failure that does not count (an extension, a recommendation, an expected failure) is an xfail. The last item is the
verdict, which fails unless it is `conforms`: an incomplete run must not look like success.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting import comparison, files
from hype_contract.reporting.closing import closing_lines, verdict_line
from hype_contract.reporting.document import Document, of_run
from hype_contract.reporting.entries import describe, entry_of, headline
from hype_contract.requirements.requirement import Requirement
from hype_contract.running import target
from hype_contract.running.case_runner import CaseRunner
from hype_contract.running.config import BadAuthorities, UnknownIds, config_of
from hype_contract.running.expectations import BadExpectations
from hype_contract.running.results import CaseResult, Ending, RequirementResult
from hype_contract.running.run import FinishedRun, PlannedRun, known_secrets

_FORMATS = [name for name in files.RENDERERS if name != "junit"]
_NO_COVERAGE = "coverage decides this requirement, and only some cases were selected"
_VERDICT = "verdict"
_ENDED_EARLY = Ending("interrupted", 130, "pytest ended before the run")


class RequirementFailed(Exception):
    """A requirement or the verdict did not pass; the text is its description for people."""


class Session:
    """The run behind the items. It starts with the first item. `stopped`: why the run ended early, or None."""

    def __init__(self, planned: PlannedRun, paths: Mapping[str, Path], earlier: Document | None = None) -> None:
        """Keep what the run needs. earlier: the document of an earlier run, to compare with."""
        self.planned = planned
        self._paths = paths
        self._earlier = earlier
        self._results: dict[str, list[CaseResult]] = defaultdict(list)
        self._expected: Counter[str] = Counter()
        self._begun = self._ended = False
        self.stopped: str | None = None
        self._closing = ExitStack()

    def begin(self, selected: set[str]) -> None:
        """Start the cases of the selected requirements, unless they have started. `selected`: their ids."""
        if self._begun:
            return
        self._begun = True
        if selected != {rule.id for rule in self.planned.applicable}:
            self.planned.narrow(selected)
        self._expected = Counter(case.requirement for case in self.planned.cases)
        self._began, self._started = datetime.now(UTC), time.monotonic()
        self._runner: CaseRunner = self._closing.enter_context(self.planned.case_runner())
        self._stream = self._runner.run_all(self.planned.cases)

    def result(self, requirement: Requirement) -> RequirementResult | None:
        """Wait for the result of a requirement; None if coverage decides it and only some cases run.

        What coverage decides, and what every answer and frame can break, is known at the end of the run.
        """
        if requirement.pair is not None or requirement.watched:
            return next((result for result in self.run.results if result.requirement.id == requirement.id), None)
        results = self._results[requirement.id]
        self._run_until(lambda: len(results) == self._expected[requirement.id])
        return self.planned.evaluate([requirement], results)[0]

    @cached_property
    def run(self) -> FinishedRun:
        """The finished run: the first access waits for its end and writes its reports. Raises `CannotWrite`."""
        self._run_until(lambda: False)
        self._ended = True
        results = [result for some in self._results.values() for result in some]
        run = self.planned.finish(results, self._runner.ledger, self._began, time.monotonic() - self._started)
        files.write(of_run(run), self._paths)
        return run

    def _run_until(self, satisfied: Callable[[], bool]) -> None:
        """Take results until `satisfied` returns True. Skip the test if another plugin has stopped the run before."""
        if self.stopped is not None and not satisfied():
            pytest.skip(f"the run was stopped: {self.stopped}")
        try:
            while not satisfied() and (result := next(self._stream, None)) is not None:
                self._results[result.requirement.id].append(result)
        except BaseException as stopped:  # the timeout of pytest-timeout, for example, which ends the stream of results
            self.stopped = printable(f"{type(stopped).__name__}: {stopped}".rstrip(": "))
            raise

    def heading(self) -> list[str]:
        """Return the line about the target, the profile, the seed and the mode."""
        about, config = self.planned.target, self.planned.config
        urls = "  ".join(map(without_credentials, (about.base_url, about.ws_url)))
        profile = f"{about.profile} profile ({self.planned.secrets.hide(about.profile_reason)})"
        return [printable(f"hype-contract: {urls}, {profile}, seed {config.seed}, mode {config.options.mode}")]

    def summary(self) -> list[str]:
        """Return what has changed, the verdict of each level and the closing lines.

        An interrupted run has none of them.
        """
        if not self._ended:
            return []
        levels = [f"level {level:<11} {part.word}" for level, part in self.run.verdict.levels.items()]
        changed = comparison.changes(self._earlier, of_run(self.run)) if self._earlier else []
        return [*printable(changed), *levels, *closing_lines(self.run)]

    def close(self) -> None:
        """Stop the cases that still run, and close everything that was opened.

        The reports of a run that pytest has ended early, for example by Ctrl+C or `-x`, say so.
        """
        begun = self._begun and not self._ended
        if begun:
            self._stream.close()
        self._closing.close()
        if begun:
            results = [result for some in self._results.values() for result in some]
            seconds = time.monotonic() - self._started
            run = self.planned.finish(results, self._runner.ledger, self._began, seconds, _ENDED_EARLY)
            with suppress(files.CannotWrite):  # pytest has no way to tell by now
                files.write(of_run(run), self._paths)


class Requirements(pytest.Directory):
    """The collector of all requirements that the target must meet."""

    _options: Namespace
    _keep: Callable[[Session], None]

    @classmethod
    def of(
        cls, options: Namespace, path: Path, parent: pytest.Collector, keep: Callable[[Session], None]
    ) -> Requirements:
        """Return the collector.

        `options`: as `arguments.py` declares them. `keep`: gets the session as soon as the target was reached.
        """
        made: Requirements = cls.from_parent(parent, path=path, nodeid="hype_contract")
        made._options, made._keep = options, keep
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """Probe the target, then yield an item per requirement, in the order of their ends, and the verdict."""
        session = self._session()
        self._keep(session)
        planned = session.planned
        cases = defaultdict(list)
        for case in planned.cases:
            cases[case.requirement].append((case.alone, case.order))
        some = [
            rule for rule in planned.applicable if rule.id in cases or not (planned.scope.partial or rule.pair is None)
        ]
        if chosen := self._chosen(some):
            some = chosen
        some.sort(key=lambda rule: (rule.pair is not None or rule.watched, max(cases[rule.id], default=(True, 0))))
        for rule in some:
            yield RequirementItem.of(self, rule, session)
        yield VerdictItem.of(self, session)

    def _chosen(self, rules: Iterable[Requirement]) -> list[Requirement]:
        """Return the requirements that the command names as `hype_contract::ID`; none if it names none."""
        names = {*getattr(self._options, "chosen", ())} - {_VERDICT}
        if unknown := names - {rule.id for rule in rules}:
            raise self.CollectError(f"hype-contract: no requirement of this run is called {', '.join(sorted(unknown))}")
        return [rule for rule in rules if rule.id in names]

    def _session(self) -> Session:
        options = self._options
        try:
            config = config_of(options)
            paths = {name: path for name in _FORMATS if (path := getattr(options, name)) is not None}
            earlier = comparison.read(options.compare) if options.compare else None
            files.prepare(paths)
        except (BadAuthorities, BadExpectations, UnknownIds, comparison.CannotCompare, files.CannotWrite) as wrong:
            raise self.CollectError(f"hype-contract: {wrong}") from None
        try:
            found = target.reach(options.base_url, options.ws_url, options.profile, config.areas, config.options)
            return Session(PlannedRun(found, config), paths, earlier)
        except (target.TargetUnusable, UnknownIds) as unusable:
            sentence = known_secrets(options.base_url, options.ws_url, config.options).hide(str(unusable))
            raise self.CollectError(printable(f"hype-contract: {sentence}")) from None


class _Item(pytest.Item):
    """The base of both kinds of items."""

    hype: Session

    def begin(self) -> None:
        """Start the run if this item is the first."""
        items = self.session.items
        self.hype.begin({item.requirement.id for item in items if isinstance(item, RequirementItem)})

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any, **named: Any) -> Any:
        """Return the description of a failure without a traceback, which would show only the harness."""
        if isinstance(excinfo.value, RequirementFailed):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *arguments, **named)


class RequirementItem(_Item):
    """The item of a requirement."""

    requirement: Requirement
    hype_seconds = 0.0

    @classmethod
    def of(cls, parent: pytest.Collector, requirement: Requirement, session: Session) -> RequirementItem:
        """Return the item, with title, level, strength, area and source as properties for JUnit."""
        made: RequirementItem = cls.from_parent(parent, name=requirement.id)
        made.requirement, made.hype = requirement, session
        for name in ("title", "level", "strength", "area", "source"):
            made.user_properties.append((name, getattr(requirement, name)))
        return made

    def setup(self) -> None:
        """Wait for the result. Raise an error of the harness here, so that pytest reports an error, not a failure."""
        self.begin()
        result = self.hype.result(self.requirement)
        if result is None:
            pytest.skip(_NO_COVERAGE)
        self.hype_seconds = result.seconds
        self._entry = entry_of(result, self.hype.planned)
        if self._entry["outcome"] in ("blocked", "skipped", "unsupported"):
            pytest.skip(self._entry["message"])
        if self._entry["outcome"] == "error":
            self._raise()

    def runtest(self) -> None:
        """Raise the failure, if the requirement failed."""
        if self._entry["outcome"] == "fail":
            self._raise()

    def _raise(self) -> None:
        if not self._entry["counts"]:
            pytest.xfail(self._entry["expectedFailure"] or f"{headline(self._entry)}: {self._entry['message']}")
        raise RequirementFailed("\n".join(describe(self._entry)))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the location; the last part is the heading of a failure."""
        return self.path, None, self.requirement.id


class VerdictItem(_Item):
    """The item of the verdict."""

    @classmethod
    def of(cls, parent: pytest.Collector, session: Session) -> VerdictItem:
        """Return the item."""
        made: VerdictItem = cls.from_parent(parent, name=_VERDICT)
        made.hype = session
        return made

    def runtest(self) -> None:
        """Fail unless the target conforms."""
        self.begin()
        if self.hype.stopped is not None:
            raise RequirementFailed(f"verdict: none, since the run was stopped: {self.hype.stopped}")
        if self.hype.run.verdict.exit_code:
            raise RequirementFailed(verdict_line(self.hype.run))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Return the location; the last part is the heading of a failure."""
        return self.path, None, _VERDICT
