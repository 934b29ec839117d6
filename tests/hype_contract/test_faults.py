"""Faults of a target in the middle of a run: the run ends soon, and blames no rule for an outage."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from hype_contract.actors.clients import http as http_client
from hype_contract.actors.clients.conditions import Conditions, Stop
from hype_contract.actors.world import World
from hype_contract.cases.registry import Case
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from hype_contract.requirements.requirement import Requirement, Requirements
from hype_contract.running import watch
from hype_contract.running.case_runner import CaseRunner, Plan
from hype_contract.running.config import RunConfig
from hype_contract.running.run import FinishedRun, PlannedRun
from hype_contract.running.target import Target
from hype_contract.running.workers import Lane, Workers
from tests.hype_contract.fake import HEADERS, Fake, failure
from tests.hype_contract.faults import Proxy, proxy

_CASES = 12


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a second in all where a run waits a minute."""
    monkeypatch.setattr(http_client, "TIMEOUT_S", 0.5)
    monkeypatch.setattr(watch, "LOOK_S", 0.3)
    monkeypatch.setattr(watch, "RETURN_WITHIN_S", 1.0)


@dataclass
class Run:
    """A run of small cases on a fake behind a proxy. `fault`: what the sixth case does to the proxy, halfway."""

    fake: Fake
    proxy: Proxy
    url: str
    fault: Callable[[], object] = lambda: None
    announced: list[str] = field(default_factory=list)

    def check(self, world: World) -> None:
        """Ask for something, change something, and ask again."""
        ann = world.guest("ann")
        world.rest.call("getHealth", expect=200)
        if world.seed.endswith("/5"):
            self.fault()
        world.channel(ann)
        for _ in range(3):
            world.rest.call("getHealth", expect=200)

    def run(self) -> FinishedRun:
        """Run the cases, one after the other."""
        planned = PlannedRun(Target(self.url, "", "hardened", ""), RunConfig(["rest"], 1, ["R12.health"], workers=1))
        planned.cases = [Case("R12.health", str(number), self.check) for number in range(_CASES)]
        planned.announce = self.announced.append
        return planned.execute(lambda result: None)


class ListingRun(Run):
    """A run whose cases list the servers."""

    def check(self, world: World) -> None:
        """Ask for the list."""
        world.rest.call("listServers", expect=200)


@pytest.fixture
def faulty(fake: Fake) -> Iterator[Run]:
    """Yield a run whose target is behind a proxy."""
    with proxy(fake.base_url) as (made, url):
        yield Run(fake, made, url)


def outcomes(finished: FinishedRun) -> list[str]:
    """Return the outcome of each case."""
    return [result.outcome for result in finished.case_results]


@pytest.mark.parametrize("fault", ["hang", "drip", "kill"])
def test_a_target_that_goes_away_is_named(faulty: Run, fault: str) -> None:
    """A target that hangs, drips or dies ends the run with exit code 2, and no rule is blamed."""
    faulty.fault = getattr(faulty.proxy, fault)
    finished = faulty.run()
    assert (finished.verdict.word, finished.verdict.exit_code) == ("unusable", 2)
    assert outcomes(finished) == ["pass"] * 5 + ["skipped"] * (_CASES - 5)
    assert finished.verdict.reasons[0].startswith("the target went away at ")
    assert finished.verdict.reasons[0].endswith(f"; 5 of {_CASES} cases were judged until then")
    assert "waiting for it" in faulty.announced[0]


def test_a_target_of_which_only_its_health_answers_has_gone_away(faulty: Run) -> None:
    """A target that still answers `/health`, and nothing else any more, ends the run like one that hangs."""
    faulty.fault = lambda: faulty.proxy.hang(but=b"GET /health")
    finished = faulty.run()
    assert (finished.verdict.word, finished.verdict.exit_code) == ("unusable", 2)
    assert outcomes(finished) == ["pass"] * 5 + ["skipped"] * (_CASES - 5)
    assert "(GET /api/servers is not answered within 0.3 s)" in finished.verdict.reasons[0]


