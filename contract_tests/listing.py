"""`hype-contract list`: the requirements, without a target."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Literal, TextIO

from contract_tests import contract, requirements
from contract_tests.clauses import RULINGS
from contract_tests.contract import Area
from contract_tests.profile import Profile
from contract_tests.requirements import Requirement
from contract_tests.run import cases_by_requirement


def show(out: TextIO, profile: Profile | Literal["auto"], areas: Collection[Area], only: Iterable[str]) -> int:
    """A line a requirement: id, level, strength, area, number of cases, title, source. The exit code: 0, or 3 for none.

    Without a target to ask, `auto` is the hardened profile, which is the larger one.
    """
    law = contract.load("hardened" if profile == "auto" else profile)
    rules = requirements.load(law)
    cases = cases_by_requirement(law, rules)
    prefixes = tuple(only)
    chosen = [
        one for one in rules if one.id in cases and one.area in areas and (not prefixes or one.id.startswith(prefixes))
    ]
    width = max((len(one.id) for one in chosen), default=0)
    try:
        for one in chosen:
            print(_line(one, len(cases[one.id]), width), file=out)
        print(_sum(chosen, law.profile), file=out)
        print(f"the rulings P…, R… and A… stand in {RULINGS}", file=out)
        out.flush()
    except BrokenPipeError:  # `| head` has seen enough; what is still buffered has nowhere to go
        os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())
    return 0 if chosen else 3


def _line(one: Requirement, cases: int, width: int) -> str:
    judged = f"{cases} case{'s' * (cases != 1)}" if one.pair is None else "exempt" if one.exempt else "coverage"
    where = f"{one.level:<10}  {one.strength:<6}  {one.area:<7}  {judged:<9}"
    return f"{one.id:<{width}}  {where}  {one.title}  [{one.source}]"


def _sum(chosen: Collection[Requirement], profile: Profile) -> str:
    levels = ", ".join(f"{count} {level}" for level, count in Counter(one.level for one in chosen).items())
    return f"{len(chosen)} requirements in the {profile} profile" + (f": {levels}" if levels else "")
