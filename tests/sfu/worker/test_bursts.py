"""Tests of packets that leave together: one message per receiver, and at the receiver what each was alone."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import pytest

from hype.sfu.worker import outgoing as adapter
from hype.sfu.worker.datagrams import libc, pack_name
from hype.sfu.worker.fan_out import FanOut
from hype.sfu.worker.outgoing import Arena, OutgoingSocket, bursts, can_segment
from hype.sfu.worker.stamps import FIELDS
from tests.sfu.worker.keys import CM, GCM, pair
from tests.sfu.worker.receiving import Client, routed
from tests.sfu.worker.rig import payload, sequence

Listen: TypeAlias = Callable[..., Client]

UDP_GRO, SO_NO_CHECK = 104, 11  # Linux; the socket module does not name them
HEAD, TAG = 28, 16


def content(number: int, size: int = 900) -> bytes:
    """Return the payload of the packet with that number."""
    return b"%08d" % number + bytes(size - 8)


def send(fan_out: FanOut, contents: Sequence[bytes], first: int = 0) -> None:
    """Send packets, as they would come by one read."""
    for index, each in enumerate(contents, first):
        fan_out.send(routed(index, each), index, index * 960)


def begin(outgoing: OutgoingSocket, clients: Sequence[Client]) -> FanOut:
    """Return a fan-out to the clients."""
    fan_out = FanOut(outgoing)
    for number, client in enumerate(clients):
        fan_out.add(str(number), client.receiver())
    return fan_out


def messages(client: Client) -> list[tuple[int, int]]:
    """Return the size of each message that came to a client, and the size of its segments; 0: it had one."""
    found: list[tuple[int, int]] = []
    while True:
        try:
            data, control, _, _ = client.socket.recvmsg(1 << 16, 64)
        except BlockingIOError:
            return found
        found.append((len(data), int.from_bytes(control[0][2][:4], "little") if control else 0))


class Refusing:
    """The C library, on a machine that refuses some messages."""

    def __init__(self, error: int, *, after: int | None = None) -> None:
        """Refuse with that error. after: the one message behind so many; None: every one with segments."""
        self._ffi, self._lib = libc()
        self._error, self._after = error, after

    def sendmmsg(self, descriptor: int, messages: Any, count: int, flags: int) -> int:
        """Send those before the first refused one, or tell of that one, as the kernel does."""
        taken = 0
        while taken < count and not self._refuses(messages[taken], taken):
            taken += 1
        if not taken:
            self._after = -1 if self._after is not None else None
            self._ffi.errno = self._error
            return -1
        if self._after is not None:
            self._after -= taken
        return int(self._lib.sendmmsg(descriptor, messages, taken, flags))

    def _refuses(self, message: Any, index: int) -> bool:
        return bool(message.msg_hdr.msg_controllen) if self._after is None else index == self._after

    def install(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Stand in the place of the C library, for senders that begin from now on."""
        monkeypatch.setattr(adapter, "libc", lambda: (self._ffi, self))


@pytest.mark.parametrize("count", [2, 8, 64])
def test_a_burst_arrives_as_separate_packets_in_order(outgoing: OutgoingSocket, listen: Listen, count: int) -> None:
    """Each receiver gets each packet with its own header, in order, whatever its tags and addresses are."""
    clients = [listen(number, CM if number % 3 else GCM, udp=number != 4) for number in range(70)]
    fan_out = begin(outgoing, clients)
    send(fan_out, [content(number, 300) for number in range(count)])
    outgoing.flush()
    for client in clients:
        packets = client.received()
        assert [payload(packet) for packet in packets] == [content(number, 300) for number in range(count)]
        assert [sequence(packet) for packet in packets] == list(range(count))
    assert outgoing.sent == 70 * count
    assert outgoing.messages == 69 + count


