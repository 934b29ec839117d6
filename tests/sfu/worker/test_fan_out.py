"""Tests of the way of one packet to many receivers: each gets its own copy."""

from __future__ import annotations

import pytest

from hype.sfu.negotiation import extensions
from hype.sfu.worker import rtp
from hype.sfu.worker.datagrams import pack_name, unpack_name
from hype.sfu.worker.fan_out import FanOut
from hype.sfu.worker.outgoing import OutgoingSocket
from tests.sfu.worker.keys import CM, GCM, pair
from tests.sfu.worker.receiving import Client, routed
from tests.sfu.worker.rig import payload, sequence, ssrc, timestamp


@pytest.mark.parametrize("size", [1, 100, 700, 1100, 1200, 1400])
@pytest.mark.parametrize("count", [1, 63, 64, 65, 150])
def test_each_receiver_gets_the_payload_with_its_own_header(outgoing: OutgoingSocket, count: int, size: int) -> None:
    """A copy has the receiver's sequence number, timestamp, SSRC and mid. The rest is the sender's."""
    clients = [Client(number, CM if number % 3 else GCM) for number in range(count)]
    fan_out, content = FanOut(outgoing), bytes(range(256)) * 6
    for number, client in enumerate(clients):
        fan_out.add(str(number), client.receiver(sequence_offset=number * 1000, timestamp_offset=number * 7))
    fan_out.send(routed(65535, content[:size]), 65535, 65535 * 960)
    outgoing.flush()
    for number, client in enumerate(clients):
        (packet,) = client.received()
        assert payload(packet) == content[:size]
        assert sequence(packet) == (65535 + number * 1000) & 0xFFFF
        assert timestamp(packet) == 65535 * 960 + number * 7
        assert ssrc(packet) == client.ssrc
        header = rtp.parse(packet)
        assert header is not None
        assert rtp.extension_text(packet, header, extensions.MID_ID) == client.mid
    assert outgoing.sent == count
    _close(clients)


def test_a_receiver_that_left_gets_nothing(outgoing: OutgoingSocket) -> None:
    """A receiver that is removed gets no further packet. A new one gets those from then on."""
    stays, leaves, comes = clients = [Client(number) for number in range(3)]
    fan_out = FanOut(outgoing)
    fan_out.add("stays", stays.receiver())
    fan_out.add("leaves", leaves.receiver())
    fan_out.send(routed(1, b"one"), 1, 0)
    outgoing.flush()
    fan_out.remove("leaves")
    fan_out.add("comes", comes.receiver(first=2))
    fan_out.send(routed(2, b"two"), 2, 0)
    outgoing.flush()
    got = [[payload(packet) for packet in client.received()] for client in clients]
    assert got == [[b"one", b"two"], [b"one"], [b"two"]]
    _close(clients)


def test_a_late_packet_goes_to_earlier_receivers_only(outgoing: OutgoingSocket) -> None:
    """A receiver does not get a late packet from before its first one."""
    old, new = clients = [Client(0), Client(1)]
    fan_out = FanOut(outgoing)
    fan_out.add("old", old.receiver(first=0))
    fan_out.add("new", new.receiver(first=10))
    fan_out.send(routed(9, b"late"), 9, 9 * 960)
    outgoing.flush()
    assert [payload(packet) for packet in old.received()] == [b"late"]
    assert new.received() == []
    _close(clients)


def test_receivers_on_tcp_get_the_same(outgoing: OutgoingSocket) -> None:
    """A receiver on TCP gets the packet, though it is not part of a batch."""
    by_udp, by_tcp = clients = [Client(0), Client(1, udp=False)]
    fan_out = FanOut(outgoing)
    for number, client in enumerate(clients):
        fan_out.add(str(number), client.receiver())
    fan_out.send(routed(5, b"both"), 5, 5 * 960)
    outgoing.flush()
    assert [payload(packet) for packet in by_udp.received()] == [b"both"]
    assert [payload(packet) for packet in by_tcp.received()] == [b"both"]
    _close(clients)


def test_what_cannot_be_encrypted_does_not_leave(outgoing: OutgoingSocket) -> None:
    """A copy that cannot be encrypted does not leave, and the other receivers get theirs."""
    broken, sound = clients = [Client(0), Client(1)]
    fan_out = FanOut(outgoing)
    for number, client in enumerate(clients):
        fan_out.add(str(number), client.receiver())
    fan_out.send(routed(5000, b"now"), 5000, 0)
    outgoing.flush()
    assert [len(client.received()) for client in clients] == [1, 1]
    # libsrtp refuses to protect what is further back than its window; a newcomer's window is empty.
    sound.keys, sound.session, _ = pair()
    fan_out.add("1", sound.receiver())
    fan_out.send(routed(1000, b"old"), 1000, 0)
    outgoing.flush()
    assert broken.received() == []
    assert [payload(packet) for packet in sound.received()] == [b"old"]
    _close(clients)


def test_an_unreachable_receiver_does_not_stop_the_others(outgoing: OutgoingSocket) -> None:
    """A receiver whose address the kernel refuses does not stop the others."""
    first, nowhere, second = clients = [Client(number) for number in range(3)]
    nowhere.name = pack_name(("255.255.255.255", 9))
    fan_out = FanOut(outgoing)
    for number, client in enumerate(clients):
        fan_out.add(str(number), client.receiver())
    fan_out.send(routed(1, b"hello"), 1, 0)
    outgoing.flush()
    assert [payload(packet) for client in (first, second) for packet in client.received()] == [b"hello"] * 2
    assert outgoing.sent == 2
    _close(clients)


@pytest.mark.parametrize("address", [("192.0.2.7", 5004), ("2001:db8::1", 65535)])
def test_addresses_survive_packing(address: tuple[str, int]) -> None:
    """An address of either family is the same after packing and unpacking."""
    assert unpack_name(pack_name(address)) == address


def _close(clients: list[Client]) -> None:
    for client in clients:
        client.socket.close()
