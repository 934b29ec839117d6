"""What a run is told beside the target's URLs, as far as cases need to know it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["fast", "default", "thorough"]

EFFORTS: dict[Mode, float] = {"fast": 0.25, "default": 1.0, "thorough": 10.0}
"""How many times the usual number of generated requests and frames."""


@dataclass(frozen=True)
class Options:
    """`mode`: how much time the run may take. The secrets are those that the target signs its tokens with (HS256),
    which let cases make tokens of their own; `access_lifetime_s`: in how many seconds its access tokens expire."""

    mode: Mode = "default"
    access_secret: bytes | None = None
    refresh_secret: bytes | None = None
    access_lifetime_s: float | None = None

    @property
    def effort(self) -> float:
        """The multiplier of the mode."""
        return EFFORTS[self.mode]


DEFAULTS = Options()
