"""What a mutant is, and the list of them."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Final

import tests.mutants
from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES, Profile

HARDENED: Final[tuple[Profile, ...]] = ("hardened",)
DOCUMENTED: Final[tuple[Profile, ...]] = ("documented",)
BOTH: Final[tuple[Profile, ...]] = ("hardened", "documented")


class _Gone:
    def __repr__(self) -> str:
        return "GONE"


GONE: Final = _Gone()
"""The value of a `Law` that takes its place away."""


@dataclass(frozen=True)
class Edit:
    """In the source `file` the text `before`, which stands there once, is `after`. file: from the repository's root."""

    file: str
    before: str
    after: str


@dataclass(frozen=True)
class Law:
    """In the specs as the server loads them, the place is `value`. place: `openapi.yaml#/components/schemas/Status`.

    What the place is in, an object or an array, must be there, and must not have that value already.
    """

    place: str
    value: object = GONE


@dataclass(frozen=True)
class Mutant:
    """One contract bug. bug: a sentence. of: the operationIds and the events, as `typing.in`, that it breaks.

    killed_by: the id of the requirement that must see it, or the beginning of ids. profiles: where it is a bug.
    """

    name: str
    bug: str
    changes: tuple[Edit | Law, ...]
    of: tuple[str, ...]
    killed_by: str
    profiles: tuple[Profile, ...] = field(default=PROFILES)

    @property
    def area(self) -> str:
        """The area that must find it: the first part of its name."""
        return self.name.partition(".")[0]

    @property
    def in_workers(self) -> bool:
        """Whether the media workers must have it too, which are processes of their own."""
        return any(isinstance(change, Edit) and change.file.startswith("hype/sfu/") for change in self.changes)


def mutant(
    name: str, bug: str, *changes: Edit | Law, of: str, killed_by: str, profiles: tuple[Profile, ...] = BOTH
) -> Mutant:
    """A row of a file's `MUTANTS`. of: what it breaks, blanks between."""
    return Mutant(name, bug, changes, tuple(of.split()), killed_by, profiles)


def every() -> list[Mutant]:
    """All mutants, by name. Raises ValueError when two have one name."""
    found: dict[str, Mutant] = {}
    for module in pkgutil.iter_modules(tests.mutants.__path__, "tests.mutants."):
        if not module.name.rpartition(".")[2].startswith(AREAS):
            continue
        for one in importlib.import_module(module.name).MUTANTS:
            if one.name in found:
                raise ValueError(f"two mutants are called {one.name}")
            found[one.name] = one
    return [found[name] for name in sorted(found)]


def named(name: str) -> Mutant:
    """The mutant of that name. Raises ValueError."""
    for one in every():
        if one.name == name:
            return one
    raise ValueError(f"no mutant is called {name}")
