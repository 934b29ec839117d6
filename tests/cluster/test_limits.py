"""Token buckets and failed logins."""

from __future__ import annotations

import pytest

from hype.cluster import Limit
from hype.cluster.limits import LocalFailedLogins, TokenBuckets
from tests.clocks import HandClock

ANN = Limit("ann 192.0.2.1", most=3, window_s=60)
ADDRESS = Limit("192.0.2.1", most=5, window_s=60)


def test_a_bucket_gives_its_burst_and_no_more() -> None:
    """Twenty frames at once pass; the twenty-first does not."""
    buckets = TokenBuckets(HandClock())
    assert [buckets.take("ann", rate=10, burst=20) for _ in range(21)] == [True] * 20 + [False]


def test_a_bucket_fills_at_its_rate() -> None:
    """At 10 a second, an empty bucket has exactly one token after 0.1 s."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for _ in range(20):
        buckets.take("ann", rate=10, burst=20)
    for _ in range(50):
        clock.advance(0.1)
        assert buckets.take("ann", rate=10, burst=20)
        assert not buckets.take("ann", rate=10, burst=20)


def test_a_refused_frame_takes_no_token() -> None:
    """A user who sends too much is accepted again as soon as a user who waits."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for _ in range(500):
        buckets.take("ann", rate=10, burst=20)
    clock.advance(0.1)
    assert buckets.take("ann", rate=10, burst=20)


def test_buckets_are_independent() -> None:
    """A flood of one user does not slow another user."""
    buckets = TokenBuckets(HandClock())
    for _ in range(30):
        buckets.take("ann", rate=10, burst=20)
    assert buckets.take("ben", rate=10, burst=20)


def test_an_idle_bucket_saves_at_most_its_burst() -> None:
    """An hour without frames does not save more than the burst."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    buckets.take("ann", rate=10, burst=20)
    clock.advance(3600)
    assert [buckets.take("ann", rate=10, burst=20) for _ in range(21)].count(True) == 20


def test_full_buckets_are_forgotten() -> None:
    """Memory holds the buckets of active users only."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    for number in range(10_000):
        buckets.take(f"user {number}", rate=10, burst=20)
        clock.advance(1)
    assert len(buckets._full_at) < 2000


def test_failures_are_counted_until_the_limit() -> None:
    """Three failures count; the fourth gets the time to wait and is not counted."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for _ in range(3):
        assert logins.record([ANN]) == 0
        clock.advance(10)
    assert logins.record([ANN]) == pytest.approx(30)
    assert logins.blocked_s([ANN]) == pytest.approx(30)


def test_room_comes_back_one_failure_at_a_time() -> None:
    """The window slides: there is room for one more when the oldest failure leaves it."""
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
    """Many emails of one address reach the address's limit, and nothing is counted for the email."""
    logins = LocalFailedLogins(HandClock())
    for name in "abcde":
        assert logins.record([Limit(name, 3, 60), ADDRESS]) == 0
    assert logins.record([ANN, ADDRESS]) > 0
    assert logins.blocked_s([ANN]) == 0


def test_an_empty_list_of_limits_never_blocks() -> None:
    """The documented profile has no limits."""
    logins = LocalFailedLogins(HandClock())
    assert logins.record([]) == logins.blocked_s([]) == 0


def test_failures_are_counted_up_to_the_limit() -> None:
    """Of 200 failures exactly the limit's number is counted."""
    logins = LocalFailedLogins(HandClock())
    limit = Limit("ann", most=7, window_s=60)
    counted = [logins.record([limit]) == 0 for _ in range(200)]
    assert counted.count(True) == 7


def test_old_failures_are_forgotten() -> None:
    """Memory holds the failures of the last minute only."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for number in range(10_000):
        logins.record([Limit(f"user {number}", 3, 60)])
        clock.advance(1)
    assert len(logins._until) < 2000


def test_a_bucket_tells_what_is_left() -> None:
    """A taken token leaves the others; an empty bucket says when it has one again, and when it is full."""
    clock = HandClock()
    buckets = TokenBuckets(clock)
    assert [buckets.spend("ann", rate=2, burst=4).left for _ in range(4)] == [3, 2, 1, 0]
    empty = buckets.spend("ann", rate=2, burst=4)
    assert empty.left == 0
    assert [empty.wait_s, empty.full_s] == pytest.approx([0.5, 2])
    clock.advance(0.2)
    assert buckets.spend("ann", rate=2, burst=4).wait_s == pytest.approx(0.3)
    clock.advance(0.3)
    assert buckets.spend("ann", rate=2, burst=4).wait_s == 0


def test_a_flood_of_keys_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory is bounded even when every request has an address of its own."""
    monkeypatch.setattr("hype.cluster.limits._MOST_KEYS", 500)
    clock = HandClock()
    buckets, logins = TokenBuckets(clock), LocalFailedLogins(clock)
    for number in range(5000):
        buckets.take(f"address {number}", rate=1, burst=1000)
        logins.record([Limit(f"address {number}", 3, 3600)])
    assert len(buckets._full_at) <= 2048
    assert len(logins._until) <= 2048


ACCOUNT = Limit("account ann", most=3, window_s=3600, delay_s=5, longest_delay_s=60)


def test_guessing_at_one_account_is_slowed() -> None:
    """After three failures each further one must wait twice as long as the one before, up to a minute."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for _ in range(3):
        assert logins.record([ACCOUNT]) == 0
    delays = []
    for _ in range(6):
        delays.append(logins.blocked_s([ACCOUNT]))
        assert logins.record([ACCOUNT]) > 0
        clock.advance(delays[-1])
        assert logins.record([ACCOUNT]) == 0
    assert delays == pytest.approx([5, 10, 20, 40, 60, 60])


def test_a_slowed_account_recovers() -> None:
    """Failures stop counting after the window, so the delay ends."""
    clock = HandClock()
    logins = LocalFailedLogins(clock)
    for _ in range(3):
        logins.record([ACCOUNT])
    clock.advance(3600)
    assert [logins.record([ACCOUNT]) for _ in range(3)] == [0, 0, 0]


def test_known_addresses_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address of a login is remembered; the oldest are forgotten."""
    monkeypatch.setattr("hype.cluster.limits._MOST_KNOWN", 2)
    logins = LocalFailedLogins(HandClock())
    for address in ("192.0.2.1", "192.0.2.2", "192.0.2.1", "192.0.2.3"):
        logins.note_success("ann", address)
    assert [logins.knows("ann", f"192.0.2.{number}") for number in (1, 2, 3)] == [True, False, True]
    assert not logins.knows("ben", "192.0.2.1")
