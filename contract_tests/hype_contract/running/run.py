"""A run of the harness, from the target to the verdict. The command and the pytest plugin both use it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import httpx

from hype_contract.actors.clients.conditions import Conditions, Stop
from hype_contract.actors.clients.http import connect
from hype_contract.actors.fixtures import SharedFixtures
from hype_contract.actors.options import Options
from hype_contract.actors.promises.witness import Witness
from hype_contract.actors.world import Shared, World
from hype_contract.cases import catalogue
from hype_contract.cases.registry import Case, chosen, every_case
from hype_contract.contract import specs
from hype_contract.contract.profile import PROFILES
from hype_contract.contract.specs import Contract
from hype_contract.recording.ledger import Ledger
from hype_contract.recording.secrecy import SHORTEST_SECRET_VALUE, Secrets, credentials, header_variable
from hype_contract.requirements.requirement import HIGHEST, Requirement
from hype_contract.running import expectations, groups, verdict
from hype_contract.running.attribution import attributed
from hype_contract.running.case_runner import INTERRUPTED, CaseRunner, MakeWorld, Plan
from hype_contract.running.company import Company
from hype_contract.running.config import RunConfig, UnknownIds
from hype_contract.running.evaluation import Coverage, evaluate
from hype_contract.running.groups import Group
from hype_contract.running.interruption import Interrupted
from hype_contract.running.results import CaseResult, Ending, RequirementResult
from hype_contract.running.scratch import scratch
from hype_contract.running.target import Target
from hype_contract.running.verdict import Scope, Verdict
from hype_contract.running.watch import Watch

_LONGEST_CASE_S = 300.0
_NEED_GATEWAY = {"gateway", "voice", "media"}


@dataclass(frozen=True)
class FinishedRun:
    """A finished run, which every report is made of.

    `secrets`: no report may contain them. `applicable`: every requirement that a whole run of these areas judges.
    `groups`: the failures by cause.
    `began`: UTC. `seconds`: wall time. `stale`: ids of expected failures that passed.
    """

    target: Target
    config: RunConfig
    scope: Scope
    secrets: Secrets
    contract: Contract
    applicable: Sequence[Requirement]
    began: datetime
    seconds: float
    case_results: Sequence[CaseResult]
    results: Sequence[RequirementResult]
    ledger: Ledger
    verdict: Verdict
    groups: Sequence[Group]
    stale: Sequence[str]


class PlannedRun:
    """A run that is ready to start.

    `cases`: the cases that it will run. `announce`: shows a sentence to people. `watch`: on the target, None before the
    first case.
    """

    watch: Watch | None = None

    def __init__(self, target: Target, config: RunConfig) -> None:
        """Choose the cases. Raises `UnknownIds` if `--only` names none of this profile."""
        self.target = target
        self.config = config
        self.announce: Callable[[str], None] = lambda sentence: None
        self.contract = specs.load(target.profile)
        if own := config.options.origin:
            self.contract.cors = replace(self.contract.cors, origins=(own,))
        self.requirements = catalogue.load(self.contract)
        self.scope = Scope(target.profile, config.areas, bool(config.only), config.extensions, config.highest)
        self.secrets = known_secrets(target.base_url, target.ws_url, config.options)
        self.applicable = [rule for rule in self.requirements if rule.area in config.areas and self.scope.judges(rule)]
        ids = {rule.id for rule in self.applicable}
        cases = chosen(every_case(self.contract), self.requirements, self.contract, config.areas, config.only)
        self.cases = [case for case in cases if case.requirement in ids]
        if config.only and not self.cases:
            names, other = ", ".join(config.only), next(each for each in PROFILES if each != target.profile)
            raise UnknownIds(f"--only {names} names nothing in the {target.profile} profile: try --profile {other}.")
        self._shared = Shared()

    def narrow(self, ids: Collection[str]) -> None:
        """Judge these requirements only."""
        self.cases = [case for case in self.cases if case.requirement in ids]
        self.scope = replace(self.scope, partial=True)

    def execute(self, report: Callable[[CaseResult], None]) -> FinishedRun:
        """Run all cases, report each as it ends, and return the finished run. Takes seconds to minutes."""
        began, started = datetime.now(UTC), time.monotonic()
        results: list[CaseResult] = []
        ending: Ending | None = None
        ledger = Ledger()
        try:
            with self.case_runner() as runner:
                ledger = runner.ledger
                for result in runner.run_all(self.cases):
                    results.append(result)
                    report(result)
        except Interrupted as interrupted:
            ending = Ending("interrupted", interrupted.exit_code, str(interrupted))
        return self.finish(results, ledger, began, time.monotonic() - started, ending)

    @contextmanager
    def case_runner(self) -> Iterator[CaseRunner]:
        """Yield a case runner on the target, and close everything that it opened."""
        with scratch(), connect(self.target.base_url) as http, self._shared.patience.measuring():
            config = self.config
            mode = config.options.mode
            longest_case_s = _LONGEST_CASE_S * max(1.0, config.options.effort)
            plan = Plan(
                config.seed, config.workers, mode == "fast", self.target.lacking, longest_case_s, config.time_limit_s
            )
            stop = Stop()
            gateway = _NEED_GATEWAY & set(config.areas) - set(self.target.lacking)
            self.watch = watch = Watch(http, self.target.ws_url if gateway else "", stop)
            watch.announce = self.announce
            watch.begin()
            # What fixtures make is no single case's, so their worlds share nothing with those of the cases.
            witness = Witness(self.contract)
            alone = self._world_maker(http, None, None, witness)
            lifetime_s = config.options.access_lifetime_s

            def for_fixtures(seed: str) -> World:
                made = alone(seed, Conditions(stop=stop))
                made.by_the_words = True  # requirements of each level rest on fixtures
                return made

            fixtures = SharedFixtures(for_fixtures, lifetime_s)
            make = self._world_maker(http, fixtures, self._shared, witness)
            runner = CaseRunner(make, self.requirements, plan, watch, stop)
            runner.after_outage = fixtures.forget
            runner.company = Company(lambda: alone("company", Conditions(stop=stop)))
            try:
                yield runner
            finally:
                if not watch.gone:
                    _remove(fixtures)

    def _world_maker(
        self, http: httpx.Client, fixtures: SharedFixtures[World] | None, shared: Shared | None, witness: Witness
    ) -> MakeWorld:
        ws_url, options = self.target.ws_url, self.config.options
        return lambda seed, conditions: World(
            self.contract, http, ws_url, seed, self.secrets, options, fixtures, shared, conditions, witness
        )

    def finish(
        self,
        results: Sequence[CaseResult],
        ledger: Ledger,
        began: datetime,
        seconds: float,
        ending: Ending | None = None,
    ) -> FinishedRun:
        """Evaluate `results`, decide the verdict and return the finished run. `ending`: see `verdict.decide`.

        The cases without a result count as skipped.
        """
        ended = {id(result.case) for result in results}
        results = [*results, *(self._unjudged(case) for case in self.cases if id(case) not in ended)]
        if ending is None and self.watch and (gone := self.watch.gone):
            ending = Ending("unusable", verdict.UNUSABLE, gone.sentence)
        if ending is not None:
            count = sum(result.outcome != "skipped" for result in results)
            judged = f"{count} of {len(results)} cases were judged until then"
            ending = replace(ending, reason=f"{ending.reason}; {judged}")
        results = attributed(results, self.requirements, ledger.failed)
        scope = self.scope
        whole = self.config.options.mode != "fast" and self.config.highest == HIGHEST[-1]
        coverage = None if scope.partial else Coverage(ledger, whole, self.target.lacking)
        evaluated = self.evaluate(self._judged(results), results, coverage)
        return FinishedRun(
            self.target,
            self.config,
            scope,
            self.secrets,
            self.contract,
            self.applicable,
            began,
            seconds,
            results,
            evaluated,
            ledger,
            self._decided(evaluated, ending),
            groups.grouped(evaluated, scope.levels),
            expectations.stale(evaluated),
        )

    def _decided(self, evaluated: Sequence[RequirementResult], ending: Ending | None) -> Verdict:
        outages = [outage.sentence for outage in self.watch.outages] if self.watch else []
        decided = verdict.decide(evaluated, self.scope, outages=outages, ending=ending)
        return replace(decided, notes=[*decided.notes, *self._shared.patience.notes()])

    def _judged(self, results: Iterable[CaseResult]) -> list[Requirement]:
        """Return the requirements of the run, and those of other areas that its cases wait for, or have seen broken."""
        awaited = {id for result in results for id in (result.waits_for, *_seen_broken(result))}
        ids = {rule.id for rule in self.applicable}
        return [
            rule for rule in self.requirements if rule.id in ids or (rule.id in awaited and self.scope.judges(rule))
        ]

    def _unjudged(self, case: Case) -> CaseResult:
        return CaseResult(case, self.requirements[case.requirement], "skipped", INTERRUPTED)

    def evaluate(
        self, some: Iterable[Requirement], results: Iterable[CaseResult], coverage: Coverage | None = None
    ) -> list[RequirementResult]:
        """Return the results of some requirements (see `evaluation.evaluate`), expected failures marked."""
        return expectations.mark(evaluate(some, results, coverage), self.config.expected)


def _seen_broken(result: CaseResult) -> Iterator[str]:
    return (aside.requirement.id for aside in result.asides)


def _remove(fixtures: SharedFixtures[World]) -> None:
    """Remove the fixtures, also when the person at the terminal interrupts that; a second time ends the process."""
    try:
        fixtures.close()
    except KeyboardInterrupt:
        fixtures.close()
        raise


def known_secrets(base_url: str, ws_url: str, options: Options) -> Secrets:
    """Return the secrets that are known before a run: those in `options`, headers for a gate, credentials in URLs."""
    known = Secrets()
    for secret, name in (
        (options.access_secret, "JWT_ACCESS_SECRET"),
        (options.refresh_secret, "JWT_REFRESH_SECRET"),
    ):
        if secret:
            known.keep(secret.decode("utf-8", "replace"), name)
    for name, value in options.headers:
        known.keep(f"{name}: {value}", header_variable(name))
        if len(value) >= SHORTEST_SECRET_VALUE:
            known.keep(value, f"{header_variable(name)}_VALUE")
    for url, side in ((base_url, "BASE_URL"), (ws_url, "WS_URL")):
        for number, credential in enumerate(credentials(url), 1):
            known.keep(credential, f"{side}_SECRET{number if number > 1 else ''}")
    return known
