"""Servers that follow the document's words alone break nothing at `--level documented` (amendment A23)."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.mutants.applying import check
from tests.strangers.deviations import stranger
from tests.strangers.followers import FOLLOWERS, judged

NAMES = [each.name for each in FOLLOWERS]
SLOW = ["joiner-hears-nothing"]
"""Followers without what the harness waits for, so that each wait takes its time."""
TOGETHER = [name for name in NAMES if name not in SLOW]
TODAY = NAMES[datetime.now(UTC).toordinal() % len(NAMES)]
"""The follower whose turn it is: each of them alone, in as many days as there are."""


@pytest.mark.parametrize("name", NAMES)
def test_each_can_be_applied(name: str) -> None:
    """The places that a follower changes are there."""
    check(stranger([each for each in FOLLOWERS if each.name == name]))


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("names", "mode"),
    [(TOGETHER, []), ([TODAY], ["--fast"])],
    ids=["together", "today"],
)
def test_followers_break_nothing(names: list[str], mode: list[str]) -> None:
    """All at once in a default run, and one alone: the words are all that counts, so the verdict is `conforms`."""
    outcome = judged(names, [*mode, "--area", "rest", "--area", "gateway", "--workers", "8"])
    assert (outcome.code, list(outcome.broken)) == (0, []), outcome.told[-3000:]
