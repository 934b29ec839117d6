"""One run of the harness, from a target to a verdict: what the command and the pytest plugin both do."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import httpx

from contract_tests import contract, expectations, requirements, verdict
from contract_tests.clients.http import connect
from contract_tests.commons import Commons
from contract_tests.contract import Area, Contract
from contract_tests.judgement import Coverage, Judged, judge
from contract_tests.ledger import Ledger
from contract_tests.options import Options
from contract_tests.people import World
from contract_tests.profile import Profile
from contract_tests.requirements import Requirement, Requirements
from contract_tests.runner import Case, Plan, Result, Runner, chosen, every_case
from contract_tests.scratch import scratch
from contract_tests.target import Target
from contract_tests.transcript import Secrets, credentials
from contract_tests.verdict import Scope, Verdict


@dataclass(frozen=True)
class Order:
    """What is to be judged. `only`: ids of requirements, or beginnings of ids; none: all. `seed`: the same one sends
    the same requests. `workers`: cases side by side. `expected`: requirement id → why it may fail."""

    areas: Sequence[Area]
    seed: int
    only: Sequence[str] = ()
    extensions: bool = False
    workers: int = 4
    options: Options = field(default_factory=Options)
    expected: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A finished run, which every report is made of. `secrets`: what no report may say; `applicable`: every
    requirement that a whole run of these areas judges; `began`: UTC; `seconds`: wall time; `stale`: ids of expected
    failures that passed."""

    target: Target
    order: Order
    scope: Scope
    secrets: Secrets
    law: Contract
    applicable: Sequence[Requirement]
    began: datetime
    seconds: float
    results: Sequence[Result]
    judged: Sequence[Judged]
    ledger: Ledger
    verdict: Verdict
    stale: Sequence[str]


class Judging:
    """A run that is ready to go: `cases` is what it will do."""

    def __init__(self, target: Target, order: Order) -> None:
        self.target = target
        self.order = order
        self.law = contract.load(target.profile)
        self.rules = requirements.load(self.law)
        self.scope = Scope(target.profile, order.areas, partial=bool(order.only), extensions=order.extensions)
        self.secrets = confidential(target.base_url, target.ws_url, order.options)
        self.applicable = [one for one in self.rules if one.area in order.areas and one.applies(target.profile)]
        self.cases = chosen(every_case(self.law), self.rules, self.law, order.areas, order.only)

    def narrow(self, ids: Collection[str]) -> None:
        """Judge these requirements only."""
        self.cases = [one for one in self.cases if one.requirement in ids]
        self.scope = replace(self.scope, partial=True)

    def run(self, tell: Callable[[Result], None]) -> Run:
        """Run all cases, `tell` of each as it ends, and judge. Takes seconds to minutes."""
        began, started = datetime.now(UTC), time.monotonic()
        results: list[Result] = []
        with self.running() as runner:
            for result in runner.run(self.cases):
                results.append(result)
                tell(result)
        return self.finish(results, runner.ledger, began, time.monotonic() - started)

    @contextmanager
    def running(self) -> Iterator[Runner]:
        """A runner on the target; what it opened is closed at the end."""
        with scratch(), connect(self.target.base_url) as http:
            options = self.order.options
            plan = Plan(self.order.seed, self.order.workers, options.mode == "fast", self.target.lacking)
            commons = Commons(self._world_maker(http, None))
            try:
                yield Runner(self._world_maker(http, commons), self.rules, plan)
            finally:
                commons.close()

    def _world_maker(self, http: httpx.Client, commons: Commons | None) -> Callable[[str], World]:
        ws_url, options = self.target.ws_url, self.order.options
        return lambda seed: World(self.law, http, ws_url, seed, self.secrets, options, commons)

    def finish(self, results: Sequence[Result], ledger: Ledger, began: datetime, seconds: float) -> Run:
        """The run, judged."""
        order, scope = self.order, self.scope
        whole = order.options.mode != "fast"
        coverage = None if scope.partial else Coverage(ledger, whole, self.target.lacking)
        judged = self.judge(self.applicable, results, coverage)
        return Run(
            self.target,
            order,
            scope,
            self.secrets,
            self.law,
            self.applicable,
            began,
            seconds,
            results,
            judged,
            ledger,
            verdict.decide(judged, scope),
            expectations.stale(judged),
        )

    def judge(
        self, some: Iterable[Requirement], results: Iterable[Result], coverage: Coverage | None = None
    ) -> list[Judged]:
        """What came of some requirements (see `judgement.judge`), with what was expected of them."""
        return expectations.mark(judge(some, results, coverage), self.order.expected)


def confidential(base_url: str, ws_url: str, options: Options) -> Secrets:
    """What is secret of a run before it begins: the secrets in `options`, and credentials in the URLs."""
    kept = Secrets()
    for secret, name in (
        (options.access_secret, "JWT_ACCESS_SECRET"),
        (options.refresh_secret, "JWT_REFRESH_SECRET"),
    ):
        if secret:
            kept.keep(secret.decode("utf-8", "replace"), name)
    for url, side in ((base_url, "BASE_URL"), (ws_url, "WS_URL")):
        for number, credential in enumerate(credentials(url), 1):
            kept.keep(credential, f"{side}_SECRET{number if number > 1 else ''}")
    return kept


def known_ids(profiles: Collection[Profile]) -> set[str]:
    """Every requirement id of these profiles."""
    return {one.id for profile in profiles for one in requirements.load(contract.load(profile))}


def cases_by_requirement(law: Contract, rules: Requirements) -> dict[str, list[Case]]:
    """Each requirement that applies, and the cases that check it: none where coverage decides."""
    found: dict[str, list[Case]] = {one.id: [] for one in rules if one.applies(law.profile)}
    for case in every_case(law):
        if case.requirement in found:
            found[case.requirement].append(case)
    return found
