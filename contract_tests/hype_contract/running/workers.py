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
    """Rows of jobs that so many threads share. The jobs of a row run one after another, in order."""

    rows: Iterable[Iterable[J]]
    threads: int


class _Rows:
    """The numbers of the jobs that wait in a lane. Thread-safe."""

    def __init__(self, rows: Iterable[Sequence[int]]) -> None:
        self._idle = [deque(row) for row in rows if row]
        self._busy: dict[int, deque[int]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._idle)

    def take(self) -> int | None:
        """Return the next job of the longest row of which no job runs; None if no row has one."""
        with self._lock:
            if not self._idle:
                return None
            row = max(self._idle, key=len)  # so that no row is left at the end
            self._idle.remove(row)
            number = row.popleft()
            self._busy[number] = row
            return number

    def end(self, number: int) -> None:
        """Let the row go on whose job has ended, or was given up."""
        with self._lock:
            row = self._busy.pop(number)
            if row:
                self._idle.append(row)

    def clear(self) -> None:
        """Drop the jobs that wait."""
        with self._lock:
            self._idle.clear()
            for row in self._busy.values():
                row.clear()


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
        rows_of: dict[int, _Rows] = {}
        threads: list[_Rows] = []
        for lane in lanes:
            numbered = [[(next(self._numbers), job) for job in row] for row in lane.rows]
            rows = _Rows([[number for number, _ in row] for row in numbered])
            for number, job in itertools.chain.from_iterable(numbered):
                jobs[number], rows_of[number] = job, rows
            threads += [rows] * min(lane.threads, len(rows))
        for rows in threads:
            self._work(rows, jobs)
        left = set(jobs)
        try:
            while left:
                number, result = self._next(jobs, rows_of)
                if number in left:
                    left.discard(number)
                    yield result
        finally:
            for rows in threads:
                rows.clear()

    def join(self, seconds: float) -> None:
        """Wait for the jobs that run, at most so many seconds."""
        due = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, due - time.monotonic()))

    def _next(self, jobs: dict[int, J], rows_of: dict[int, _Rows]) -> tuple[int, R]:
        """Return the next result. A job that is overdue ends without one, and another thread takes its place."""
        while True:
            now = time.monotonic()
            for number, started in list(self._started.items()):
                if now - started > self.longest_s and self._started.pop(number, None) is not None:
                    rows_of[number].end(number)
                    self._work(rows_of[number], jobs)
                    return number, self.give_up(jobs[number])
            oldest = min(self._started.values(), default=now)
            try:
                number, result = self._results.get(timeout=max(0.01, min(60.0, oldest + self.longest_s - now)))
            except queue.Empty:
                continue
            if isinstance(result, _Fault):
                raise result.error
            return number, result

    def _work(self, rows: _Rows, jobs: dict[int, J]) -> None:
        def work() -> None:
            while (number := rows.take()) is not None:
                self._started[number] = time.monotonic()
                result: R | _Fault
                try:
                    result = self.run(jobs[number])
                except BaseException as error:  # noqa: BLE001 - raised in the thread that takes the results
                    result = _Fault(error)
                if self._started.pop(number, None) is None:  # it was given up, and another thread goes on
                    return
                rows.end(number)
                self._results.put((number, result))

        thread = threading.Thread(target=work, name="case", daemon=True)
        self._threads.append(thread)
        thread.start()
