"""Requirements as pytest's items. Cases run side by side, as they do in `hype-contract`; an item waits for its own.

`fail` is a failed test, `error` an error, `skipped` and `unsupported` are skipped with the reason; what fails and does
not count (an extension, a recommendation, an expected failure) is an xfail. The last item is the verdict, which fails
where it is not `conforms`: a run that showed too little must not look like success.
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from hype_contract.recording.printable import printable
from hype_contract.recording.secrecy import without_credentials
from hype_contract.reporting import failure, files
from hype_contract.reporting.document import of_run
from hype_contract.requirements.requirement import Requirement
from hype_contract.running import target
from hype_contract.running.case_runner import CaseRunner
from hype_contract.running.expectations import BadExpectations
from hype_contract.running.order import order_of
from hype_contract.running.results import CaseResult, RequirementResult
from hype_contract.running.run import FinishedRun, PlannedRun, confidential

_FORMATS = [name for name in files.RENDERERS if name != "junit"]
_NO_COVERAGE = "it is judged by what all cases show, and only some were to run"
_VERDICT = "verdict"


class NotKept(Exception):
    """What came of a requirement that did not pass; the text is for people."""


class Session:
    """The run behind the items. It begins with the first of them."""

    def __init__(self, planned: PlannedRun, places: Mapping[str, Path]) -> None:
        self.planned = planned
        self._places = places
        self._results: dict[str, list[CaseResult]] = defaultdict(list)
        self._expected: Counter[str] = Counter()
        self._begun = self._ended = False
        self._closing = ExitStack()

    def begin(self, selected: set[str]) -> None:
        """Start the cases of what is selected; once."""
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
        """Return its result, as soon as that is known; None where only a whole run could tell."""
        if requirement.pair is not None:
            return next((result for result in self.run.results if result.requirement.id == requirement.id), None)
        results = self._results[requirement.id]
        self._run_until(lambda: len(results) == self._expected[requirement.id])
        return self.planned.evaluate([requirement], results)[0]

    @cached_property
    def run(self) -> FinishedRun:
        """The whole run, at its end; its reports are written. Raises `CannotWrite`."""
        self._run_until(lambda: False)
        self._ended = True
        results = [result for some in self._results.values() for result in some]
        run = self.planned.finish(results, self._runner.ledger, self._began, time.monotonic() - self._started)
        files.write(of_run(run), self._places)
        return run

    def _run_until(self, satisfied: Callable[[], bool]) -> None:
        while not satisfied() and (result := next(self._stream, None)) is not None:
            self._results[result.requirement.id].append(result)

    def heading(self) -> list[str]:
        """What is judged, and how to do it again."""
        about, order = self.planned.target, self.planned.order
        urls = "  ".join(map(without_credentials, (about.base_url, about.ws_url)))
        profile = f"{about.profile} profile ({self.planned.secrets.hide(about.why)})"
        return self._lines(f"hype-contract: {urls}, {profile}, seed {order.seed}, mode {order.options.mode}")

    def summary(self) -> list[str]:
        """The verdict and its reasons; nothing if the run was broken off."""
        if not self._ended:
            return []
        verdict = self.run.verdict
        stale = [f"passed although it was expected to fail: {id} (take it off the list)" for id in self.run.stale]
        notes = [f"note: {note}" for note in verdict.notes]
        levels = [f"level {level:<11} {part.word}" for level, part in verdict.levels.items()]
        return self._lines(*stale, *notes, *levels, _in_words(self.run))

    @staticmethod
    def _lines(*lines: str) -> list[str]:
        written: list[str] = printable(lines)
        return written

    def close(self) -> None:
        """Stop what runs, and close what was opened."""
        if self._begun and not self._ended:
            self._stream.close()
        self._closing.close()


class Requirements(pytest.Directory):
    """All requirements that the target has to keep."""

    _options: Namespace
    _keep: Callable[[Session], None]

    @classmethod
    def of(
        cls, options: Namespace, path: Path, parent: pytest.Collector, keep: Callable[[Session], None]
    ) -> Requirements:
        """`options`: as `arguments.py` declares them; `keep` gets the session as soon as the target was reached."""
        made: Requirements = cls.from_parent(parent, path=path, nodeid="hype_contract")
        made._options, made._keep = options, keep
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """An item each, in the order in which they will be known, and the verdict. Asks the target for its profile."""
        session = self._session()
        self._keep(session)
        planned = session.planned
        cases = defaultdict(list)
        for case in planned.cases:
            cases[case.requirement].append((case.alone, case.order))
        some = [
            rule for rule in planned.applicable if rule.id in cases or not (planned.scope.partial or rule.pair is None)
        ]
        some.sort(key=lambda rule: (rule.pair is not None, max(cases[rule.id], default=(True, 0))))
        for rule in some:
            yield RequirementItem.of(self, rule, session)
        yield VerdictItem.of(self, session)

    def _session(self) -> Session:
        options = self._options
        try:
            order = order_of(options)
            places = {name: place for name in _FORMATS if (place := getattr(options, name)) is not None}
            files.prepare(places)
        except (BadExpectations, files.CannotWrite) as wrong:
            raise self.CollectError(f"hype-contract: {wrong}") from None
        try:
            found = target.reach(options.base_url, options.ws_url, options.profile, order.areas)
        except target.TargetUnusable as unusable:
            sentence = confidential(options.base_url, options.ws_url, order.options).hide(str(unusable))
            raise self.CollectError(printable(f"hype-contract: {sentence}")) from None
        return Session(PlannedRun(found, order), places)


class _Item(pytest.Item):
    """What the items have in common."""

    hype: Session

    def begin(self) -> None:
        """Start the run, if this item is the first."""
        items = self.session.items
        self.hype.begin({item.requirement.id for item in items if isinstance(item, RequirementItem)})

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], *arguments: Any, **named: Any) -> Any:
        """The story without a traceback, which would be the harness's own."""
        if isinstance(excinfo.value, NotKept):
            return str(excinfo.value)
        return super().repr_failure(excinfo, *arguments, **named)


