"""The form of a mutant, and the list of all."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass, field
from typing import Final

import tests.mutants
from hype_contract.contract.areas import AREAS
from hype_contract.contract.profile import PROFILES, Profile
from tests.mutants.seams import Edit, SpecPatch, Wrap

HARDENED: Final[tuple[Profile, ...]] = ("hardened",)
DOCUMENTED: Final[tuple[Profile, ...]] = ("documented",)
BOTH: Final[tuple[Profile, ...]] = ("hardened", "documented")
Seam = Edit | SpecPatch | Wrap


@dataclass(frozen=True)
class Mutant:
    """A contract bug. bug: a sentence. of: the operationIds and the events, as `typing.in`, that it breaks.

    killed_by: the id of the requirement that must see it, or the beginning of ids. profiles: where it is a bug.
    secrets_told: whether the harness is given the secrets of the tokens, as a team gives those of a test deployment.
    """

    name: str
    bug: str
    changes: tuple[Seam, ...]
    of: tuple[str, ...]
    killed_by: str
    profiles: tuple[Profile, ...] = field(default=PROFILES)
    secrets_told: bool = True

    @property
    def area(self) -> str:
        """The area that must find it: the first part of its name."""
        return self.name.partition(".")[0]

    @property
    def in_workers(self) -> bool:
        """Whether the media workers must have it too, which are processes of their own."""
        return any(
            change.file.startswith("hype/sfu/") if isinstance(change, Edit) else change.in_workers
            for change in self.changes
            if not isinstance(change, SpecPatch)
        )

    @property
    def quotes_source(self) -> bool:
        """Whether it must be written anew when a line of the server is."""
        return any(isinstance(change, Edit) for change in self.changes)


def mutant(
    name: str,
    bug: str,
    *changes: Seam,
    of: str,
    killed_by: str,
    profiles: tuple[Profile, ...] = BOTH,
    secrets_told: bool = True,
) -> Mutant:
    """A row of a file's `MUTANTS`. of: what it breaks, blanks between."""
    return Mutant(name, bug, changes, tuple(of.split()), killed_by, profiles, secrets_told)


def every() -> list[Mutant]:
    """Return all mutants, by name. Raises ValueError when two have one name."""
    found: dict[str, Mutant] = {}
    for module in pkgutil.iter_modules(tests.mutants.__path__, "tests.mutants."):
        if not module.name.rpartition(".")[2].startswith(AREAS):
            continue
        for mutant in importlib.import_module(module.name).MUTANTS:
            if mutant.name in found:
                raise ValueError(f"two mutants are called {mutant.name}")
            found[mutant.name] = mutant
    return [found[name] for name in sorted(found)]


def named(name: str) -> Mutant:
    """Return the mutant of that name. Raises ValueError."""
    for mutant in every():
        if mutant.name == name:
            return mutant
    raise ValueError(f"no mutant is called {name}")