def test_a_burst_is_the_same_to_the_byte_as_its_packets_alone(outgoing: OutgoingSocket, client: Client) -> None:
    """A receiver gets the same packets, however many of them came together."""
    fan_out = begin(outgoing, [client])
    send(fan_out, [content(number) for number in range(5)])
    outgoing.flush()
    together = [client.socket.recv(2048) for _ in range(5)]
    for number in range(5):  # an encrypted packet that is sent again is the same
        send(fan_out, [content(number)], number)
        outgoing.flush()
    assert [client.socket.recv(2048) for _ in range(5)] == together


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_burst_leaves_as_one_message(listen: Listen, host: str) -> None:
    """The kernel gets equal packets and a shorter last one as one message, over either family."""
    client = listen(host=host)
    client.socket.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)  # what was one message is not split again
    with socket.socket(client.socket.family, socket.SOCK_DGRAM) as sender:
        outgoing = OutgoingSocket(Arena(FIELDS), sender.fileno(), can_segment(sender))
        send(begin(outgoing, [client]), [content(number) for number in range(7)] + [content(7, 40)])
        outgoing.flush()
    size = HEAD + 900 + TAG
    assert messages(client) == [(7 * size + HEAD + 40 + TAG, size)]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([700], [1]),
        ([700, 700, 700], [3]),
        ([700, 700, 699], [3]),
        ([700, 700, 699, 699], [3, 1]),
        ([700, 700, 701], [2, 1]),
        ([699, 700, 700, 100, 100], [1, 3, 1]),
        ([100] * 130, [64, 64, 2]),
        ([1600] * 60, [40, 20]),
        ([], []),
    ],
)
def test_a_message_takes_equal_packets_and_a_shorter_last_one(sizes: list[int], expected: list[int]) -> None:
    """Packets keep their order. A message has up to 64 of one size and up to 64 KB; the last one may be shorter."""
    packets = [(bytes(size), index, 0) for index, size in enumerate(sizes)]
    found = bursts(packets, True)
    assert [len(burst) for burst in found] == expected
    assert [packet for burst in found for packet in burst] == packets
    assert [len(burst) for burst in bursts(packets, False)] == [1] * len(sizes)


@pytest.mark.parametrize("sizes", [[900, 900, 901, 30, 900, 899, 899, 31], [100] * 130, [1200] * 64])
def test_packets_of_any_sizes_arrive(outgoing: OutgoingSocket, client: Client, sizes: list[int]) -> None:
    """Packets that do not fit into one message arrive all the same, in order, and none is sent twice."""
    fan_out = begin(outgoing, [client])
    contents = [content(number, size) for number, size in enumerate(sizes)]
    send(fan_out, contents)
    outgoing.flush()
    assert [payload(packet) for packet in client.received()] == contents


def test_nothing_waits_for_another_read(outgoing: OutgoingSocket, listen: Listen, client: Client) -> None:
    """A flush sends all that came, and the next one sends nothing again."""
    first, second = begin(outgoing, [client]), begin(outgoing, [other := listen(1)])
    send(first, [content(0)])
    send(second, [content(1)])
    outgoing.flush()
    outgoing.flush()
    assert [payload(packet) for each in (client, other) for packet in each.received()] == [content(0), content(1)]


def test_receivers_that_come_and_leave_amid_a_read(outgoing: OutgoingSocket, listen: Listen) -> None:
    """Packets of the same read go to those who were there when each came, and to the path of that moment."""
    stays, leaves, comes, moved = clients = [listen(number) for number in range(4)]
    fan_out = begin(outgoing, [stays, leaves])
    send(fan_out, [content(0)])
    send(fan_out, [content(2)], 2)
    fan_out.remove("1")
    assert [payload(packet) for packet in leaves.received()] == [content(0), content(2)]
    fan_out.add("comes", comes.receiver(first=3))
    send(fan_out, [content(3), content(4)], 3)
    moved.session = stays.session
    fan_out.move("0", moved)
    send(fan_out, [content(5)], 5)
    send(fan_out, [content(1)], 1)  # it comes late, and before the first one of the newcomer
    outgoing.flush()
    got = [sorted(int(payload(packet)[:8]) for packet in client.received()) for client in clients]
    assert got == [[0, 2, 3, 4], [], [3, 4, 5], [1, 5]]


def test_a_late_packet_does_not_overtake(outgoing: OutgoingSocket, listen: Listen) -> None:
    """A late packet that a newcomer must not get is sent behind those of the same read that came before it."""
    old, new = listen(0, udp=False), listen(1)
    fan_out = begin(outgoing, [old])
    fan_out.add("new", new.receiver(first=10))
    send(fan_out, [content(10), content(11)], 10)
    send(fan_out, [content(9)], 9)
    outgoing.flush()
    assert [payload(packet) for packet in old.received()] == [content(10), content(11), content(9)]
    assert [payload(packet) for packet in new.received()] == [content(10), content(11)]


