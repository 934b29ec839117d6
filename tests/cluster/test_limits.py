"""Token buckets and failed logins."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from hype.cluster import Limit
from hype.cluster.limits import LocalFailedLogins, TokenBuckets
from tests.clocks import HandClock

ANN = Limit("ann 192.0.2.1", most=3, window_s=60)
ADDRESS = Limit("192.0.2.1", most=5, window_s=60)


def test_a_bucket_gives_its_burst_and_no_more() -> None:
    """Twenty frames at once pass, the twenty-first does not."""
    buckets = TokenBuckets(HandClock())
    assert [buckets.take("ann", rate=10, burst=20) for _ in range(21)] == [True] * 20 + [False]


def test_a_bucket_fills_at_its_rate() -> None:
    """After an empty bucket, 0.1 s at 10 a second is worth exactly one frame."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for _ in range(20):
        buckets.take("ann", rate=10, burst=20)
    for _ in range(50):
        clock.advance(0.1)
        assert buckets.take("ann", rate=10, burst=20)
        assert not buckets.take("ann", rate=10, burst=20)


def test_a_refused_frame_costs_nothing() -> None:
    """Somebody who keeps knocking is let in as soon as anyone else would be."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for _ in range(500):
        buckets.take("ann", rate=10, burst=20)
    clock.advance(0.1)
    assert buckets.take("ann", rate=10, burst=20)


def test_buckets_do_not_share() -> None:
    """One user's flood does not slow another."""
    buckets = TokenBuckets(HandClock())
    for _ in range(30):
        buckets.take("ann", rate=10, burst=20)
    assert buckets.take("ben", rate=10, burst=20)


def test_a_long_idle_bucket_saves_up_no_more_than_its_burst() -> None:
    """An hour of silence does not buy an hour's worth of frames."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    buckets.take("ann", rate=10, burst=20)
    clock.advance(3600)
    assert [buckets.take("ann", rate=10, burst=20) for _ in range(21)].count(True) == 20


def test_full_buckets_are_forgotten() -> None:
    """Memory holds those who are active now, not everybody who ever was."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for number in range(10_000):
        buckets.take(f"user {number}", rate=10, burst=20)
        clock.advance(1)
    assert len(buckets._full_at) < 2000


def test_failures_are_counted_until_the_limit() -> None:
    """Three failures count, the fourth is told how long to wait and is not counted."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for _ in range(3):
        assert logins.record([ANN]) == 0
        clock.advance(10)
    assert logins.record([ANN]) == pytest.approx(30)
    assert logins.blocked_s([ANN]) == pytest.approx(30)


def test_room_comes_back_one_failure_at_a_time() -> None:
    """The window slides: when the oldest failure leaves it, there is room for one more."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for _ in range(3):
        logins.record([ANN])
        clock.advance(10)
    clock.advance(30)
    assert logins.blocked_s([ANN]) == 0
    assert logins.record([ANN]) == 0
    assert logins.record([ANN]) == pytest.approx(10)


def test_the_fuller_of_two_limits_decides() -> None:
    """Many emails from one address run into the address's limit, with nothing counted for the email."""
    logins = LocalFailedLogins(HandClock())
    for name in "abcde":
        assert logins.record([Limit(name, 3, 60), ADDRESS]) == 0
    assert logins.record([ANN, ADDRESS]) > 0
    assert logins.blocked_s([ANN]) == 0


def test_no_limits_never_block() -> None:
    """The documented profile has none."""
    logins = LocalFailedLogins(HandClock())
    assert logins.record([]) == logins.blocked_s([]) == 0


def test_racing_failures_are_counted_exactly() -> None:
    """Of 200 failures in 20 threads exactly the limit's number is counted."""
    logins = LocalFailedLogins(HandClock())
    limit = Limit("ann", most=7, window_s=60)
    with ThreadPoolExecutor(20) as pool:
        counted = list(pool.map(lambda _: logins.record([limit]) == 0, range(200)))
    assert counted.count(True) == 7


def test_old_failures_are_forgotten() -> None:
    """Memory holds the failures of the last minute, not of all time."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for number in range(10_000):
        logins.record([Limit(f"user {number}", 3, 60)])
        clock.advance(1)
    assert len(logins._until) < 2000
