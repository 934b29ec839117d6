"""The case runner, which runs cases against one target and keeps the ledger."""

from __future__ import annotations

import math
import threading
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hype_contract.actors.clients.conditions import CLEANING_S, Abandoned, Conditions, Stop
from hype_contract.actors.clients.rest import NoAnswer
from hype_contract.actors.must import Blameless, Lacking, Skipped, Unsupported, Violation
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case
from hype_contract.contract.areas import Area
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Finding, Ledger, Trace
from hype_contract.requirements.requirement import Level, Requirement, Requirements
from hype_contract.running.company import IN_COMPANY, Company
from hype_contract.running.results import CaseResult, Outcome
from hype_contract.running.watch import Watch
from hype_contract.running.workers import Lane, Workers

MakeWorld = Callable[[str, Conditions], World]

_MOST_STEPS = 40
_MOST_SILENT_CASES = 5
_MOST_TRIES = 3
_ROWS_A_WORKER = 2
"""More rows than workers: while a case takes long, the others wait only for those of its row."""
_BROKEN: tuple[Outcome, ...] = ("fail", "blocked", "error")
INTERRUPTED = "the run was interrupted"
_LEFT_OUT = "left out by --fast"
# `--fast` runs one of so many cases that are alike. The seed decides which.
_ALIKE_PER_FAST_CASE = 10


@dataclass(frozen=True)
class Plan:
    """The plan of a run.

    `workers`: number of cases that run at the same time. `fast`: leave out slow cases. `lacking`: areas that the target
    does not have → the reason. `longest_case_s`, `longest_s`: seconds that a case and the run may take.
    """

    seed: int
    workers: int = 4
    fast: bool = False
    lacking: Mapping[Area, str] = field(default_factory=dict)
    longest_case_s: float = 300.0
    longest_s: float = math.inf


