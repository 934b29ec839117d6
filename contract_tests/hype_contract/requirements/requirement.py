"""A requirement, and the list of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.areas import Area
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import Pair
from hype_contract.requirements.audience import Audience

Level = Literal["documented", "hardened", "extension"]
LEVELS: tuple[Level, ...] = ("documented", "hardened", "extension")
Strength = Literal["must", "should"]


@dataclass(frozen=True)
class Requirement:
    """One rule that can be judged by itself.

    `id` never changes once published: `R18.newest-first`. `title` is the rule as a sentence. `source` is the seed
    section or the ruling. `level`: `documented` holds in both profiles unless `profiles` says otherwise, `hardened` in
    that profile only, `extension` is reported apart and by itself makes no target fail. `strength`: a `should` that is
    not kept is reported as a warning. `pair`: what the ledger must have seen, for a requirement without cases;
    `exempt`: why nobody need see it. `audience`: the
    cell of the matrix of events and audiences that it is about, if any.
    """

    id: str
    title: str
    source: str
    level: Level = "documented"
    profiles: tuple[Profile, ...] = ()
    area: Area = "rest"
    strength: Strength = "must"
    pair: Pair | None = None
    exempt: str | None = None
    audience: Audience | None = None

    def applies(self, profile: Profile) -> bool:
        """Whether a run for `profile` has to judge it."""
        if self.profiles:
            return profile in self.profiles
        return self.level != "hardened" or profile == "hardened"


class Requirements:
    """The list, by id. A duplicate or unknown id is a `ValueError`: the harness itself is wrong then."""

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._by_id: dict[str, Requirement] = {}
        for requirement in requirements:
            if requirement.id in self._by_id:
                raise ValueError(f"requirement {requirement.id} stands in the list twice")
            self._by_id[requirement.id] = requirement

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def __getitem__(self, id: str) -> Requirement:
        if id not in self._by_id:
            raise ValueError(f"no requirement is called {id}: add it to hype_contract/requirements/")
        return self._by_id[id]
