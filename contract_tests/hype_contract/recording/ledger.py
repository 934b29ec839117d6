"""The coverage ledger: what was seen on the wire, and whether it was correct.

A case writes to its own `Trace`; when it has ended, the runner adds the trace to the `Ledger` with the outcome. So an
answer counts as passed only if it kept the spec and the case that looked at it passed.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from hype_contract.contract.specs import Expected, Pair
from hype_contract.recording.makers import Makers
from hype_contract.recording.secrecy import Secrets
from hype_contract.recording.transcript import Transcript
from hype_contract.requirements.requirement import Requirement

State = Literal["passed", "exercised", "failed", "not exercised", "not implemented", "exempt"]

_REASONS: dict[State, str] = {
    "passed": "",
    "failed": "the target sent it, but it was wrong",
    "exercised": "it was seen only in cases that did not pass",
    "not exercised": "no case made the target send it",
    "not implemented": "the target does not have it: it answers 404, 405 or 501",
    "exempt": "",
}


@dataclass(frozen=True)
class Finding:
    """A breach that a case has seen beside its own subject: another requirement fails by it, and the case goes on.

    `requirement`: the id of that requirement. `step`: number of steps of the transcript up to the breach.
    """

    requirement: str
    pair: Pair | None
    expected: str
    got: str
    step: int


class Trace:
    """The pairs that one case saw. Thread-safe.

    `exercised`: number of answers and frames that the case itself caused; making users and channels does not count.
    `findings`: the first breach of each other requirement.
    """

    def __init__(self, secrets: Secrets, makers: Makers | None = None) -> None:
        self._makers = makers or Makers()
        self.transcript = Transcript(secrets)
        self.seen: Counter[Pair] = Counter()
        self.wrong: set[Pair] = set()
        self.beyond: set[Pair] = set()
        self.not_implemented: set[str] = set()
        self.excused: dict[Pair, str] = {}
        self.findings: dict[str, Finding] = {}
        self.exercised = 0
        self.setting_up = False
        self._lock = threading.Lock()

    def observe(self, pair: Pair | None, *, right: bool) -> None:
        """Enter what crossed the wire. `pair`: None if the specs do not count it, such as an unknown path."""
        with self._lock:
            self.exercised += not self.setting_up
            if pair is None:
                return
            self.seen[pair] += 1
            if not right:
                self.wrong.add(pair)

    def observe_beyond(self, pair: Pair | None) -> None:
        """Enter that what crossed the wire keeps the words of the document, and breaks what the specs decide beyond."""
        with self._lock:
            self.beyond |= {pair} if pair else set()

    def note(self, requirement: str, expected: str, got: str, pair: Pair | None = None) -> None:
        """Enter a breach of another requirement than the case's own. The first breach of each is kept."""
        with self._lock:
            self.findings.setdefault(requirement, Finding(requirement, pair, expected, got, len(self.transcript)))

    def made(self, id: str) -> None:
        """Enter that this case made the user or the channel with this id."""
        self._makers.made(id, self)

    def take_over(self, id: str) -> None:
        """Enter that the user with this id, whom an earlier case made, belongs to this case now."""
        self._makers.take_over(id, self)

    def is_of_another(self, ids: Iterable[str]) -> bool:
        """Return whether these ids are those of another case's users and channels, and this case sent none of them."""
        every = list(ids)
        return any(self._makers.of_another(id, self) for id in every) and not self.transcript.mentions(every)

    def include(self, other: Trace) -> None:
        """Add the steps of another trace, and the breaches of other requirements that it has."""
        self.transcript.include(other.transcript)
        with self._lock:
            for finding in list(other.findings.values()):
                self.findings.setdefault(finding.requirement, replace(finding, step=len(self.transcript)))

    def unimplemented(self, operation: str) -> None:
        """Enter that the target answered 501, so that no answer of this operation counts as passed."""
        with self._lock:
            self.exercised += not self.setting_up
            self.not_implemented.add(operation)

    def excuse(self, operation: str, status: int, reason: str) -> None:
        """Enter that this answer need not be seen, since a ruling allows another (R8: 400 instead of 415)."""
        with self._lock:
            self.excused[Pair("operation", operation, str(status))] = reason


class Ledger:
    """The sum of all traces of a run. Thread-safe."""

    def __init__(self) -> None:
        self.seen: Counter[Pair] = Counter()
        self.passed: Counter[Pair] = Counter()
        self.failed: set[Pair] = set()
        self.beyond: set[Pair] = set()
        self.not_implemented: set[str] = set()
        self.excused: dict[Pair, str] = {}
        self._lock = threading.Lock()

    def add(
        self, trace: Trace, *, passed: bool, blamed: Pair | None = None, proven: Container[Pair] = frozenset()
    ) -> None:
        """Enter a finished case.

        `blamed`: the pair that its failure is about. `proven`: the pairs about which its failure says nothing.
        """
        with self._lock:
            self.seen.update(trace.seen)
            self.passed.update({pair: count for pair, count in trace.seen.items() if passed or pair in proven})
            self.failed |= trace.wrong | ({blamed} if blamed else set())
            self.beyond |= trace.beyond
            self.not_implemented |= trace.not_implemented
            self.excused.update(trace.excused)

    def state(self, expected: Expected) -> State:
        """Return the state of one pair."""
        pair = expected.pair
        if pair in self.failed:
            return "failed"
        if self.passed[pair]:
            return "passed"
        if expected.exempt:  # an outage in the middle of a run is no gap of the run
            return "exempt"
        if self.seen[pair]:
            return "exercised"
        if pair in self.excused:
            return "exempt"
        return "not implemented" if self._is_unimplemented(expected) else "not exercised"

    def cell(self, expected: Expected, *, by_the_words: bool) -> State:
        """Return the state of one pair as tables show it. by_the_words: what the specs decide beyond does not count."""
        return "failed" if expected.pair in self.beyond and not by_the_words else self.state(expected)

    def state_of(self, requirement: Requirement) -> tuple[State, str]:
        """Return the state of a requirement's pair, and a sentence that says why it is not `passed`.

        Raises `ValueError` if cases judge the requirement.
        """
        if requirement.pair is None:
            raise ValueError(f"{requirement.id} is judged by its cases")
        extension = requirement.level == "extension"
        expected = Expected(requirement.pair, requirement.area, requirement.source, extension, requirement.exempt)
        state = self.state(expected)
        reason = self.reason(expected) if state == "exempt" else _REASONS[state]
        if state == "failed" and not self.seen[requirement.pair]:
            reason = "it was due, and did not come"
        return state, reason or ""

    def reason(self, expected: Expected) -> str | None:
        """Return the reason why a pair is exempt, or None."""
        return self.excused.get(expected.pair) or expected.exempt

    def _is_unimplemented(self, expected: Expected) -> bool:
        # A server without its SFU answers 501 to the voice operations; then it has no media to announce either.
        return expected.pair.name in self.not_implemented or (
            expected.area == "media" and bool(self.not_implemented & {"createProducer", "createSendTransport"})
        )
