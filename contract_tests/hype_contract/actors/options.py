"""The options of a run that cases need to know, beside the target's URLs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["fast", "default", "thorough"]

EFFORTS: dict[Mode, float] = {"fast": 0.25, "default": 1.0, "thorough": 10.0}
"""Mode → factor on the usual number of generated requests and frames."""


@dataclass(frozen=True)
class Options:
    """The options of a run.

    mode: how much time the run may take. access_secret, refresh_secret: the secrets with which the target signs its
    tokens (HS256); with them, cases make their own tokens. access_lifetime_s: the lifetime of the target's access
    tokens, in seconds. restart_command: a command of a shell that restarts the target. headers: of each request, for a
    gate before the target. origin: the `Origin` of each request.
    """

    mode: Mode = "default"
    access_secret: bytes | None = None
    refresh_secret: bytes | None = None
    access_lifetime_s: float | None = None
    restart_command: str | None = None
    headers: Sequence[tuple[str, str]] = ()
    origin: str | None = None

    @property
    def effort(self) -> float:
        """The factor of the mode on the number of generated inputs."""
        return EFFORTS[self.mode]


DEFAULTS = Options()
