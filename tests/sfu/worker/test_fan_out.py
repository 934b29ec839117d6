"""One packet to many receivers: each gets its own, and nobody gets somebody else's."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from hype.sfu.negotiation import extensions
from hype.sfu.worker import rtp
from hype.sfu.worker.datagrams import Arena, pack_name, unpack_name
from hype.sfu.worker.fan_out import Fan, Leg, Outlet
from hype.sfu.worker.ice import Agent
from hype.sfu.worker.stamps import FIELDS
from tests.sfu.worker.keys import CM, GCM, pair
from tests.sfu.worker.rig import payload, rtp_packet, sequence, ssrc, timestamp


class Receiver:
    """A client: where it is, what it got."""

    def __init__(self, number: int, profile: int = GCM, *, udp: bool = True) -> None:
        self.keys, self.session, _ = pair(profile)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.setblocking(False)
        self.address: tuple[str, int] = self.socket.getsockname()
        self.name = pack_name(self.address) if udp else None
        self.agent: Agent | None = None
        self.sent: list[bytes] = []
        self.ssrc = 1000 + number
        self.mid = f"{number:04}"

    def leg(self, first: int = 0, shift: int = 0, drift: int = 0) -> Leg:
        """Its leg."""
        return Leg(self.keys, self, rtp.stamp_tail(self.ssrc, self.mid), first, shift, drift)

    def send(self, data: bytes) -> None:
        """It is sent this, not by the batch."""
        self.sent.append(data)

    def adopt(self, agent: Agent) -> None:
        """An agent takes it."""
        self.agent = agent

    def release(self) -> None:
        """It is nobody's."""
        self.agent = None

    def received(self) -> list[bytes]:
        """Everything since the last time, decrypted."""
        taken, self.sent = self.sent, []
        while True:
            try:
                taken.append(self.socket.recv(2048))
            except BlockingIOError:
                return [self.session.unprotect(each) for each in taken]


@pytest.fixture
def outlet() -> Iterator[Outlet]:
    """A socket to send from."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        yield Outlet(Arena(FIELDS), sender.fileno())


def routed(number: int, content: bytes) -> bytes:
    """A packet as a stream hands it to its fan."""
    header = rtp.parse(rtp_packet(number, content))
    assert header is not None
    return rtp.outgoing_header(header, 100, 0) + content


@pytest.mark.parametrize("size", [1, 100, 700, 1100, 1200, 1400])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 150])
def test_everybody_gets_the_payload_with_their_own_header(outlet: Outlet, count: int, size: int) -> None:
    """Sequence number, timestamp, SSRC and mid are the receiver's; the rest is the sender's."""
    receivers = [Receiver(number, CM if number % 3 else GCM) for number in range(count)]
    fan, content = Fan(outlet), bytes(range(256)) * 6
    for number, receiver in enumerate(receivers):
        fan.add(number, receiver.leg(shift=number * 1000, drift=number * 7))
    fan.send(routed(65535, content[:size]), 65535, 4000)
    for number, receiver in enumerate(receivers):
        (packet,) = receiver.received()
        assert payload(packet) == content[:size]
        assert sequence(packet) == (65535 + number * 1000) & 0xFFFF
        assert timestamp(packet) == 4000 + number * 7
        assert ssrc(packet) == receiver.ssrc
        header = rtp.parse(packet)
        assert header is not None
        assert rtp.extension_text(packet, header, extensions.MID_ID) == receiver.mid
    assert outlet.sent == count
    _close(receivers)


def test_who_left_gets_nothing(outlet: Outlet) -> None:
    """From the next packet on; who came in between does."""
    stays, leaves, comes = receivers = [Receiver(number) for number in range(3)]
    fan = Fan(outlet)
    fan.add("stays", stays.leg())
    fan.add("leaves", leaves.leg())
    fan.send(routed(1, b"one"), 1, 0)
    fan.remove("leaves")
    fan.add("comes", comes.leg(first=2))
    fan.send(routed(2, b"two"), 2, 0)
    got = [[payload(packet) for packet in receiver.received()] for receiver in receivers]
    assert got == [[b"one", b"two"], [b"one"], [b"two"]]
    _close(receivers)


def test_a_late_packet_goes_only_to_those_who_were_there(outlet: Outlet) -> None:
    """It would give a newcomer a packet from before its first one."""
    old, new = receivers = [Receiver(0), Receiver(1)]
    fan = Fan(outlet)
    fan.add("old", old.leg(first=0))
    fan.add("new", new.leg(first=10))
    fan.send(routed(9, b"late"), 9, 9 * 960)
    assert [payload(packet) for packet in old.received()] == [b"late"]
    assert new.received() == []
    _close(receivers)


def test_receivers_on_tcp_get_the_same(outlet: Outlet) -> None:
    """They have no address that one call could send to."""
    by_udp, by_tcp = receivers = [Receiver(0), Receiver(1, udp=False)]
    fan = Fan(outlet)
    for number, receiver in enumerate(receivers):
        fan.add(number, receiver.leg())
    fan.send(routed(5, b"both"), 5, 5 * 960)
    assert [payload(packet) for packet in by_udp.received()] == [b"both"]
    assert [payload(packet) for packet in by_tcp.received()] == [b"both"]
    _close(receivers)


def test_what_cannot_be_encrypted_does_not_leave(outlet: Outlet) -> None:
    """Not for the one who has no keys any more, and the others miss nothing."""
    broken, sound = receivers = [Receiver(0), Receiver(1)]
    fan = Fan(outlet)
    for number, receiver in enumerate(receivers):
        fan.add(number, receiver.leg())
    fan.send(routed(5000, b"now"), 5000, 0)
    assert [len(receiver.received()) for receiver in receivers] == [1, 1]
    # libsrtp refuses to protect what is further back than its window; a newcomer's window is empty.
    sound.keys, sound.session, _ = pair()
    fan.add(1, sound.leg())
    fan.send(routed(1000, b"old"), 1000, 0)
    assert broken.received() == []
    assert [payload(packet) for packet in sound.received()] == [b"old"]
    _close(receivers)


def test_an_unreachable_receiver_does_not_stop_the_others(outlet: Outlet) -> None:
    """The kernel refuses one address; those before and behind it are sent to."""
    one, nowhere, two = receivers = [Receiver(number) for number in range(3)]
    nowhere.name = pack_name(("255.255.255.255", 9))
    fan = Fan(outlet)
    for number, receiver in enumerate(receivers):
        fan.add(number, receiver.leg())
    fan.send(routed(1, b"hello"), 1, 0)
    assert [payload(packet) for receiver in (one, two) for packet in receiver.received()] == [b"hello"] * 2
    assert outlet.sent == 2
    _close(receivers)


@pytest.mark.parametrize("address", [("192.0.2.7", 5004), ("2001:db8::1", 65535)])
def test_addresses_survive_packing(address: tuple[str, int]) -> None:
    """Both families."""
    assert unpack_name(pack_name(address)) == address


def _close(receivers: list[Receiver]) -> None:
    for receiver in receivers:
        receiver.socket.close()