def test_a_target_of_which_one_operation_hangs_is_there(fake: Fake) -> None:
    """An operation that never answers is a breach of its own rule, also if it is the one that shows life."""
    with proxy(fake.base_url) as (made, url):
        made.hang(but=b"GET /health")
        finished = ListingRun(fake, made, url).run()
    assert set(outcomes(finished)) == {"fail", "skipped"}
    assert finished.verdict.exit_code == 1


def test_a_restart_is_waited_for(faulty: Run) -> None:
    """After a short restart the case that met it runs again, and the run goes on; but it is incomplete."""

    def restart() -> None:
        faulty.proxy.kill()
        faulty.fault = lambda: None
        timer = threading.Timer(0.3, faulty.proxy.restart)
        timer.start()

    faulty.fault = restart
    finished = faulty.run()
    assert outcomes(finished) == ["pass"] * _CASES
    assert (finished.verdict.word, finished.verdict.exit_code) == ("incomplete", 3)
    assert "and came back after" in finished.verdict.reasons[0]
    assert "and came back after" in faulty.announced[1]


def test_a_case_that_always_meets_an_outage_is_not_judged(faulty: Run) -> None:
    """A case that meets an outage each time that it runs is an error of the run, and no failure of the target."""

    def restart() -> None:
        faulty.proxy.kill()
        threading.Timer(0.2, faulty.proxy.restart).start()

    faulty.fault = restart
    finished = faulty.run()
    assert outcomes(finished) == ["pass"] * 5 + ["error"] + ["pass"] * (_CASES - 6)
    assert finished.verdict.exit_code == 3
    assert "each time that this case ran, the target went away" in finished.case_results[5].message


@pytest.mark.parametrize("requests", [1, 2, 3])
def test_a_kept_connection_may_be_closed(faulty: Run, requests: int) -> None:
    """A target that closes kept connections unannounced conforms (RFC 9110 9.2.2)."""
    faulty.proxy.kept_requests = requests
    finished = faulty.run()
    assert outcomes(finished) == ["pass"] * _CASES
    assert finished.verdict.exit_code == 0


def test_a_request_that_ends_the_connection_is_blamed(faulty: Run) -> None:
    """A connection that a request itself always ends is a breach, also after the second try."""

    def close(server: object, request: object) -> tuple[int, object]:
        raise ConnectionAbortedError

    faulty.fake.routes["POST /api/channels"] = close
    finished = faulty.run()
    assert set(outcomes(finished)) == {"blocked"}
    assert "RemoteProtocolError" in finished.case_results[0].got


