"""The runner of a case's scripts: the same scripts for the same seed. The shortest script that fails is kept."""

from __future__ import annotations

import time
import zlib

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.recording.transcript import Transcript

STEPS = 40
_SHORTEN_FOR_S = 20.0
"""Seconds for which hypothesis looks for a shorter script that fails."""

_SHORTENING_PATIENCE_S = 0.5
"""Seconds that a frame may take while hypothesis looks for a shorter script; each failing try takes this long."""


class ScriptRunner:
    """The runner of all scripts of a case. `worst`: the shortest script that failed, and its violation.

    `leaving`: the target supports a `user_left` request, an extension. `ending`: sessions end.
    """

    def __init__(self, world: World, *, leaving: bool, ending: bool) -> None:
        self.world = world
        self.leaving = leaving
        self.ending = ending
        self.worst: tuple[Violation, Transcript] | None = None
        self._until: float | None = None

    def over(self) -> bool:
        """Return whether a script has failed and the time for shortening it is over."""
        return self._until is not None and time.monotonic() > self._until

    @property
    def patience_s(self) -> float | None:
        """The seconds that a frame that must come may take; None: as the run's patience says."""
        return None if self._until is None else _SHORTENING_PATIENCE_S

    def failed(self, violation: Violation) -> None:
        """Note that the script failed in its last step. Hypothesis then looks only for shorter scripts."""
        if self._until is None:
            self._until = time.monotonic() + _SHORTEN_FOR_S
        transcript = self.world.trace.transcript
        if self.worst is None or len(transcript.lines()) <= len(self.worst[1].lines()):
            self.worst = (violation, transcript)

    def run(self, machine: type[RuleBasedStateMachine], scripts: int) -> None:
        """Run so many scripts of `machine`; each of them has this object as its member `runner`.

        Raises the `Violation` of the shortest script that fails.
        """
        settings = hypothesis.settings(
            max_examples=scripts,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
            suppress_health_check=list(hypothesis.HealthCheck),  # pyright: ignore[reportArgumentType]  # an enum
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
        )
        script = type("Script", (machine,), {"runner": self})
        try:
            run_state_machine_as_test(hypothesis.seed(zlib.crc32(self.world.seed.encode()))(script), settings=settings)
        except Exception:
            # Hypothesis reports a script that passes once the time is up as flaky; only the kept violation counts.
            if self.worst is None:
                raise
        if self.worst is not None:
            violation, self.world.trace.transcript = self.worst
            raise violation
