"""Cases: how they are registered, run and judged.

How to write a case
-------------------
1. Give the rule an id in `contract_tests/requirements/<area>.py`.
2. Write a function in any module of `contract_tests/rest/` or `contract_tests/gateway/` (they are all loaded):

       @case("R18.newest-first")
       def newest_first(world: World) -> None:
           ann = world.guest("ann")
           room = world.channel(ann)["id"]
           world.message(ann, room, "one")
           world.message(ann, room, "two")
           reply = world.rest.call("listMessages", query={"channelId": room}, expect=200)
           must.equal([m["content"] for m in reply.data], ["two", "one"], "the contents", seen=reply.pair)

`world` makes users, channels and sockets, and removes them. The clients judge every answer and frame by the specs;
a case asserts what a schema cannot say, with `must`. `expect=` demands a status. To show an absence takes a fence
(`socket.expect_nothing_before`), never a sleep. Nothing on the wire beside `world`'s own preparations is an `error`: a
case that exercised nothing cannot pass. Several cases may check one requirement.

`@case(id, alone=True)` runs with nothing beside it (counts of all users, failed logins); `generates=True` is for those
that use hypothesis (ask for `world.times(n)` examples); `slow=True` for those that take seconds, or ask much, which
`--fast` leaves out. `world.options` holds the target's secrets, if they were given; `world.shared` makes what cases may
share. `@family` registers a function that yields cases from the contract, one per operation, say. `alike=True` is for
those that differ in the operation, the kind of media or the way into or out of a call only: `--fast` runs some of them.
Raise `must.NeedsOption(why)` where a case needs an option that was not given, `must.Skipped(why)` where it cannot be
judged for another reason.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from typing import Literal

from contract_tests.clients.rest import NoAnswer
from contract_tests.contract import AREAS, Area, Contract, Pair
from contract_tests.ledger import Ledger
from contract_tests.must import NeedsOption, Skipped, Unsupported, Violation
from contract_tests.people import World
from contract_tests.requirements import Requirement, Requirements

Outcome = Literal["pass", "fail", "error", "skipped", "unsupported"]
Check = Callable[[World], None]
MakeWorld = Callable[[str], World]

MOST_STEPS = 40
_SILENCES_UNTIL_GONE = 5
_LEFT_OUT = "left out by --fast"
_ALIKE_AND_FAST = 10
"""Of so many cases that are alike `--fast` runs one; which ones hangs on the seed."""


@dataclass(frozen=True)
class Case:
    """A check of one requirement.

    `alone`: nothing else may use the target meanwhile. `generates`: it uses hypothesis, which one thread at a time may
    (two of them at once can make CPython 3.11's compiler fail).
    `order`: later ones run later, which the lonely can rely on. `slow`: it takes seconds, whatever the target.
    `alike`: there are many such cases, which differ in the operation they ask, the kind of media, or the
    way into or out of a call.
    """

    requirement: str
    name: str
    check: Check
    alone: bool = False
    generates: bool = False
    order: int = 0
    slow: bool = False
    alike: bool = False


@dataclass(frozen=True)
class Result:
    """What came of a case. `message` says why it is not a pass; `script` replays it; `seconds` is wall time.

    `by_choice`: it was skipped because of how the harness was called.
    """

    case: Case
    requirement: Requirement
    outcome: Outcome
    message: str = ""
    expected: str = ""
    got: str = ""
    script: tuple[str, ...] = ()
    seconds: float = 0.0
    pair: Pair | None = None
    silent: bool = False
    by_choice: bool = False


_cases: list[Case] = []
_families: list[Callable[[Contract], Iterable[Case]]] = []


def case(
    requirement: str,
    *,
    alone: bool = False,
    generates: bool = False,
    order: int = 0,
    slow: bool = False,
    alike: bool = False,
) -> Callable[[Check], Check]:
    """Register a function as a check of `requirement` (see the module's docstring)."""

    def register(check: Check) -> Check:
        _cases.append(Case(requirement, check.__name__, check, alone, generates, order, slow, alike))
        return check

    return register


def family(make: Callable[[Contract], Iterable[Case]]) -> Callable[[Contract], Iterable[Case]]:
    """Register a function that makes cases out of the contract."""
    _families.append(make)
    return make


def every_case(contract: Contract) -> list[Case]:
    """Import all case modules; all cases, in the order of their files."""
    for area in AREAS:
        for module in sorted(_modules(f"contract_tests.{area}")):
            importlib.import_module(module)
    return [*_cases, *(made for make in _families for made in make(contract))]


def chosen(
    cases: Iterable[Case],
    requirements: Requirements,
    contract: Contract,
    areas: Iterable[Area],
    only: Iterable[str] = (),
) -> list[Case]:
    """The cases of these areas that apply to the profile; `only`: requirement ids, or beginnings of ids."""
    wanted, prefixes = set(areas), tuple(only)
    return [
        one
        for one in cases
        if (requirement := requirements[one.requirement]).area in wanted
        and requirement.applies(contract.profile)
        and (not prefixes or requirement.id.startswith(prefixes))
    ]


@dataclass(frozen=True)
class Plan:
    """How to run: `seed` of the run; `workers`: cases side by side; `fast`: leave out slow cases; `lacking`: areas that
    the target does not have, and a sentence that says so."""

    seed: int
    workers: int = 4
    fast: bool = False
    lacking: Mapping[Area, str] = field(default_factory=dict)


class Runner:
    """Runs cases against one target and keeps the ledger."""

    def __init__(self, make_world: MakeWorld, requirements: Requirements, plan: Plan) -> None:
        """`make_world` gets the seed of one case (the run's and the case's name)."""
        self.ledger = Ledger()
        self._make_world = make_world
        self._requirements = requirements
        self._extensions = {one.pair for one in requirements if one.pair and one.level == "extension"}
        self._plan = plan
        self._silences = 0

    def run(self, cases: Iterable[Case]) -> Generator[Result, None, None]:
        """Results as they come: first the cases that may run side by side, then, in order, the lonely ones."""
        # What mostly waits begins first, so that the others run meanwhile.
        every = sorted(cases, key=lambda one: (one.order, not one.slow))
        with ThreadPoolExecutor(self._plan.workers) as pool, ThreadPoolExecutor(1) as generator:
            together = [one for one in every if not one.alone]
            waiting = [(generator if one.generates else pool).submit(self.judge, one) for one in together]
            try:
                for judged in as_completed(waiting):
                    yield judged.result()
            finally:
                for judged in waiting:
                    judged.cancel()
        for one in every:
            if one.alone:
                yield self.judge(one)

    def judge(self, one: Case) -> Result:
        """Run one case to a result; nothing it does can stop the run."""
        requirement = self._requirements[one.requirement]
        if requirement.area in self._plan.lacking:
            return Result(one, requirement, "unsupported", self._plan.lacking[requirement.area])
        if self._plan.fast and (one.slow or (one.alike and self._left_out(one))):
            return Result(one, requirement, "skipped", _LEFT_OUT, by_choice=True)
        if self._silences >= _SILENCES_UNTIL_GONE:
            return Result(one, requirement, "skipped", f"the target stopped answering {self._silences} cases ago")
        world = self._make_world(self._seed(one))
        started = time.monotonic()
        result = self._attempt(one, requirement, world)
        self._silences = self._silences + 1 if result.silent else 0
        self.ledger.add(world.trace, passed=result.outcome == "pass", blamed=self._blamed(result))
        return _finished(result, world, time.monotonic() - started)

    def _blamed(self, result: Result) -> Pair | None:
        """What a failure is about; what nobody must offer says nothing about what everybody must."""
        rule, pair = result.requirement, result.pair
        optional = rule.level == "extension" or rule.strength == "should"
        return None if optional and pair not in self._extensions else pair

    def _left_out(self, one: Case) -> bool:
        return zlib.crc32(self._seed(one).encode()) % _ALIKE_AND_FAST > 0

    def _seed(self, one: Case) -> str:
        return f"{self._plan.seed}/{one.requirement}/{one.name}"

    def _attempt(self, one: Case, requirement: Requirement, world: World) -> Result:
        try:
            try:
                one.check(world)
            finally:
                world.close()
        except Violation as violation:
            wrong = (violation.expected, violation.got)
            silent = isinstance(violation, NoAnswer)
            return Result(one, requirement, "fail", str(violation), *wrong, pair=violation.pair, silent=silent)
        except Skipped as skipped:
            by_choice = isinstance(skipped, NeedsOption)
            return Result(one, requirement, "skipped", str(skipped), by_choice=by_choice)
        except Unsupported as unsupported:
            return Result(one, requirement, "unsupported", str(unsupported))
        except Exception as error:  # noqa: BLE001 - a broken case is reported, and the others still run
            return Result(one, requirement, "error", f"the harness could not: {type(error).__name__}: {error}")
        if not world.trace.exercised:
            return Result(one, requirement, "error", "the case exercised nothing, so it shows nothing")
        return Result(one, requirement, "pass")


def _finished(result: Result, world: World, seconds: float) -> Result:
    transcript, told = world.trace.transcript, result.outcome in ("fail", "error")
    hide = transcript.secrets.hide
    script = tuple(transcript.lines(str(world.http.base_url), MOST_STEPS)) if told else ()
    return replace(
        result,
        message=hide(result.message),
        expected=hide(result.expected),
        got=hide(result.got),
        script=script,
        seconds=seconds,
    )


def _modules(package: str) -> Iterator[str]:
    try:
        path = importlib.import_module(package).__path__
    except ModuleNotFoundError:
        return
    for module in pkgutil.iter_modules(path):
        yield f"{package}.{module.name}"
