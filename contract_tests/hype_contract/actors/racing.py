"""Requests that start at the same time, for cases in which only one of them may succeed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

from hype_contract.actors.clients.rest import Reply

T = TypeVar("T")

_START_S = 60  # a busy machine starts threads slowly, which says nothing about the target


def race(runs: Sequence[Callable[[], T]]) -> list[T]:
    """Run all functions at the same time, each in its own thread; return their answers in the order of `runs`.

    Raises what a function raises.
    """
    start = Barrier(len(runs))

    def begin(run: Callable[[], T]) -> T:
        start.wait(_START_S)
        return run()

    with ThreadPoolExecutor(len(runs)) as pool:
        return list(pool.map(begin, runs))


def statuses(replies: Sequence[Reply]) -> Counter[int]:
    """Return status → the number of answers with it."""
    return Counter(reply.status for reply in replies)
