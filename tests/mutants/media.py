"""Bugs of the media plane (rulings R25 to R30, R39 and R40)."""

from __future__ import annotations

from tests.mutants.registry import Edit, mutant

MUTANTS = [
    mutant(
        "media.speaking.never-ends",
        "Once a user has spoken they are shown as speaking for ever.",
        Edit("hype/sfu/levels.py", "if not self._speaking or now < self._until:", "if True:"),
        of="speaking_state.out",
        killed_by="R40.speaking",
    ),
]
