"""Threads that run the cases. A case that does not come back is given up, and the run goes on without it."""

from __future__ import annotations

import itertools
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")


@dataclass(frozen=True)
class Lane(Generic[J]):
    """Jobs that so many threads share."""

    jobs: Iterable[J]
    threads: int


@dataclass(frozen=True)
class _Fault:
    """An error that a job has raised, which it must not."""

    error: BaseException


@dataclass
class Workers(Generic[J, R]):
    """Daemon threads that run jobs, so that a job which hangs holds up neither the others nor the end of the process.

    `run`: runs one job. `give_up`: makes the result of a job that took longer than `longest_s`.
    """

    run: Callable[[J], R]
    give_up: Callable[[J], R]
    longest_s: float
    _results: queue.SimpleQueue[tuple[int, R | _Fault]] = field(default_factory=queue.SimpleQueue)
    _numbers: Iterator[int] = field(default_factory=itertools.count)  # a job that was given up may end at any time
    _started: dict[int, float] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)

    def results(self, lanes: Sequence[Lane[J]]) -> Generator[R, None, None]:
        """Yield each result as soon as its job ends. Raise what a job raises, and run no further job."""
        jobs: dict[int, J] = {}
        waiting: list[tuple[deque[int], int]] = []
        for lane in lanes:
            added = list(lane.jobs)
            numbers = deque(itertools.islice(self._numbers, len(added)))
            jobs.update(zip(numbers, added, strict=True))
            waiting.append((numbers, lane.threads))
        lane_of = {number: numbers for numbers, _ in waiting for number in list(numbers)}
        for numbers, threads in waiting:
            for _ in range(min(threads, len(numbers))):
                self._work(numbers, jobs)
        left = set(jobs)
        try:
            while left:
                number, result = self._next(jobs, lane_of)
                if number in left:
                    left.discard(number)
                    yield result
        finally:
            for numbers, _ in waiting:
                numbers.clear()

    def join(self, seconds: float) -> None:
        """Wait for the jobs that run, at most so many seconds."""
        due = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, due - time.monotonic()))

    def _next(self, jobs: dict[int, J], lane_of: dict[int, deque[int]]) -> tuple[int, R]:
        """Return the next result. A job that is overdue ends without one, and another thread takes its place."""
        while True:
            now = time.monotonic()
            for number, started in list(self._started.items()):
                if now - started > self.longest_s and self._started.pop(number, None) is not None:
                    self._work(lane_of[number], jobs)
                    return number, self.give_up(jobs[number])
            oldest = min(self._started.values(), default=now)
            try:
                number, result = self._results.get(timeout=max(0.01, min(60.0, oldest + self.longest_s - now)))
            except queue.Empty:
                continue
            if isinstance(result, _Fault):
                raise result.error
            return number, result

    def _work(self, numbers: deque[int], jobs: dict[int, J]) -> None:
        def work() -> None:
            while numbers:
                try:
                    number = numbers.popleft()
                except IndexError:
                    return
                self._started[number] = time.monotonic()
                result: R | _Fault
                try:
                    result = self.run(jobs[number])
                except BaseException as error:  # noqa: BLE001 - raised in the thread that takes the results
                    result = _Fault(error)
                if self._started.pop(number, None) is None:  # it was given up, and another thread goes on
                    return
                self._results.put((number, result))

        thread = threading.Thread(target=work, name="case", daemon=True)
        self._threads.append(thread)
        thread.start()
