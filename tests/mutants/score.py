"""How many mutants of each area were killed, and how many of the same plain schemathesis has seen."""

from __future__ import annotations

from collections import Counter

from hype_contract.contract.areas import AREAS
from tests.mutants.judging import Fate, Judged

_HEAD = f"{'area':<9} {'mutants':>7} {'killed':>7} {'by another':>10} {'survived':>8} {'no verdict':>10}"


class Score:
    """Counts what became of each."""

    def __init__(self) -> None:
        self._fates: Counter[tuple[str, Fate]] = Counter()
        self._seen: Counter[tuple[str, bool]] = Counter()

    def add(self, judged: Judged, seen: bool | None) -> None:
        """Count a mutant. seen: whether plain schemathesis saw it; None when it was not asked."""
        self._fates[judged.mutant.area, judged.fate] += 1
        if seen is not None:
            self._seen[judged.mutant.area, seen] += 1

    @property
    def all_killed(self) -> bool:
        """Each was killed, by a requirement that its row names."""
        return {fate for _, fate in self._fates} == {"killed"}

    def table(self) -> str:
        """A line per area that has any, and one for all."""
        areas = [(area,) for area in AREAS if any(one == area for one, _ in self._fates)]
        head = _HEAD + ("   seen by plain schemathesis" if self._seen else "")
        return "\n".join(["", head, *(self._line(area[0], area) for area in areas), self._line("all", AREAS)])

    def _line(self, name: str, areas: tuple[str, ...]) -> str:
        def count(*fates: Fate) -> int:
            return sum(self._fates[area, fate] for area in areas for fate in fates)

        verdicts: tuple[Fate, ...] = ("killed", "by another", "survived")
        none: tuple[Fate, ...] = ("not applied", "not started", "broken")
        killed, other, survived = (count(fate) for fate in verdicts)
        line = f"{name:<9} {count(*verdicts, *none):>7} {killed:>7} {other:>10} {survived:>8} {count(*none):>10}"
        seen, asked = (sum(self._seen[area, was_seen] for area in areas) for was_seen in (True, False))
        return line + (f"   {seen} of {seen + asked}" if seen + asked else "")
