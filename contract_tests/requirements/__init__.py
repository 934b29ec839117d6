"""The requirements: what a verdict is made of. Every case names the one that it checks.

Hand-written ones stand in `rest.py`, `gateway.py` …, one file per area; `derived` adds what follows from the specs:

- `bounds.…`, `R5.issue-per-rule.…`, `R7.…`, `allow.…`: see `bounds.py` and `authorisation.py`;
- `spec.<operationId>`, `spec.<event>.in`: any generated request or frame is answered as the spec says;
- `answer.<operationId>.<status>`, `spec.<event>.out`: this answer, or event, was seen and was right. No case of their
  own checks these: they are judged by what all cases saw (the coverage ledger).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from contract_tests.contract import Area, Contract, Expected, Pair
from contract_tests.profile import PROFILES, Profile
from contract_tests.requirements.audience import Audience, cells

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
            raise ValueError(f"no requirement is called {id}: add it to contract_tests/requirements/")
        return self._by_id[id]


def load(contract: Contract) -> Requirements:
    """Every requirement of a run: the hand-written ones and those that follow from the specs."""
    from contract_tests.requirements import authorisation, bounds, gateway, media, rest, voice

    areas = (rest, gateway, voice, media)
    cells = [*bounds.requirements(contract), *authorisation.requirements(contract)]
    return Requirements([*(one for area in areas for one in area.REQUIREMENTS), *cells, *derived(contract)])


def derived(contract: Contract) -> Iterable[Requirement]:
    """What the specs say by themselves: every answer and every frame is as they describe it."""
    yield Requirement("spec.links", "what an answer names can be used as the spec's links say", "openapi.yaml links")
    for operation in contract.operations.values():
        title = f"{operation.method} {operation.path} answers any request as openapi.yaml says"
        level: Level = "extension" if operation.extension else "documented"
        yield Requirement(f"spec.{operation.id}", title, operation.source, level, area=operation.area)
    for event in contract.events.values():
        title = f"{event.name} is taken as asyncapi.yaml says"
        level = "extension" if event.extension else "documented"
        if event.direction == "in":
            yield Requirement(f"spec.{event.name}.in", title, event.source, level, area=event.area)
    yield from heard(contract)
    yield from (_seen(contract, expected) for expected in contract.expected() if expected.pair.detail != "in")


def _seen(contract: Contract, expected: Expected) -> Requirement:
    """The requirement that an answer or an outgoing event is seen, and is right."""
    kind, name, detail = expected.pair
    if kind == "event":
        id, title = f"spec.{name}.out", f"{name} is sent as asyncapi.yaml says"
    else:
        id, title = f"answer.{name}.{detail}", f"{name} answers {detail} as openapi.yaml says"
    level: Level = "extension" if expected.extension else "documented"
    if level == "documented" and expected.pair in contract.hardened_only:
        level = "hardened"
    return Requirement(
        id, title, expected.source, level, area=expected.area, pair=expected.pair, exempt=expected.exempt
    )


def heard(contract: Contract) -> Iterable[Requirement]:
    """Who hears each event and who must not, from its `x-hype-audience`."""
    for event, cell in cells(contract):
        # What comes of a frame is seen by the event that is sent then.
        shown = contract.events[event.name, "out"]
        level: Level = "extension" if event.extension or shown.extension else "documented"
        yield Requirement(cell.id, cell.title, event.source, level, area=cell.area, audience=cell)


__all__ = [
    "LEVELS",
    "PROFILES",
    "Audience",
    "Level",
    "Requirement",
    "Requirements",
    "Strength",
    "derived",
    "heard",
    "load",
]