@pytest.mark.parametrize("address", [("255.255.255.255", 9), ("127.0.0.1", 0)])  # EACCES, EINVAL
def test_an_unreachable_receiver_does_not_harm_the_others(
    outgoing: OutgoingSocket, listen: Listen, address: tuple[str, int]
) -> None:
    """A receiver whose address the kernel refuses costs nobody else a packet, nor the segmentation."""
    first, nowhere, second = clients = [listen(number) for number in range(3)]
    nowhere.name = pack_name(address)
    fan_out = begin(outgoing, clients)
    for start in (0, 4):
        send(fan_out, [content(number) for number in range(start, start + 4)], start)
        outgoing.flush()
    for client in (first, second):
        assert [payload(packet) for packet in client.received()] == [content(number) for number in range(8)]
    assert (outgoing.sent, outgoing.messages) == (16, 4)
    assert outgoing.segmentation


def test_a_copy_that_cannot_be_encrypted_does_not_leave(outgoing: OutgoingSocket, listen: Listen) -> None:
    """Of a burst with a packet that libsrtp refuses for one receiver, all the others leave."""
    broken, sound = clients = [listen(0), listen(1)]
    fan_out = begin(outgoing, clients)
    send(fan_out, [content(5000)], 5000)
    outgoing.flush()
    assert [len(client.received()) for client in clients] == [1, 1]
    sound.keys, sound.session, _ = pair()  # which has no window of packets that are too old
    fan_out.add("1", sound.receiver())
    send(fan_out, [content(number) for number in (1000, 1001)], 1000)
    send(fan_out, [content(5001)], 5001)
    outgoing.flush()
    assert [payload(packet) for packet in broken.received()] == [content(5001)]
    assert [payload(packet) for packet in sound.received()] == [content(1000), content(1001), content(5001)]


def test_a_kernel_that_refuses_segments_is_not_asked_again(
    outgoing: OutgoingSocket, sender: socket.socket, client: Client
) -> None:
    """Where segmentation is refused, as without checksums, no packet is lost, and each leaves alone from then on."""
    sender.setsockopt(socket.SOL_SOCKET, SO_NO_CHECK, 1)
    fan_out = begin(outgoing, [client])
    for start in (0, 4):
        send(fan_out, [content(number) for number in range(start, start + 4)], start)
        outgoing.flush()
        assert not outgoing.segmentation
    assert [payload(packet) for packet in client.received()] == [content(number) for number in range(8)]
    assert outgoing.sent == outgoing.messages == 8


@pytest.mark.parametrize(
    ("error", "size", "goes_on"),
    [
        (errno.EIO, 900, False),
        (errno.EINVAL, 900, False),
        (errno.EMSGSIZE, 900, True),  # the route of that receiver carries less
        (errno.EINVAL, 1400, True),  # so old kernels say the same
    ],
)
def test_what_is_refused_together_leaves_apart(
    outgoing: OutgoingSocket, listen: Listen, monkeypatch: pytest.MonkeyPatch, error: int, size: int, goes_on: bool
) -> None:
    """All receivers get each packet once and encrypted once. Segmentation ends unless the packets are too large."""
    Refusing(error).install(monkeypatch)
    clients = [listen(number) for number in range(3)]
    fan_out = begin(outgoing, clients)
    send(fan_out, [content(number, size) for number in range(4)])
    outgoing.flush()
    for client in clients:
        packets = client.received()
        assert [sequence(packet) for packet in packets] == [0, 1, 2, 3]
        assert [payload(packet) for packet in packets] == [content(number, size) for number in range(4)]
    assert outgoing.segmentation is goes_on
    assert outgoing.sent == outgoing.messages == 12


@pytest.mark.parametrize("error", [errno.EAGAIN, errno.ENOBUFS])
def test_what_the_socket_has_no_room_for_is_lost(
    outgoing: OutgoingSocket, listen: Listen, monkeypatch: pytest.MonkeyPatch, error: int
) -> None:
    """The rest of a burst is lost and not counted, and nothing is sent later."""
    Refusing(error, after=1).install(monkeypatch)
    clients = [listen(number) for number in range(3)]
    fan_out = begin(outgoing, clients)
    send(fan_out, [content(number) for number in range(4)])
    outgoing.flush()
    assert [len(client.received()) for client in clients] == [4, 0, 0]
    assert (outgoing.sent, outgoing.messages) == (4, 1)
    assert outgoing.segmentation


def test_segmentation_needs_a_kernel_that_knows_it(sender: socket.socket) -> None:
    """A kernel that does not know the option is found out before the first packet: it would send one large datagram."""

    class Old(socket.socket):
        def setsockopt(self, *_arguments: Any) -> None:
            raise OSError(errno.ENOPROTOOPT, "Protocol not available")

    with Old(socket.AF_INET, socket.SOCK_DGRAM) as old:
        assert not can_segment(old)
    assert can_segment(sender)
