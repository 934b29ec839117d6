"""All scripts of a run: the same ones for the same seed, and of those that fail the shortest."""

from __future__ import annotations

import time
import zlib

import hypothesis
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from hype_contract.actors.clients.opening import PATIENCE_S
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.recording.transcript import Transcript

STEPS = 40
_SHORTEN_FOR_S = 20.0
"""A failing script is made shorter for so long."""

_SHORTENING_PATIENCE_S = 0.5
"""What has not come so soon while it is made shorter will not come: each try costs so long."""


class Play:
    """All scripts of a run. Keeps of those that failed the shortest one, and what it showed.

    `leaving`: the target takes `user_left`, an extension. `ending`: sessions end.
    """

    def __init__(self, world: World, *, leaving: bool, ending: bool) -> None:
        self.world = world
        self.leaving = leaving
        self.ending = ending
        self.worst: tuple[Violation, Transcript] | None = None
        self._until: float | None = None

    def over(self) -> bool:
        """There is a script that fails, and the time for shortening it is over."""
        return self._until is not None and time.monotonic() > self._until

    @property
    def patience_s(self) -> float:
        """How long an event that must come may take."""
        return PATIENCE_S if self._until is None else _SHORTENING_PATIENCE_S

    def failed(self, violation: Violation) -> None:
        """A script failed, in its last step. Hypothesis looks for shorter ones only."""
        if self._until is None:
            self._until = time.monotonic() + _SHORTEN_FOR_S
        transcript = self.world.trace.transcript
        if self.worst is None or len(transcript.lines()) <= len(self.worst[1].lines()):
            self.worst = (violation, transcript)

    def run(self, machine: type[RuleBasedStateMachine], scripts: int) -> None:
        """Play so many scripts of `machine`, each of which finds this in its member `play`.

        Raises the `Violation` of the shortest script that failed.
        """
        settings = hypothesis.settings(
            max_examples=scripts,
            stateful_step_count=STEPS,
            database=None,
            deadline=None,
            phases=[hypothesis.Phase.generate, hypothesis.Phase.shrink],
            suppress_health_check=list(hypothesis.HealthCheck),
            print_blob=False,
            verbosity=hypothesis.Verbosity.quiet,
        )
        script = type("Script", (machine,), {"play": self})
        try:
            run_state_machine_as_test(hypothesis.seed(zlib.crc32(self.world.seed.encode()))(script), settings=settings)
        except Exception:
            # What hypothesis makes of it (that a script fails no more once time is up) is its own affair.
            if self.worst is None:
                raise
        if self.worst is not None:
            violation, self.world.trace.transcript = self.worst
            raise violation
