"""The way of packets to many receivers, each with its own SRTP key, SSRC, numbering and mid.

A packet is copied in bulk, patched and encrypted in place: no Python object is made per packet and receiver. What came
by one read of the socket is handed to the kernel in one call per burst (`outgoing.bursts`). Receivers on TCP, and
packets that come late, are sent one by one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hype.sfu.codecs.codec import PictureShift
from hype.sfu.worker import rtp
from hype.sfu.worker.dtls import Keys, protect
from hype.sfu.worker.ice import Path
from hype.sfu.worker.outgoing import DatagramBatch, OutgoingSocket, Packet, Row, bursts
from hype.sfu.worker.stamps import Stamps

__all__ = ["FanOut", "Receiver"]


@dataclass(slots=True, eq=False)
class Receiver:
    """A receiver of a fan-out's packets.

    tail: `rtp.stamp_tail`, the SSRC and mid. first: the index of the first packet that it gets. sequence_offset: added
    to a packet's index, it gives the receiver's own sequence number (before wrapping). timestamp_offset: is added to
    the timestamp. pictures: is added to the numbers of the pictures; None: they stay as they are.
    """

    keys: Keys
    path: Path
    tail: bytes
    first: int
    sequence_offset: int
    timestamp_offset: int = 0
    pictures: PictureShift | None = None

    def stamp(self, packet: bytes, index: int) -> bytearray:
        """Return the receiver's own copy of the packet with that index. It is the same each time."""
        own = bytearray(_with_pictures(packet, self.pictures))
        timestamp = int.from_bytes(packet[4:8], "big") + self.timestamp_offset
        sequence = index + self.sequence_offset
        rtp.write_stamp(own, rtp.STAMP_AT, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, self.tail)
        return own


class _Batch:
    """Up to an arena's worth of receivers on UDP whose tags are of one size, and whose pictures are shifted alike."""

    def __init__(self, socket: OutgoingSocket, receivers: list[Receiver]) -> None:
        self._socket = socket
        self._receivers = receivers  # keeps the SRTP contexts alive
        self._tag, self._pictures = receivers[0].keys.tag, receivers[0].pictures
        self._contexts = [each.keys.context for each in receivers]
        self._stamps = Stamps(
            [each.sequence_offset for each in receivers],
            [each.timestamp_offset for each in receivers],
            [each.tail for each in receivers],
        )
        self._datagrams = DatagramBatch(socket, [each.path.name or b"" for each in receivers])
        self._protect = protect()

    def send(self, burst: Sequence[Packet]) -> int:
        """Send the packets of a burst to all and return how many copies the kernel took."""
        rows, count = self._socket.arena.rows(len(burst)), len(self._receivers)
        codes: list[int] = []
        for row, (packet, index, timestamp) in zip(rows, burst, strict=True):
            if self._pictures is not None:
                packet = _with_pictures(packet, self._pictures)
            columns, pointers = row.fill(packet, count)
            self._stamps.write(columns, index, timestamp)
            codes += map(self._protect, self._contexts, pointers, row.lengths)  # in C, like the stamps
            row.seal(count, len(packet) + self._tag)
        if any(codes):  # a copy that libsrtp did not encrypt must not leave
            return self._send_encrypted(rows, codes)
        return self._datagrams.send(len(burst), len(burst[0][0]) + self._tag)

    def _send_encrypted(self, rows: Sequence[Row], codes: list[int]) -> int:
        copies = ((row, number) for row in rows for number in range(len(self._receivers)))
        for (row, number), code in zip(copies, codes, strict=True):
            if code == 0:
                self._receivers[number].path.send(row.content(number))
        sent = codes.count(0)
        self._socket.messages += sent
        return sent


class FanOut:
    """The receivers of one stream."""

    def __init__(self, socket: OutgoingSocket) -> None:
        """Begin without receivers."""
        self._socket = socket
        self._receivers: dict[str, Receiver] = {}
        self._stale = False
        self._newest = 0  # the highest first index of a receiver
        self._queue: list[Packet] = []  # packets of the read that goes on
        self._batches: list[_Batch] = []
        self._on_tcp: list[Receiver] = []

    def __len__(self) -> int:
        return len(self._receivers)

    @property
    def cost(self) -> int:
        """The copies of packets that wait, of all receivers."""
        return len(self._queue) * len(self._receivers)

    def __contains__(self, key: str) -> bool:
        return key in self._receivers

    def add(self, key: str, receiver: Receiver) -> None:
        """Send to this receiver too, from the next packet on. It replaces the receiver with the same key."""
        self.flush()
        self._receivers[key] = receiver
        self._stale = True

    def move(self, key: str, path: Path) -> None:
        """Reach the receiver with that key by another path. Raises KeyError."""
        self.flush()
        self._receivers[key].path = path
        self._stale = True

    def remove(self, key: str) -> None:
        """Send no more to the receiver with that key, if there is one."""
        self.flush()
        if self._receivers.pop(key, None) is not None:
            self._stale = True

    def send(self, packet: bytes, index: int, timestamp: int) -> None:
        """Send a packet, laid out as `rtp` says, to every receiver that has begun, by the socket's next flush.

        index: the packet's place in its stream, counted without wrapping. timestamp: the packet's own.
        """
        if self._stale:
            self._arrange()
        if index < self._newest:
            self.flush()
            self._send_singly((each for each in self._receivers.values() if each.first <= index), packet, index)
            return
        if not self._queue:
            self._socket.flush_later(self)
        self._queue.append((packet, index, timestamp))

    def flush(self) -> None:
        """Send the packets that wait, in their order."""
        if not self._queue:
            return
        packets, self._queue = self._queue, []
        for burst in bursts(packets, self._socket.segmentation):
            for batch in self._batches:
                self._socket.sent += batch.send(burst)
        if self._on_tcp:
            for packet, index, _ in packets:
                self._send_singly(self._on_tcp, packet, index)

    def _send_singly(self, receivers: Iterable[Receiver], packet: bytes, index: int) -> None:
        for receiver in receivers:
            sealed = receiver.keys.seal(bytes(receiver.stamp(packet, index)))
            if sealed is not None:
                receiver.path.send(sealed)
                self._socket.sent += 1
                self._socket.messages += 1

    def _arrange(self) -> None:
        self._stale = False
        receivers = self._receivers.values()
        self._newest = max((each.first for each in receivers), default=0)
        self._on_tcp = [each for each in receivers if each.path.name is None]
        alike: dict[tuple[int, PictureShift | None], list[Receiver]] = {}
        for each in receivers:
            if each.path.name is not None:
                alike.setdefault((each.keys.tag, each.pictures), []).append(each)
        step = self._socket.arena.COUNT
        self._batches = [
            _Batch(self._socket, group[at : at + step]) for group in alike.values() for at in range(0, len(group), step)
        ]


def _with_pictures(packet: bytes, pictures: PictureShift | None) -> bytes:
    return packet if pictures is None else pictures.of_packet(packet, rtp.HEADER_SIZE)
