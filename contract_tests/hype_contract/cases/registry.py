"""The registry of all cases: `@case` and `@family` fill it, `every_case` loads it (how to write a case: `cases`)."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from hype_contract.actors.world import World
from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.specs import Contract
from hype_contract.requirements.requirement import Requirements

Check = Callable[[World], None]

_PACKAGES = (*AREAS, "fuzzing")


@dataclass(frozen=True)
class Case:
    """A check of one requirement.

    `alone`: nothing else may use the target meanwhile. `generates`: it uses hypothesis, which one thread at a time may
    (two of them at once can make CPython 3.11's compiler fail).
    `order`: a case with a higher number runs later; cases that run alone can rely on it. `slow`: it takes seconds,
    whatever the target. `alike`: there are many such cases, which differ only in the operation, the kind of media, or
    the way into or out of a call.
    """

    requirement: str
    name: str
    check: Check
    alone: bool = False
    generates: bool = False
    order: int = 0
    slow: bool = False
    alike: bool = False


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
    """Register a function as a check of `requirement` (options: see `Case`)."""

    def register(check: Check) -> Check:
        _cases.append(Case(requirement, check.__name__, check, alone, generates, order, slow, alike))
        return check

    return register


def family(make: Callable[[Contract], Iterable[Case]]) -> Callable[[Contract], Iterable[Case]]:
    """Register a function that makes cases out of the contract."""
    _families.append(make)
    return make


def every_case(contract: Contract) -> list[Case]:
    """Import all case modules; return all cases, in the order of their files."""
    for package in _PACKAGES:
        for module in sorted(_modules(f"hype_contract.cases.{package}")):
            importlib.import_module(module)
    return [*_cases, *(made for make in _families for made in make(contract))]


def chosen(
    cases: Iterable[Case],
    requirements: Requirements,
    contract: Contract,
    areas: Iterable[Area],
    only: Iterable[str] = (),
) -> list[Case]:
    """Return the cases of these areas that apply to the profile; `only`: requirement ids, or beginnings of ids."""
    wanted, prefixes = set(areas), tuple(only)
    return [
        case
        for case in cases
        if (requirement := requirements[case.requirement]).area in wanted
        and requirement.applies(contract.profile)
        and (not prefixes or requirement.id.startswith(prefixes))
    ]


def cases_by_requirement(contract: Contract, requirements: Requirements) -> dict[str, list[Case]]:
    """Return requirement id → its cases for each requirement that applies: none where coverage decides."""
    found: dict[str, list[Case]] = {rule.id: [] for rule in requirements if rule.applies(contract.profile)}
    for case in every_case(contract):
        if case.requirement in found:
            found[case.requirement].append(case)
    return found


def _modules(package: str) -> Iterator[str]:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        yield f"{package}.{module.name}"
