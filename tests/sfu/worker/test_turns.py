"""Tests of the share of a worker that each connection has: one that causes much work delays no other for long."""

from __future__ import annotations

import pytest

from hype.sfu.worker import rtcp
from hype.sfu.worker.turns import Share, Turns
from tests.sfu.worker.calls import begin
from tests.sfu.worker.rig import AUDIO_SSRC, CONSUMER_SSRC, Rig, rtp_packet, ssrc

pytestmark = pytest.mark.asyncio(loop_scope="module")

RECEIVERS = 128
PACKETS = 200
IN_A_TURN = -(-Share.TURN // (RECEIVERS + 2))  # packets of the first sender: each goes to all, and counts itself


class Rounds:
    """Turns whose rounds end when the test says so, and the datagrams that were handled, in order."""

    def __init__(self) -> None:
        self.ends = 0
        self.handled: list[str] = []
        self.turns = Turns(self._end_later)

    def _end_later(self) -> None:
        self.ends += 1

    def arrive(self, share: Share, name: str, cost: int) -> None:
        """Have a datagram arrive, as the port does."""

        def handle() -> None:
            self.turns.use(share)
            share.spend(cost)
            self.handled.append(name)

        if share.is_over:
            self.turns.wait(share, handle)
        else:
            handle()


async def test_others_come_first_when_a_turn_is_over() -> None:
    """Datagrams beyond a turn wait for the next round, in order; another connection's datagram does not."""
    rounds, large, small = Rounds(), Share(), Share()
    for number in range(4):
        rounds.arrive(large, f"large {number}", Share.TURN // 2)
    rounds.arrive(small, "small", 2)
    assert rounds.handled == ["large 0", "large 1", "small"]
    assert rounds.ends == 1

    rounds.turns.serve()
    assert rounds.handled[3:] == ["large 2", "large 3"]
    assert rounds.ends == 1


async def test_large_connections_take_turns() -> None:
    """Of two connections with much to do, each has one turn in a round."""
    rounds, one, other = Rounds(), Share(), Share()
    for number in range(3):
        rounds.arrive(one, f"one {number}", Share.TURN)
    for number in range(3):
        rounds.arrive(other, f"other {number}", Share.TURN)
    for _ in range(2):
        rounds.turns.serve()
    assert rounds.handled == ["one 0", "other 0", "one 1", "other 1", "one 2", "other 2"]


async def test_what_one_datagram_costs_beyond_a_turn_is_owed() -> None:
    """A datagram that costs three turns takes the next two rounds from its connection."""
    rounds, share = Rounds(), Share()
    rounds.arrive(share, "dear", 3 * Share.TURN)
    rounds.arrive(share, "next", 1)
    handled = []
    for _ in range(3):
        rounds.turns.serve()
        handled.append(len(rounds.handled))
    assert handled == [1, 1, 2]


async def test_few_datagrams_wait() -> None:
    """A datagram that has no room to wait is lost, and counted; the other connection's room is its own."""
    rounds, large, other = Rounds(), Share(), Share()
    for share in (large, other):
        rounds.arrive(share, "first", Share.TURN)
    for _ in range(Share.MOST + 7):
        rounds.arrive(large, "more", 1)
    rounds.arrive(other, "other", 1)
    rounds.turns.serve()
    assert rounds.turns.lost == 7
    assert rounds.handled.count("more") == Share.MOST
    assert "other" in rounds.handled


async def test_of_one_read_the_least_leaves_first(rig: Rig) -> None:
    """A packet for one receiver does not wait for those for many that the worker has read before it."""
    send, much_sender = await rig.connect("send")
    much = await rig.produce(send, "audio")
    little = await rig.produce(send, "audio", encodings=[{"ssrc": AUDIO_SSRC + 1}])
    recv, receiver = await rig.connect("recv")
    for number in range(8):
        await rig.consume(recv, much, "audio", number=number + 10)
    await rig.consume(recv, little, "audio", number=1)

    with rig.asleep():
        for number in range(5):
            much_sender.send_rtp(rtp_packet(number, b"much"))
        much_sender.send_rtp(rtp_packet(1, b"little", ssrc=AUDIO_SSRC + 1))
    await receiver.until(lambda: len(receiver.packets) >= 41)

    assert ssrc(receiver.packets[0]) == CONSUMER_SSRC + 1


@pytest.mark.parametrize("tcp", [False, True], ids=["udp", "tcp"])
async def test_many_consumers_of_one_producer_starve_nobody(rig: Rig, tcp: bool) -> None:
    """Two hundred packets for 128 consumers are at the worker before another sender's one: it waits for one turn only.

    Its receiver also gets the packets of the first sender, so that one socket shows the order.
    """
    send, flooding = await rig.connect("send", tcp=tcp)
    much = await rig.produce(send, "audio")
    recv, _ = await rig.connect("recv")
    for number in range(RECEIVERS):
        await rig.consume(recv, much, "audio", number=number + 10)
    other, sender = await rig.connect("send", tcp=tcp)
    little = await rig.produce(other, "audio", encodings=[{"ssrc": AUDIO_SSRC + 1}])
    both, receiver = await rig.connect("recv")
    await rig.consume(both, much, "audio", number=0)
    await rig.consume(both, little, "audio", number=1)

    with rig.asleep():
        for number in range(PACKETS):
            flooding.send_rtp(rtp_packet(number, b"much"))
        sender.send_rtp(rtp_packet(1, b"little", ssrc=AUDIO_SSRC + 1))
    await receiver.until(lambda: len(receiver.packets) >= PACKETS + 1)

    came = [ssrc(packet) - CONSUMER_SSRC for packet in receiver.packets]
    assert came.index(1) <= IN_A_TURN
    assert came.count(0) == PACKETS


async def test_reports_that_come_at_once_are_sent_on_once(rig: Rig) -> None:
    """A sender's reports go to all receivers, so a flood of them does not."""
    call = await begin(rig, "audio")
    call.send(1)
    await call.arrived(1)
    with rig.asleep():
        for number in range(20):
            call.sender.send_rtcp(rtcp.sender_report(rtcp.SenderInfo(AUDIO_SSRC, number << 32, number, 1, 1)))
        call.send(2)
    await call.arrived(2)
    kinds = [part.kind for data in call.receiver.reports for part in rtcp.parts(data)]
    assert kinds.count(rtcp.SENDER_REPORT) == 1
