"""The command `hype-contract list`: the requirements, without a target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Literal, TextIO

from hype_contract.cases import catalogue
from hype_contract.cases.registry import cases_by_requirement
from hype_contract.contract import specs
from hype_contract.contract.areas import Area
from hype_contract.contract.profile import Profile
from hype_contract.contract.rulings import RULINGS
from hype_contract.requirements.requirement import HIGHEST, Highest, Requirement
from hype_contract.running.verdict import Scope


def show(
    out: TextIO,
    profile: Profile | Literal["auto"],
    areas: Sequence[Area],
    only: Iterable[str],
    highest: Highest = HIGHEST[-1],
) -> int:
    """Print a line per requirement: id, level, strength, area, number of cases, title, source.

    highest: the last level that is listed, as of a run. Return the exit code: 0, or 3 if no requirement is listed. No
    target can name its profile here, so `auto` means `hardened`, which has more requirements.
    """
    contract = specs.load("hardened" if profile == "auto" else profile)
    rules = catalogue.load(contract)
    cases = cases_by_requirement(contract, rules)
    prefixes, scope = tuple(only), Scope(contract.profile, areas, highest=highest)
    chosen = [
        rule
        for rule in rules
        if rule.id in cases
        and rule.area in areas
        and scope.judges(rule)
        and (not prefixes or rule.id.startswith(prefixes))
    ]
    width = max((len(rule.id) for rule in chosen), default=0)
    for rule in chosen:
        print(_line(rule, len(cases[rule.id]), width), file=out)
    print(_summary(chosen, contract.profile), file=out)
    print(f"the texts of the rulings P…, R… and A… are in {RULINGS}", file=out)
    out.flush()
    return 0 if chosen else 3


def _line(rule: Requirement, cases: int, width: int) -> str:
    judged = f"{cases} case{'s' * (cases != 1)}" if rule.pair is None else "exempt" if rule.exempt else "coverage"
    columns = f"{rule.level:<10}  {rule.strength:<6}  {rule.area:<7}  {judged:<9}"
    return f"{rule.id:<{width}}  {columns}  {rule.title}  [{rule.source}]"


def _summary(chosen: Collection[Requirement], profile: Profile) -> str:
    levels = ", ".join(f"{count} {level}" for level, count in Counter(rule.level for rule in chosen).items())
    return f"{len(chosen)} requirements in the {profile} profile" + (f": {levels}" if levels else "")
