"""The transcript of a case: what it sent and received, step by step. `script.py` makes a script of it."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from hype_contract.recording.script import Closing, Command, Exchange, Frame, Opening, Remark, Step, script
from hype_contract.recording.secrecy import Secrets

_MOST_KEPT = 50_000  # characters of an answer


class Transcript:
    """The steps of one case, in order. Several threads may add to it.

    `lines` makes the script only when it is asked for, since few cases need one. `whole`: the script makes sense only
    as a whole, so it is never shortened.
    """

    def __init__(self, secrets: Secrets, *, whole: bool = False) -> None:
        self.secrets = secrets
        self._whole = whole
        self._steps: list[Step] = []
        self._included: set[int] = set()
        self._ended = False
        self._marked: int | None = None
        self._lock = threading.Lock()

    def http(self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes | None, answer: str) -> None:
        """Add a request and its answer. `answer`: status and text."""
        self._add(Exchange(method, url, tuple(headers), body, answer[:_MOST_KEPT]))

    def opening(self, name: str, url: str, headers: Iterable[tuple[str, str]] = ()) -> None:
        """Add the opening of a WebSocket.

        `name`: of the socket in this transcript. `headers`: beside those of every handshake.
        """
        self._add(Opening(name, url, tuple(headers)))

    def sent(self, name: str, payload: str, *, typed: bool) -> None:
        """Add a frame that was sent on that WebSocket. `typed`: it is one line of text in one piece."""
        self._add(Frame(name, payload, typed))

    def heard(self, name: str, text: str) -> None:
        """Add a frame that came on that WebSocket, or the way in which the WebSocket ended."""
        self._add(Remark(f"{name} < {text}", received=True))

    def left(self, name: str) -> None:
        """Add that the case closed that WebSocket."""
        self._add(Closing(name))

    def command(self, text: str, answer: str = "") -> None:
        """Add a command that another tool wrote, secrets in single quotes. `answer`: "" if it is not known."""
        self._add(Command(" ".join(text.split())))
        if answer:
            self._add(Remark(f"→ {answer[:_MOST_KEPT]}"))

    def include(self, other: Transcript) -> None:
        """Add the steps of another transcript, unless they were added before."""
        with self._lock:
            if self._ended or id(other) in self._included:
                return
            self._included.add(id(other))
            self._steps += other._steps

    @contextmanager
    def unless_right(self) -> Iterator[None]:
        """Remove the steps of the block unless it raises. It is for checks that nothing has changed.

        Only one thread may add steps meanwhile.
        """
        before = len(self._steps)
        yield
        with self._lock:
            del self._steps[before:]

    def end(self) -> None:
        """Ignore all further steps, which only clean up."""
        self._ended = True

    def mentions(self, ids: Iterable[str]) -> bool:
        """Return whether the case sent one of these ids."""
        some = list(ids)
        with self._lock:
            return any(id in step.sent for step in self._steps for id in some)

    def __len__(self) -> int:
        return len(self._steps)

    def mark(self) -> None:
        """Mark the present step as the last one of the case: what follows only cleans up."""
        if self._marked is None:
            self._marked = len(self._steps)

    def lines(
        self, base_url: str = "", last: int | None = None, until: int | None = None, wrong: str = ""
    ) -> Sequence[str]:
        """Return the script.

        `base_url`: of the target's REST API. `last`: keep so many steps from the end, and the steps that they need.
        `until`: the number of the step that went wrong, by default that of the mark. `wrong`: how it went wrong, which
        stands below that step.
        """
        with self._lock:
            steps = list(self._steps)
        if wrong:
            end = self._marked if until is None else until
            opened = {step.name for step in steps[:end] if isinstance(step, Opening)}
            rest = steps[end:] if end is not None else []
            closings = [step for step in rest if isinstance(step, Closing) and step.name in opened]
            steps = [*steps[:end], Remark(f"↑ {wrong}", received=bool(opened)), *closings]
        return script(steps, self.secrets, base_url, None if self._whole else last)

    def _add(self, step: Step) -> None:
        with self._lock:
            if not self._ended:
                self._steps.append(step)