class RequirementItem(_Item):
    """One requirement."""

    requirement: Requirement
    hype_seconds = 0.0

    @classmethod
    def of(cls, parent: pytest.Collector, requirement: Requirement, session: Session) -> RequirementItem:
        """Level, strength, area and source go into JUnit as properties."""
        made: RequirementItem = cls.from_parent(parent, name=requirement.id)
        made.requirement, made.hype = requirement, session
        for name in ("title", "level", "strength", "area", "source"):
            made.user_properties.append((name, getattr(requirement, name)))
        return made

    def setup(self) -> None:
        """Wait for what comes of it. What the harness could not do is an error, not a failure."""
        self.begin()
        result = self.hype.result(self.requirement)
        if result is None:
            pytest.skip(_NO_COVERAGE)
        self.hype_seconds = result.seconds
        self._entry = failure.entry(result, self.hype.planned)
        if self._entry["outcome"] in ("skipped", "unsupported"):
            pytest.skip(self._entry["message"])
        if self._entry["outcome"] == "error":
            self._tell()

    def runtest(self) -> None:
        """Tell what came."""
        if self._entry["outcome"] == "fail":
            self._tell()

    def _tell(self) -> None:
        if not self._entry["counts"]:
            pytest.xfail(self._entry["expectedFailure"] or f"{failure.headline(self._entry)}: {self._entry['message']}")
        raise NotKept("\n".join(failure.lines(self._entry)))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The heading of its failure."""
        return self.path, None, self.requirement.id


class VerdictItem(_Item):
    """What all of them come to."""

    @classmethod
    def of(cls, parent: pytest.Collector, session: Session) -> VerdictItem:
        """One a run."""
        made: VerdictItem = cls.from_parent(parent, name=_VERDICT)
        made.hype = session
        return made

    def runtest(self) -> None:
        """Pass where the target conforms."""
        self.begin()
        if self.hype.run.verdict.exit_code:
            raise NotKept(_in_words(self.hype.run))

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """The heading of its failure."""
        return self.path, None, _VERDICT


def _in_words(run: FinishedRun) -> str:
    reasons = f": {'; '.join(printable(run.verdict.reasons))}" if run.verdict.reasons else ""
    return f"verdict: {run.verdict.word}{reasons}   ({run.seconds:.0f} s)"
