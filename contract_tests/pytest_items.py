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

from contract_tests import target
from contract_tests.expectations import BadExpectations
from contract_tests.judgement import Judged
from contract_tests.ordering import order_of
from contract_tests.printable import printable
from contract_tests.pytest_plugin import SESSION
from contract_tests.report import failure, files
from contract_tests.report.document import of_run
from contract_tests.requirements import Requirement
from contract_tests.run import Judging, Run, confidential
from contract_tests.runner import Result, Runner
from contract_tests.transcript import without_credentials

_FORMATS = [name for name in files.RENDERERS if name != "junit"]
_NO_COVERAGE = "it is judged by what all cases show, and only some were to run"
_VERDICT = "verdict"


class NotKept(Exception):
    """What came of a requirement that did not pass; the text is for people."""


class Session:
    """The run behind the items. It begins with the first of them."""

    def __init__(self, judging: Judging, places: Mapping[str, Path]) -> None:
        self.judging = judging
        self._places = places
        self._results: dict[str, list[Result]] = defaultdict(list)
        self._expected: Counter[str] = Counter()
        self._begun = self._ended = False
        self._closing = ExitStack()

    def begin(self, selected: set[str]) -> None:
        """Start the cases of what is selected; once."""
        if self._begun:
            return
        self._begun = True
        if selected != {one.id for one in self.judging.applicable}:
            self.judging.narrow(selected)
        self._expected = Counter(one.requirement for one in self.judging.cases)
        self._began, self._started = datetime.now(UTC), time.monotonic()
        self._runner: Runner = self._closing.enter_context(self.judging.running())
        self._stream = self._runner.run(self.judging.cases)

    def judged(self, requirement: Requirement) -> Judged | None:
        """What came of it, as soon as that is known; None where only a whole run could tell."""
        if requirement.pair is not None:
            return next((one for one in self.run.judged if one.requirement.id == requirement.id), None)
        results = self._results[requirement.id]
        self._run_until(lambda: len(results) == self._expected[requirement.id])
        return self.judging.judge([requirement], results)[0]

    @cached_property
    def run(self) -> Run:
        """The whole run, at its end; its reports are written. Raises `CannotWrite`."""
        self._run_until(lambda: False)
        self._ended = True
        results = [result for some in self._results.values() for result in some]
        run = self.judging.finish(results, self._runner.ledger, self._began, time.monotonic() - self._started)
        files.write(of_run(run), self._places)
        return run

    def _run_until(self, satisfied: Callable[[], bool]) -> None:
        while not satisfied() and (result := next(self._stream, None)) is not None:
            self._results[result.requirement.id].append(result)

    def heading(self) -> list[str]:
        """What is judged, and how to do it again."""
        about, order = self.judging.target, self.judging.order
        urls = "  ".join(map(without_credentials, (about.base_url, about.ws_url)))
        profile = f"{about.profile} profile ({self.judging.secrets.hide(about.why)})"
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

    _asked: Namespace

    @classmethod
    def of(cls, options: Namespace, path: Path, parent: pytest.Collector) -> Requirements:
        """`options`: as `arguments.py` declares them."""
        made: Requirements = cls.from_parent(parent, path=path, nodeid="contract_tests")
        made._asked = options
        return made

    def collect(self) -> Iterator[pytest.Item]:
        """An item each, in the order in which they will be known, and the verdict. Asks the target for its profile."""
        session = self.config.stash[SESSION] = self._session()
        judging = session.judging
        cases = defaultdict(list)
        for case in judging.cases:
            cases[case.requirement].append((case.alone, case.order))
        some = [one for one in judging.applicable if one.id in cases or not (judging.scope.partial or one.pair is None)]
        some.sort(key=lambda one: (one.pair is not None, max(cases[one.id], default=(True, 0))))
        for one in some:
            yield RequirementItem.of(self, one, session)
        yield VerdictItem.of(self, session)

    def _session(self) -> Session:
        asked = self._asked
        try:
            order = order_of(asked)
            places = {name: place for name in _FORMATS if (place := getattr(asked, name)) is not None}
            files.prepare(places)
        except (BadExpectations, files.CannotWrite) as wrong:
            raise self.CollectError(f"hype-contract: {wrong}") from None
        try:
            found = target.reach(asked.base_url, asked.ws_url, asked.profile, order.areas)
        except target.TargetUnusable as unusable:
            sentence = confidential(asked.base_url, asked.ws_url, order.options).hide(str(unusable))
            raise self.CollectError(printable(f"hype-contract: {sentence}")) from None
        return Session(Judging(found, order), places)


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
        judged = self.hype.judged(self.requirement)
        if judged is None:
            pytest.skip(_NO_COVERAGE)
        self.hype_seconds = judged.seconds
        self._entry = failure.entry(judged, self.hype.judging)
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


def _in_words(run: Run) -> str:
    reasons = f": {'; '.join(printable(run.verdict.reasons))}" if run.verdict.reasons else ""
    return f"verdict: {run.verdict.word}{reasons}   ({run.seconds:.0f} s)"
