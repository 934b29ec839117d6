"""What one case said and heard, step by step. It becomes a script that a person can replay (`script.py`)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from hype_contract.recording.script import Command, Exchange, Frame, Leaving, Opening, Remark, Step, script
from hype_contract.recording.secrecy import Secrets as Secrets
from hype_contract.recording.secrecy import credentials as credentials
from hype_contract.recording.secrecy import without_credentials as without_credentials

_MOST_KEPT = 50_000


class Transcript:
    """The steps of one case, in order. Clients of several threads may add to it.

    They become bash when the lines are asked for, which few cases come to. `whole`: it makes no sense in part.
    """

    def __init__(self, secrets: Secrets, *, whole: bool = False) -> None:
        self.secrets = secrets
        self._whole = whole
        self._steps: list[Step] = []
        self._included: set[int] = set()
        self._ended = False
        self._lock = threading.Lock()

    def http(self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes | None, answer: str) -> None:
        """One exchange. `answer`: status and text."""
        self._add(Exchange(method, url, tuple(headers), body, answer[:_MOST_KEPT]))

    def opening(self, name: str, url: str) -> None:
        """A WebSocket is opened, which is called `name` from now on."""
        self._add(Opening(name, url))

    def sent(self, name: str, payload: str, *, typed: bool) -> None:
        """A frame on that WebSocket. `typed`: it is one line of text in one piece."""
        self._add(Frame(name, payload, typed))

    def heard(self, name: str, text: str) -> None:
        """What came on that WebSocket, or of it."""
        self._add(Remark(f"{name} < {text}", heard=True))

    def left(self, name: str) -> None:
        """That WebSocket is closed from this side."""
        self._add(Leaving(name))

    def command(self, text: str, answer: str = "") -> None:
        """Add a command in somebody else's words, secrets in single quotes. `answer`: what came, if that is known."""
        self._add(Command(" ".join(text.split())))
        if answer:
            self._add(Remark(f"→ {answer[:_MOST_KEPT]}"))

    def include(self, other: Transcript) -> None:
        """What happened there belongs to this story too; told once, where it is first needed."""
        with self._lock:
            if self._ended or id(other) in self._included:
                return
            self._included.add(id(other))
            self._steps += other._steps

    @contextmanager
    def unless_right(self) -> Iterator[None]:
        """What happens meanwhile is told only if it raises: for looks at what should not have changed.

        For a story that one thread tells.
        """
        before = len(self._steps)
        yield
        with self._lock:
            del self._steps[before:]

    def end(self) -> None:
        """What follows is tidying up, which no one needs to replay."""
        self._ended = True

    def lines(self, base_url: str = "", last: int | None = None) -> Sequence[str]:
        """The script; of more than `last` steps those, and what they need. `base_url`: the target's REST API."""
        with self._lock:
            steps = list(self._steps)
        return script(steps, self.secrets, base_url, None if self._whole else last)

    def _add(self, step: Step) -> None:
        with self._lock:
            if not self._ended:
                self._steps.append(step)