class CaseRunner:
    """The runner of cases against one target. `ledger`: of the cases that have ended."""

    def __init__(
        self,
        make_world: MakeWorld,
        requirements: Requirements,
        plan: Plan,
        watch: Watch | None = None,
        stop: Stop | None = None,
    ) -> None:
        """Keep what the cases need. `make_world`: makes the world of a case from its seed and its conditions.

        `watch`: tells whether the target is there; without it, no failure comes from an outage. `after_outage`: is
        called when the target has come back. `company`: tells whether other clients use the target.
        """
        self.ledger = Ledger()
        self.after_outage: Callable[[], None] = lambda: None
        self.company: Company | None = None
        self._watch = watch
        self._stop = stop or Stop()
        self._make_world = make_world
        self._requirements = requirements
        self._by_pair = {rule.pair: rule.id for rule in requirements if rule.pair}
        self._levels: dict[Pair, Level] = {rule.pair: rule.level for rule in requirements if rule.pair}
        self._scripted: set[str] = set()
        self._plan = plan
        self._rows = _ROWS_A_WORKER * plan.workers
        self._row_of: dict[int, int] = {}
        self._silences = 0
        self._lock = threading.Lock()

    def run_all(self, cases: Iterable[Case]) -> Generator[CaseResult, None, None]:
        """Yield each result as soon as its case ends. Cases that must run alone come last, in order."""
        # A slow case mostly waits, so it begins first and the others run meanwhile.
        every = sorted(cases, key=lambda case: (case.order, not case.slow))
        together = [case for case in every if not case.alone]
        plain = [case for case in together if not case.generates]
        rows = [plain[at :: self._rows] for at in range(self._rows)]
        generating = [case for case in together if case.generates]
        self._row_of = {id(case): at for at, row in enumerate([*rows, generating]) for case in row}
        lanes = [Lane(rows, self._plan.workers), Lane([generating], 1)]
        workers = Workers(self.run_case, self._given_up, self._plan.longest_case_s + 2 * CLEANING_S)
        limit = self._limit()
        try:
            for stage in (lanes, [Lane([[case for case in every if case.alone]], 1)]):
                yield from workers.results(stage)
        except KeyboardInterrupt:
            self._stop.pull(INTERRUPTED)
            raise
        finally:
            limit.cancel()
            self._stop.pull("the run was stopped")
            workers.join(CLEANING_S)

    def _limit(self) -> threading.Timer:
        """Start the timer that stops the run, also in the middle of its cases, when its time is over."""
        seconds = self._plan.longest_s
        reason = f"the time limit of the run, {seconds / 60:g} minutes, is over"
        timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self._stop.pull, [reason])
        timer.daemon = True
        timer.start()
        return timer

    def _given_up(self, case: Case) -> CaseResult:
        reason = f"the case did not come back within {self._plan.longest_case_s:g} s"
        return CaseResult(case, self._requirements[case.requirement], "error", reason)

    def run_case(self, case: Case) -> CaseResult:
        """Run one case and return its result; an exception in it does not stop the run.

        A case that fails while the target is away, or loses a connection, is no breach of the contract: it runs again.
        """
        tries = 1
        while (result := self._try(case, tries)) is None:
            tries += 1
        return result

    def _try(self, case: Case, tries: int) -> CaseResult | None:
        """Run a case, for the `tries`th time; return None if it must run again."""
        requirement = self._requirements[case.requirement]
        if left_out := self._left_out(case, requirement):
            return left_out
        world = self._make_world(self._seed(case), Conditions(self._plan.longest_case_s, self._stop))
        world.row = None if case.alone else self._row_of.get(id(case), 0)
        world.by_the_words = requirement.level == "documented"
        started = time.monotonic()
        result = self._in_company(case, requirement, world)
        if result.outcome in _BROKEN and (met := self._outage(world.conditions, started)):
            if self._stop.reason is not None:
                return CaseResult(case, requirement, "skipped", self._stop.reason)
            if tries < _MOST_TRIES:
                return None
            return CaseResult(case, requirement, "error", f"each time that this case ran, {met}")
        if result.outcome in _BROKEN and world.conditions.lost and tries == 1 and self._watch:
            return None
        result = replace(result, asides=tuple(self._asides(case, requirement, world)))
        if result.silent or not world.conditions.silent:
            self._silences = self._silences + 1 if result.silent else 0
        self._enter(result, world.trace)
        world.release(passed=result.outcome == "pass")
        return _finished(result, world, time.monotonic() - started)

    def _left_out(self, case: Case, requirement: Requirement) -> CaseResult | None:
        """Return the result of a case that does not run, or None."""
        if requirement.area in self._plan.lacking:
            return CaseResult(case, requirement, "unsupported", self._plan.lacking[requirement.area])
        if self._plan.fast and (case.slow or (case.alike and self._is_left_out_of_alike(case))):
            return CaseResult(case, requirement, "skipped", _LEFT_OUT, by_choice=True)
        if self._silences >= _MOST_SILENT_CASES:
            reason = f"the target stopped answering {self._silences} cases ago"
            return CaseResult(case, requirement, "skipped", reason)
        stopped = self._stop.reason
        return None if stopped is None else CaseResult(case, requirement, "skipped", stopped)

    def _outage(self, conditions: Conditions, started: float) -> str | None:
        """Return the outage that a case which has failed has met, in words; None if the target was there all the time.

        A target that is away is waited for.
        """
        if self._watch is None:
            return None
        if not self._watch.look(silent=conditions.silent):
            return self._stop.reason
        if conditions.refused:
            self._watch.note("a connection was refused")
        outage = self._watch.during(started)
        if outage is None:
            return None
        self.after_outage()
        return outage.sentence

    def _asides(self, case: Case, requirement: Requirement, world: World) -> Iterator[CaseResult]:
        """Yield a failure for each other requirement of which the case has seen a breach.

        The first failure of each requirement in a run has a script. Thousands of cases may see the same breach.
        """
        for finding in world.trace.findings.values():
            rule = self._requirements.find(finding.requirement)
            if rule is not None and rule is not requirement:
                failed = _failed(case, rule, finding)
                if self._is_first(rule.id):
                    base_url, transcript = str(world.http.base_url), world.trace.transcript
                    script = transcript.lines(base_url, _MOST_STEPS, finding.step, failed.message)
                    failed = replace(failed, script=tuple(script))
                yield _hidden(failed, world)

    def _is_first(self, id: str) -> bool:
        """Return whether no case has given a script for this requirement yet, and enter that one does."""
        with self._lock:
            first = id not in self._scripted
            self._scripted.add(id)
        return first

    def _enter(self, result: CaseResult, trace: Trace) -> None:
        """Add a case to the ledger. Its failure blames its pair, and casts doubt on others, at its level or beyond."""

        def concerns(pair: Pair) -> bool:
            return result.requirement.speaks_of(self._levels.get(pair, "published"))

        judged = result.outcome in ("fail", "blocked")
        proven = {pair for pair in trace.seen if not concerns(pair)} if judged else set()
        blamed = result.pair if result.pair and concerns(result.pair) else None
        self.ledger.add(trace, passed=result.outcome == "pass", blamed=blamed, proven=proven)

    def _is_left_out_of_alike(self, case: Case) -> bool:
        return zlib.crc32(self._seed(case).encode()) % _ALIKE_PER_FAST_CASE > 0

    def _seed(self, case: Case) -> str:
        return f"{self._plan.seed}/{case.requirement}/{case.name}"

    def _in_company(self, case: Case, requirement: Requirement, world: World) -> CaseResult:
        """Return the result of a case. One that must run alone, and fails beside another client, is skipped."""
        company = self.company if case.alone else None
        if company:
            company.begin()
        result = self._attempt(case, requirement, world)
        if company and result.outcome == "fail" and company.others():
            return CaseResult(case, requirement, "skipped", IN_COMPANY)
        return result

    def _attempt(self, case: Case, requirement: Requirement, world: World) -> CaseResult:
        try:
            return self._run(case, requirement, world)
        except Abandoned as over:
            return CaseResult(case, requirement, "skipped" if self._stop.reason else "error", str(over))
        except Exception as error:  # noqa: BLE001 - a broken case is reported, and the others run
            if isinstance(error, OSError):
                world.conditions.lose(error)
            if finding := next(reversed(world.trace.findings.values()), None):
                # What the case could not read, the latest answer most likely, was wrong.
                return _blocked(case, requirement, finding, finding.requirement)
            reason = f"the harness failed: {type(error).__name__}: {error}"
            return CaseResult(case, requirement, "error", reason)

    def _run(self, case: Case, requirement: Requirement, world: World) -> CaseResult:
        try:
            try:
                case.check(world)
            finally:
                world.close()
        except Violation as violation:
            return self._broken(case, requirement, violation, world.trace.findings)
        except Skipped as skipped:
            by_choice = isinstance(skipped, Blameless)
            return CaseResult(case, requirement, "skipped", str(skipped), by_choice=by_choice)
        except Unsupported as unsupported:
            return CaseResult(case, requirement, "unsupported", str(unsupported))
        if own := world.trace.findings.get(requirement.id):
            return _failed(case, requirement, own)
        if not world.trace.exercised:
            return CaseResult(case, requirement, "error", "the case exercised nothing, so it proves nothing")
        return CaseResult(case, requirement, "pass")

    def _broken(
        self, case: Case, requirement: Requirement, violation: Violation, findings: dict[str, Finding]
    ) -> CaseResult:
        # An operation that was silent before says nothing about the rest of the target.
        silent = isinstance(violation, NoAnswer) and violation.silent and not violation.shortened
        blocker = self._by_pair.get(violation.pair) if violation.pair else None
        if isinstance(violation, Lacking) and findings:
            # The object lacks a member because it is wrong: the breach that names the member says so, or the latest.
            naming = (id for id, finding in findings.items() if violation.member in finding.got)
            blocker = next(naming, next(reversed(findings)))
        if violation.preparing or blocker in findings:
            return replace(_blocked(case, requirement, violation, blocker), silent=silent)
        return replace(_failed(case, requirement, violation), silent=silent)


def _failed(case: Case, requirement: Requirement, wrong: Violation | Finding) -> CaseResult:
    message = f"expected {wrong.expected}, got {wrong.got}"
    return CaseResult(case, requirement, "fail", message, wrong.expected, wrong.got, pair=wrong.pair)


def _blocked(case: Case, requirement: Requirement, wrong: Violation | Finding, blocker: str | None) -> CaseResult:
    message = f"it could not be judged: expected {wrong.expected}, got {wrong.got}"
    return CaseResult(
        case, requirement, "blocked", message, wrong.expected, wrong.got, pair=wrong.pair, waits_for=blocker
    )


def _finished(result: CaseResult, world: World, seconds: float) -> CaseResult:
    transcript, broken = world.trace.transcript, result.outcome in _BROKEN
    wrong = result.message if broken else ""
    script = tuple(transcript.lines(str(world.http.base_url), _MOST_STEPS, wrong=wrong)) if broken else ()
    return _hidden(replace(result, script=script, seconds=seconds), world)


def _hidden(result: CaseResult, world: World) -> CaseResult:
    """Return the result without secrets."""
    hide = world.trace.transcript.secrets.hide
    return replace(result, message=hide(result.message), expected=hide(result.expected), got=hide(result.got))
