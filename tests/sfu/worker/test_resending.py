"""Tests of the budget of retransmissions: real losses are repaired, and nobody has much sent again for little."""

from __future__ import annotations

import pytest

from hype.sfu.worker.resending import ResendBudget
from tests.sfu.worker.rig import ssrc
from tests.sfu.worker.test_outbound_track import LOW, Call, Client

SIZE = 1000
PACKETS = 600


def running() -> tuple[Call, Client]:
    """Return a call in which a client with RTX got 600 packets of 1,000 bytes."""
    call = Call()
    client = call.clients[LOW]
    for _ in range(PACKETS):
        call.send(LOW, 1, call.content().ljust(SIZE, b"\0"))
    return call, client


def repeated(client: Client) -> int:
    """Return the bytes that the client was sent again."""
    return sum(len(each) for each in client.sent if ssrc(each) != client.track.ssrc)


def test_a_greedy_client_gets_a_share_of_what_it_was_sent() -> None:
    """A client that asks for everything, as often as it may, gets half of what it was sent and the first bytes."""
    call, client = running()
    for _ in range(12):
        for first in range(0, PACKETS, 100):
            client.track.resend([(client.newest - first - each) & 0xFFFF for each in range(100)], call.clock())
        call.clock.advance(0.1)
    most = PACKETS * (SIZE + 50) * ResendBudget.SHARE + ResendBudget.FIRST_OCTETS
    assert most / 2 < repeated(client) <= most


def test_a_lossy_link_is_repaired() -> None:
    """A client that loses every third packet, and the first repetition of each too, gets all of them."""
    call, client = running()
    lost = {(client.newest - back) & 0xFFFF for back in range(0, PACKETS // 2, 3)}
    for _ in range(2):
        known = len(client.sent)
        client.track.resend(sorted(lost), call.clock())
        assert {int.from_bytes(each[28:30], "big") for each in client.sent[known:]} == lost
        call.clock.advance(0.1)


def test_requests_end_with_the_budget_and_begin_with_packets() -> None:
    """A client that asks for numbers that were never sent is soon not heard, and heard again when it is sent more."""
    call, client = running()
    while client.track.requests_left():
        client.track.resend([(client.newest + 1000 + each) & 0xFFFF for each in range(1024)], call.clock())
    known = repeated(client)
    wanted = client.newest
    client.track.resend([wanted], call.clock())
    assert repeated(client) == known == 0
    call.send(LOW, 1, call.content())
    client.track.resend([wanted], call.clock())
    assert repeated(client) > 0


@pytest.mark.parametrize("count", [1, 1000])
def test_what_is_kept_is_bounded(count: int) -> None:
    """A budget keeps half a megabyte and 8,192 numbers at most, however long nothing is lost."""
    budget = ResendBudget()
    for _ in range(10_000):
        budget.earn(count, count * 1000)
    assert budget.ask(1_000_000) == ResendBudget.MAX_NUMBERS
    assert budget.spend(ResendBudget.MAX_OCTETS)
    assert not budget.spend(1)
