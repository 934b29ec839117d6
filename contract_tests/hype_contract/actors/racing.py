"""Requests that start together, for what is there once: several look whether it is free before one has it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from hype_contract.actors.clients.rest import Reply

_START_S = 10


def race(runs: Sequence[Callable[[], Reply]]) -> list[Reply]:
    """Run all at the same time, a thread each; the answers in the order of `runs`. Raises what one raises."""
    start = Barrier(len(runs))

    def begin(run: Callable[[], Reply]) -> Reply:
        start.wait(_START_S)
        return run()

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(begin, runs))


def statuses(replies: Sequence[Reply]) -> Counter[int]:
    """How often each status was answered."""
    return Counter(reply.status for reply in replies)