def test_a_limit_that_lasts_is_no_breach(faulty: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A target that asks for a wait of 15 minutes was not judged, and the reason says so."""
    monkeypatch.setitem(HEADERS, 429, ("Retry-After", "900"))
    faulty.fault = lambda: faulty.fake.routes.update(
        {".*": lambda server, request: (429, failure("Too many requests"))}
    )
    finished = faulty.run()
    assert outcomes(finished) == ["pass"] * 5 + ["skipped"] * (_CASES - 5)
    assert (finished.verdict.word, finished.verdict.exit_code) == ("incomplete", 3)
    assert "answers 429 with Retry-After: 900, and a case waits for at most 90 s" in finished.verdict.reasons[0]


def test_a_case_has_a_deadline(faulty: Run, contract: Contract) -> None:
    """A case that goes on and on ends when its time is over, as an error of the harness."""

    def busy(world: World) -> None:
        while True:
            world.rest.call("getHealth", expect=200)

    rules = Requirements([Requirement("R1.a", "A rule", "ruling R1")])
    with http_client.connect(faulty.url) as http:

        def make(seed: str, conditions: Conditions) -> World:
            return World(contract, http, "", seed, Secrets(), conditions=conditions)

        result = CaseRunner(make, rules, Plan(0, longest_case_s=0.3)).run_case(Case("R1.a", "busy", busy))
    assert (result.outcome, result.message) == ("error", "the case did not end within 0.3 s")


def test_a_silence_is_met_once(faulty: Run, contract: Contract) -> None:
    """After a request without an answer a case sends no other, which would wait as long."""
    faulty.proxy.hang()
    with http_client.connect(faulty.url) as http:
        world = World(contract, http, "", "0/test", Secrets())
        for _ in range(3):
            with pytest.raises(Exception, match="ReadTimeout"):
                world.rest.call("getHealth")
    assert faulty.proxy.requests == 1


def test_a_stopped_run_ends_its_cases() -> None:
    """A case that waits ends when the run is stopped, and may still remove what it made."""
    stop = Stop()
    conditions = Conditions(60.0, stop)
    assert conditions.left(1.0) == 1.0
    stop.pull("enough")
    with pytest.raises(KeyboardInterrupt, match="enough"):
        conditions.sleep(60.0)
    conditions.clean()
    assert 0 < conditions.left(60.0) <= 5.0


def test_a_job_that_hangs_is_given_up() -> None:
    """A job that does not come back holds up neither the others nor the end."""
    end = threading.Event()

    def run(job: int) -> str:
        if job == 0:
            end.wait(60)
        return f"did {job}"

    workers = Workers(run, lambda job: f"gave {job} up", 0.2)
    assert sorted(workers.results([Lane([range(2), range(2, 4)], 1)])) == ["did 1", "did 2", "did 3", "gave 0 up"]
    end.set()
    workers.join(10)


@pytest.mark.timeout(20)
def test_a_job_that_ends_late_is_no_result_of_a_later_job() -> None:
    """A job that was given up may end while others run, which have their own results."""
    late: list[threading.Thread] = []
    end = threading.Event()

    def run(job: str) -> str:
        if job == "late":
            late.append(threading.current_thread())
            end.wait(10)
        elif job == "next":
            end.set()
            late[0].join(10)
        return f"did {job}"

    workers = Workers(run, lambda job: f"gave {job} up", 0.2)
    assert list(workers.results([Lane([["late"]], 1)])) == ["gave late up"]
    workers.longest_s = 10
    assert list(workers.results([Lane([["next", "last"]], 1)])) == ["did next", "did last"]


@pytest.mark.timeout(20)
def test_a_job_that_breaks_is_told_at_once() -> None:
    """An error of the harness itself ends the run; it is not waited for as for a job that hangs."""

    def run(job: int) -> int:
        raise RuntimeError("oops")

    workers: Workers[int, int] = Workers(run, lambda job: job, 60.0)
    with pytest.raises(RuntimeError, match="oops"):
        list(workers.results([Lane([range(3)], 1)]))


def test_results_come_as_jobs_end() -> None:
    """Each result comes once, from any lane."""
    workers: Workers[int, int] = Workers(lambda job: job * 10, lambda job: -1, 60.0)
    assert sorted(workers.results([Lane([range(2), [2]], 2), Lane([range(3, 5)], 1), Lane([], 4)])) == [
        0,
        10,
        20,
        30,
        40,
    ]


@pytest.mark.timeout(20)
def test_the_jobs_of_a_row_run_one_after_another() -> None:
    """A thread that is free takes the next job of another row, not of the one whose job still runs."""
    done: list[str] = []
    end = threading.Event()

    def run(job: str) -> str:
        if job == "a1":
            end.wait(10)
        done.append(job)
        if job == "b2":
            end.set()
        return job

    workers = Workers(run, lambda job: f"gave {job} up", 60.0)
    results = workers.results([Lane([["a1", "a2"], ["b1", "b2"]], 3)])
    assert sorted(results) == ["a1", "a2", "b1", "b2"]
    assert done == ["b1", "b2", "a1", "a2"]
