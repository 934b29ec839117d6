"""A requirement, and the list of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from hype_contract.contract.areas import Area
from hype_contract.contract.profile import Profile
from hype_contract.contract.specs import Pair
from hype_contract.requirements.audience import Audience

Level = Literal["documented", "published", "hardened", "extension"]
LEVELS: tuple[Level, ...] = ("documented", "published", "hardened", "extension")
Highest = Literal["documented", "published", "hardened"]
HIGHEST: tuple[Highest, ...] = ("documented", "published", "hardened")
Strength = Literal["must", "should"]


@dataclass(frozen=True)
class Requirement:
    """A rule that can be judged by itself.

    `id` never changes once published: `R18.newest-first`. `title` is the rule as a sentence. `source` is the seed
    section or the ruling. `level` (amendment A22): `documented` rests on the words of the document, `published` on the
    text of the published specs; both hold in both profiles unless `profiles` says otherwise. `hardened` holds in that
    profile only. `extension` is reported separately and fails no target. `strength`: a broken `should` is reported
    as a warning. `pair`: the pair that the ledger must have seen, for a requirement without cases; `exempt`: why it
    need not be seen. `watched`: any answer or frame of a run can break it, not only those of its cases. `audience`:
    the cell of the matrix of events and audiences, if it is about a cell.
    """

    id: str
    title: str
    source: str
    level: Level = "published"
    profiles: tuple[Profile, ...] = ()
    area: Area = "rest"
    strength: Strength = "must"
    pair: Pair | None = None
    exempt: str | None = None
    watched: bool = False
    audience: Audience | None = None

    def applies(self, profile: Profile) -> bool:
        """Return whether a run for `profile` judges the requirement."""
        if self.profiles:
            return profile in self.profiles
        return self.level != "hardened" or profile == "hardened"

    def speaks_of(self, level: Level) -> bool:
        """Return whether a breach of this requirement shows one of a requirement of `level`, too.

        What the published specs decide beyond the document breaks no requirement about its words (amendment A22), and
        so on from level to level. A `should` breaks no `must`; extensions are none.
        """
        return level == "extension" or (self.strength == "must" and LEVELS.index(self.level) <= LEVELS.index(level))


class Requirements:
    """The requirements by id. A duplicate or unknown id raises `ValueError`: it is an error of the harness itself."""

    def __init__(self, requirements: Iterable[Requirement]) -> None:
        self._by_id: dict[str, Requirement] = {}
        for requirement in requirements:
            if requirement.id in self._by_id:
                raise ValueError(f"requirement {requirement.id} is in the list twice")
            self._by_id[requirement.id] = requirement

    def __iter__(self) -> Iterator[Requirement]:
        return iter(self._by_id.values())

    def __len__(self) -> int:
        return len(self._by_id)

    def find(self, id: str) -> Requirement | None:
        """Return the requirement with this id, or None: no requirement is about an undocumented status, for example."""
        return self._by_id.get(id)

    def __getitem__(self, id: str) -> Requirement:
        if id not in self._by_id:
            raise ValueError(f"no requirement is called {id}: add it to hype_contract/requirements/")
        return self._by_id[id]
