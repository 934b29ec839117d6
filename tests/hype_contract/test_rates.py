"""Tests of the cases about a user's writes: a target on a busy machine regains its limit between two slow writes."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from hype_contract.actors.must import Blameless, Violation
from hype_contract.cases.rest import rates
from hype_contract.contract.specs import Contract


class Clock:
    """A clock that only the target's answers move."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        """Return the time in seconds."""
        return self.now


class Writing:
    """A world whose writes take so many seconds each and answer the headers of what is left, in turn."""

    def __init__(self, contract: Contract, clock: Clock, seconds: float, left: Sequence[int] = ()) -> None:
        self.contract = contract
        self._clock, self._seconds, self._left = clock, seconds, iter(left)
        self.rest = SimpleNamespace(call=self._call)

    def guest(self, name: str) -> Any:
        """Return a user with a token."""
        return SimpleNamespace(token=name)

    def channel(self, owner: Any) -> dict[str, str]:
        """Return a channel."""
        return {"id": "room"}

    def _call(self, operation: str, **how: Any) -> Any:
        self._clock.now += self._seconds
        left = next(self._left, 0)
        return SimpleNamespace(
            status=201, headers={"ratelimit": f'"writes";r={left};t=1', "ratelimit-policy": '"writes";q=60;w=2'}
        )


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Give the cases a clock that stands still between two answers, and let them send one request after another."""
    made = Clock()
    monkeypatch.setattr(rates, "time", made)
    monkeypatch.setattr(rates, "race", lambda calls: [call() for call in calls])
    return made


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        pytest.param(0.001, (59, 58, 57, 56, 55), id="quick"),
        pytest.param(0.2, (59, 59, 59, 59, 59), id="slow: all of the limit comes back"),
        pytest.param(0.03, (40, 40, 40, 41, 41), id="slow: more comes back than a write takes"),
    ],
)
def test_a_right_target_passes_however_slow_it_is(
    seconds: float, left: Sequence[int], clock: Clock, contract: Contract
) -> None:
    """A target that takes one of the limit for each write passes, also when all of it comes back in between."""
    rates.what_is_left(Writing(contract, clock, seconds, left))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "left"),
    [
        pytest.param(0.001, (60, 60, 60, 60, 60), id="quick: the whole limit"),
        pytest.param(1.0, (60, 60, 60, 60, 60), id="slow: the whole limit"),
        pytest.param(0.001, (9, 9, 9, 9, 9), id="quick: always the same"),
    ],
)
def test_a_limit_of_which_no_write_takes_one_fails(
    seconds: float, left: Sequence[int], clock: Clock, contract: Contract
) -> None:
    """A target whose writes take nothing fails; that the whole limit is left after a write is wrong at any speed."""
    with pytest.raises(Violation):
        rates.what_is_left(Writing(contract, clock, seconds, left))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "ending"),
    [pytest.param(0.001, Violation, id="quick"), pytest.param(0.03, Blameless, id="as slow as the limit allows")],
)
def test_a_limit_that_is_not_seen_is_missing_only_where_it_must_show(
    seconds: float, ending: type[Exception], clock: Clock, contract: Contract
) -> None:
    """400 accepted writes break the rule, unless the contract's own rate allows so many in that time."""
    world: Any = Writing(contract, clock, seconds)
    with pytest.raises(ending):
        rates._until_refused(world, world.guest("eve"), "room", 1.0)
