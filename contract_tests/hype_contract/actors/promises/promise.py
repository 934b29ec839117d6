"""The promises that hold everywhere, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from hype_contract.actors.must import shown
from hype_contract.contract.specs import Pair
from hype_contract.recording.ledger import Trace

Promise = Literal[
    "visibility",
    "secrets",
    "ids",
    "deleted",
    "times",
    "order",
    "pages",
    "audience",
    "once",
    "event-order",
    "event-visibility",
]
"""A promise: the rest of the id of its requirement, behind `seen.`."""
Tell = Callable[[Promise, str, object], None]
"""A function that notes a breach: of which promise, what was expected, and what came."""


def telling(trace: Trace, pair: Pair) -> Tell:
    """Return a function that notes breaches in the trace of a case. pair: the answer, or the event, that shows them."""
    return lambda promise, expected, got: trace.note(f"seen.{promise}", expected, shown(got), pair)
