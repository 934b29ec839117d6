"""The watch on the target: it tells a target that went away from a target that breaks the contract."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import httpx

from hype_contract.actors.clients.conditions import Stop
from hype_contract.actors.clients.http import Unreadable
from hype_contract.actors.clients.opening import connect
from hype_contract.actors.must import Violation

LOOK_S = 8.0
"""Seconds in which the target answers the question whether it is there."""

RETURN_WITHIN_S = 30.0
"""Seconds that the run waits for a target that went away."""

_SIGN = "/health"
_SECOND_SIGN = "/api/servers"
"""The path that shows whether a silent target is there: its `/health` may answer while all else waits for a lock."""

_BETWEEN_S = 0.25
_BEFORE_S = 2.0
"""Seconds before an outage was noticed in which a failure may have come from it."""

_ONE_OUTAGE_S = 5.0
_UNANSWERED = (OSError, EOFError)


@dataclass
class Outage:
    """A time without the target, on the monotonic clock. `until`: None while it lasts."""

    since: float
    at: str
    how: str
    until: float | None = None

    @property
    def sentence(self) -> str:
        """The outage in a sentence, for the verdict."""
        if self.until is None:
            return f"the target went away at {self.at} ({self.how}) and did not come back within {RETURN_WITHIN_S:g} s"
        return f"the target went away at {self.at} ({self.how}) and came back after {self.until - self.since:.1f} s"


class Watch:
    """The watch on one target. Thread-safe.

    `outages`: in order. `announce`: shows a sentence to the person at the terminal.
    """

    def __init__(self, http: httpx.Client, ws_url: str, stop: Stop) -> None:
        """Watch the REST API of `http` and, unless `ws_url` is empty, the gateway."""
        self.outages: list[Outage] = []
        self.announce: Callable[[str], None] = lambda sentence: None
        self._http = http
        self._ws_url = ws_url
        self._stop = stop
        self._signs = [_SIGN]
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Ask for the second sign of life. A target that does not answer it now is judged by `/health` alone."""
        if self._silence(_SECOND_SIGN, LOOK_S) is None:
            self._signs.append(_SECOND_SIGN)

    @property
    def gone(self) -> Outage | None:
        """The outage that did not end in time, or None."""
        last = self.outages[-1] if self.outages else None
        return last if last and last.until is None and self._stop.reason == last.sentence else None

    def during(self, since: float) -> Outage | None:
        """Return an outage that a case which began at `since` has met."""
        met = [each for each in self.outages if each.until is None or each.until + _BEFORE_S > since]
        return met[-1] if met else None

    def look(self, *, silent: bool = False) -> bool:
        """Return whether the target is there; wait for a target that went away, at most `RETURN_WITHIN_S` seconds.

        silent: it has not answered a request in time. When it does not come back, the run is stopped.
        """
        signs = self._signs if silent else self._signs[:1]
        with self._lock:
            if self._stop.reason is not None:
                return False
            asked = time.monotonic()
            how = self._problem(LOOK_S, signs)
            if how is None:
                return True
            outage = Outage(asked - _BEFORE_S, datetime.now().astimezone().strftime("%H:%M:%S"), how)
            self.outages.append(outage)
            self.announce(f"the target went away ({how}); waiting for it, at most {RETURN_WITHIN_S:g} s")
            return self._wait(outage, asked + RETURN_WITHIN_S, signs)

    def note(self, how: str) -> None:
        """Enter an outage that was over before the watch could see it: a connection was refused."""
        with self._lock:
            now = time.monotonic()
            if self.outages and self.outages[-1].until is not None and now - self.outages[-1].until < _ONE_OUTAGE_S:
                self.outages[-1].until = now
                return
            self.outages.append(Outage(now - _BEFORE_S, datetime.now().astimezone().strftime("%H:%M:%S"), how, now))

    def _wait(self, outage: Outage, due: float, signs: Sequence[str]) -> bool:
        while (left := due - time.monotonic()) > 0 and self._stop.reason is None:
            self._stop.sleep(min(_BETWEEN_S, left))
            if self._problem(min(LOOK_S, max(left, _BETWEEN_S)), signs) is None:
                outage.until = time.monotonic()
                self.announce(outage.sentence)
                return True
        self._stop.pull(outage.sentence)
        return False

    def _problem(self, within: float, signs: Sequence[str]) -> str | None:
        """Return what is wrong when the target gives no answer at all; any answer will do."""
        for path in signs:
            if how := self._silence(path, within):
                return how
        if not self._ws_url:
            return None
        try:
            connect(self._ws_url).close_socket()
        except Violation as violation:
            if isinstance(violation.__cause__, _UNANSWERED):
                return f"the gateway: {violation.got}"
        return None

    def _silence(self, path: str, within: float) -> str | None:
        """Return how a request stays without an answer, or None; any answer will do."""
        try:
            self._http.get(path, timeout=within)
        except Unreadable:
            pass
        except httpx.TimeoutException:
            return f"GET {path} is not answered within {within:g} s"
        except httpx.TransportError as error:
            return f"GET {path}: {error}"
        return None
