"""The registry of all cases and of the rules that they judge: `@case`, `@family` and `declare` fill it.

`every_case` loads it. The docstring of `cases` says how to write a case.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from hype_contract.actors.world import World
from hype_contract.contract.areas import AREAS, Area
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import Contract
from hype_contract.requirements.requirement import Level, Requirement, Requirements, Strength

Check = Callable[[World], None]

_PACKAGES = (*AREAS, "fuzzing")
_RULING = re.compile(r"([APR]\d+b?)\.")
_NAMES_A_RULING = re.compile(r"\b(ruling|amendment)s? [APR]\d")


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


_rules: list[Requirement] = []
_cases: list[Case] = []
_families: list[Callable[[Contract], Iterable[Case]]] = []


def declare(
    id: str,
    title: str,
    *,
    area: Area,
    source: str | None = None,
    level: Level = "published",
    profiles: tuple[Profile, ...] = (),
    strength: Strength = "must",
    watched: bool = False,
) -> None:
    """Declare a requirement that a family judges (members: see `Requirement`).

    source: where the rule stands, with `; ` between several. At level `documented` sections of the seed document come
    first, as in `x-hype-source`. At level `published` places in the specs do: `openapi.yaml#/paths/~1health/get`, or
    `asyncapi.yaml#/info/description` followed by a heading of that text. The ruling or amendment with which the id
    begins follows by itself. Raises ValueError when neither names a source.
    """
    _rules.append(Requirement(id, title, _sourced(id, source), level, profiles, area, strength, watched=watched))


def case(
    requirement: str,
    title: str | None = None,
    *,
    source: str | None = None,
    level: Level = "published",
    profiles: tuple[Profile, ...] = (),
    strength: Strength = "must",
    watched: bool = False,
    alone: bool = False,
    generates: bool = False,
    order: int = 0,
    slow: bool = False,
    alike: bool = False,
) -> Callable[[Check], Check]:
    """Register a function as a check of `requirement` (options: see `Case`).

    title: the rule as a sentence. It declares the requirement, of the area whose folder has the function. `source`,
    `level`, `profiles`, `strength` and `watched` are those of `declare`. Further cases of the same requirement leave
    them out.
    """

    def register(check: Check) -> Check:
        if title is not None:
            area = _area(check.__module__)
            options: dict[str, Any] = {"level": level, "profiles": profiles, "strength": strength, "watched": watched}
            declare(requirement, title, area=area, source=source, **options)
        _cases.append(Case(requirement, check.__name__, check, alone, generates, order, slow, alike))
        return check

    return register


def family(make: Callable[[Contract], Iterable[Case]]) -> Callable[[Contract], Iterable[Case]]:
    """Register a function that makes cases out of the contract."""
    _families.append(make)
    return make


def every_case(contract: Contract) -> list[Case]:
    """Import all case modules; return all cases, in the order of their files."""
    _load()
    return [*_cases, *(made for make in _families for made in make(contract))]


def declared_requirements() -> list[Requirement]:
    """Import all case modules; return the requirements that they declare, in the order of their files."""
    _load()
    return list(_rules)


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


def _load() -> None:
    for package in _PACKAGES:
        for module in sorted(_modules(f"hype_contract.cases.{package}")):
            importlib.import_module(module)


def _sourced(id: str, source: str | None) -> str:
    """Return the source, followed by the ruling that the id begins with where it names none. Raises ValueError."""
    found = _RULING.match(id)
    if found is None and source is None:
        raise ValueError(f"requirement {id} begins with no ruling: say where it comes from with `source`")
    if found is None or (source is not None and _NAMES_A_RULING.search(source)):
        return str(source)
    ruling = f"{'amendment' if found[1].startswith('A') else 'ruling'} {found[1]}"
    return ruling if source is None else f"{source}; {ruling}"


def _area(module: str) -> Area:
    """Return the area whose folder a case module stands in. Raises ValueError when it stands in none."""
    folder = module.rpartition(".")[0].rpartition(".")[2]
    for area in AREAS:
        if area == folder:
            return area
    raise ValueError(f"{module} stands in no area's folder: declare its rules with `declare`, which takes an area")


def _modules(package: str) -> Iterator[str]:
    for module in pkgutil.iter_modules(importlib.import_module(package).__path__):
        yield f"{package}.{module.name}"
