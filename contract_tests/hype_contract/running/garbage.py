"""The garbage collection of Python during a run of the command."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (50_000, 20, 20)


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Have Python look for cycles seldom until the block ends, and never among the objects that live already.

    Generated requests make many objects in a process that holds the contract, all cases and their strategies. Looking
    through those again and again takes a twentieth of the time of a run.
    """
    own = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*own)
        gc.unfreeze()
