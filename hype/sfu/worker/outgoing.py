"""Many datagrams by one system call, in buffers that are allocated once: what goes out.

Several packets to one receiver leave as one message with `UDP_SEGMENT` (Linux 4.18 and later), which the kernel walks
through its layers once and cuts into datagrams at the end. They must be of one size; the last one may be shorter.
"""

from __future__ import annotations

import errno
import logging
import os
import socket
import struct
from array import array
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from hype.sfu.worker.datagrams import NAME_SIZE, CData, libc

__all__ = ["Arena", "DatagramBatch", "Field", "OutgoingSocket", "Packet", "Row", "bursts", "can_segment"]

Field: TypeAlias = tuple[Literal["H", "I"], int]  # (width, place): 2 or 4 bytes, where in a packet
Packet: TypeAlias = tuple[bytes, int, int]
"""A packet for many receivers: its bytes, its index and its timestamp."""

_logger = logging.getLogger(__name__)

_UDP_SEGMENT = 103  # Linux; the socket module does not name it
_CONTROL = struct.Struct("@NiiH6x")  # struct cmsghdr with the size of a segment, padded
_NO_ROOM = (errno.EAGAIN, errno.ENOBUFS)
# What the kernel says of segmentation that it, or a network card without checksums, cannot do.
_NO_SEGMENTATION = (errno.EINVAL, errno.EIO, errno.EOPNOTSUPP, errno.ENOPROTOOPT)
_MAX_MESSAGE = 0xFFFF - 48  # bytes, behind the headers of IPv6 and UDP
_ANY_ROUTE = 1280 - 48  # bytes of a datagram that every route carries whole


def can_segment(udp: socket.socket) -> bool:
    """Tell whether the kernel knows `UDP_SEGMENT`. An older one would ignore it, and send one large datagram."""
    with suppress(OSError):
        udp.setsockopt(socket.IPPROTO_UDP, _UDP_SEGMENT, 0)
        return True
    return False


class Queue(Protocol):
    """A fan-out with packets that wait for the end of a read."""

    @property
    def cost(self) -> int:
        """The copies of packets that wait, of all receivers."""

    def flush(self) -> None:
        """Send the packets."""


@dataclass(slots=True, eq=False)
class OutgoingSocket:
    """The UDP socket of a worker, and the buffers that every fan-out sends from.

    segmentation: whether several packets to a receiver leave as one message. The kernel's first refusal ends it.
    sent: packets. messages: those that they left in, by UDP and TCP. oversized: packets that were too large to be sent.
    """

    arena: Arena
    descriptor: int
    segmentation: bool = False
    sent: int = 0
    messages: int = 0
    oversized: int = 0
    _queues: list[Queue] = field(default_factory=list)

    def flush_later(self, queue: Queue) -> None:
        """Have the next `flush` send the packets of a fan-out."""
        self._queues.append(queue)

    def flush(self) -> None:
        """Send what came by one read, the least first: it does not wait for the most. To be called after each read."""
        if len(self._queues) > 1:
            self._queues.sort(key=lambda queue: queue.cost)
        while self._queues:
            self._queues.pop(0).flush()


def bursts(packets: Sequence[Packet], segmentation: bool) -> list[Sequence[Packet]]:
    """Return the packets in their order, as many together as one message carries; without segmentation each alone."""
    if len(packets) == 1:  # the rule on a quiet machine
        return [packets]
    found, start = [], 0
    for at in range(1, len(packets) + 1):
        if at == len(packets) or not segmentation or not _continues(packets, start, at):
            found.append(packets[start:at])
            start = at
    return found


def _continues(packets: Sequence[Packet], start: int, at: int) -> bool:
    """Tell whether the message that begins with packet `start`, and has all up to packet `at`, takes that one too."""
    size, segments = len(packets[start][0]), at - start + 1
    whole = len(packets[at - 1][0]) == size >= len(packets[at][0])
    return whole and segments <= Arena.SEGMENTS and segments * (size + Arena.ROOM) <= _MAX_MESSAGE


class Arena:
    """The buffers of all that sends in this process: a row for each packet of a burst, with a slot per receiver."""

    COUNT = 64  # receivers
    SEGMENTS = 64  # packets in a burst, as many as Linux takes
    STRIDES = (256, 768, 1280, 1664)
    ROOM = 32  # behind a packet, for the SRTP tag
    MAX_PACKET = STRIDES[-1] - ROOM  # bytes

    def __init__(self, fields: Sequence[Field] = ()) -> None:
        """Allocate the first row. fields: the places at which the copies of a packet differ."""
        ffi, _ = libc()
        self._fields = fields
        # The iovecs of a receiver are side by side, as its message takes them.
        self._iovecs = ffi.new("struct iovec[]", self.COUNT * self.SEGMENTS)
        self._words = memoryview(ffi.buffer(self._iovecs)).cast("B").cast("Q")
        self._rows: list[Row] = []
        self.rows(1)

    def rows(self, count: int) -> Sequence[Row]:
        """Return the rows of the first `count` packets of a burst. Rows that are not there yet are allocated."""
        for index in range(len(self._rows), count):
            words = self._words[2 * index :: 2 * self.SEGMENTS], self._words[2 * index + 1 :: 2 * self.SEGMENTS]
            self._rows.append(Row(self._fields, *words))
        return self._rows[:count]

    def iovecs(self, index: int, segment: int = 0) -> CData:
        """Return the pointer to the iovec of a receiver's copy of a packet. Those of its next packets follow."""
        return self._iovecs + index * self.SEGMENTS + segment


class Row:
    """The slots in which one packet is multiplied, one per receiver.

    A slot is as narrow as the packet allows, so that little is copied and the whole stays in the processor's cache.
    """

    def __init__(self, fields: Sequence[Field], bases: memoryview[int], sizes: memoryview[int]) -> None:
        """Allocate the slots. bases, sizes: the iovecs' members, which the row sets."""
        self._ffi, _ = libc()
        self._buffer = self._ffi.new("unsigned char[]", Arena.COUNT * Arena.STRIDES[-1])
        self.view = memoryview(self._ffi.buffer(self._buffer)).cast("B")
        self._lengths = self._ffi.new("int[]", Arena.COUNT)
        self.lengths = [self._lengths + index for index in range(Arena.COUNT)]
        self._length_view = memoryview(self._ffi.buffer(self._lengths)).cast("B").cast("i")
        self._bases, self._sizes = bases, sizes
        self._filled = memoryview(array("i"))
        self._sealed = 0, 0
        start = int(self._ffi.cast("size_t", self._buffer))
        self._grids = [_Grid(self._buffer, start, self._columns(fields, stride), stride) for stride in Arena.STRIDES]
        self._grid = self._grids[-1]
        self._bases[:] = self._grid.bases

    def _columns(self, fields: Sequence[Field], stride: int) -> list[memoryview[int]]:
        whole = Arena.COUNT * stride
        return [
            self.view[at : whole - stride + at + size].cast("B").cast(code)[:: stride // size]
            for code, at in fields
            for size in (struct.calcsize(code),)
        ]

    def fill(self, packet: bytes, count: int) -> tuple[Sequence[memoryview], Sequence[CData]]:
        """Put `count` copies of the packet into the first slots.

        Returns the columns of the fields, each of all slots, and the pointers of the slots.
        """
        size = len(packet)
        grid = self._grid
        if not grid.least < size <= grid.most:
            grid = self._grid = next(each for each in self._grids if size <= each.most)
            self._bases[:] = grid.bases
        self.view[:size] = packet
        filled = 1
        while filled < count:
            more = min(filled, count - filled)
            self._ffi.memmove(grid.pointers[filled], grid.pointers[0], more * grid.stride)
            filled += more
        if len(self._filled) != count or self._filled[0] != size:
            self._filled = memoryview(array("i", (size,)) * count)
        self._length_view[:count] = self._filled
        return grid.columns, grid.pointers

    def seal(self, count: int, size: int) -> None:
        """Note that each of the first slots now holds `size` bytes to be sent."""
        if self._sealed[0] < count or self._sealed[1] != size:
            self._sizes[:count] = memoryview(array("Q", (size,)) * count)
            self._sealed = count, size

    def content(self, index: int) -> bytes:
        """Return the content of slot `index`, in the length that libsrtp has set."""
        at = self._grid.offsets[index]
        return bytes(self.view[at : at + self._length_view[index]])


class _Grid:
    """The places of the slots when they are `stride` bytes apart."""

    def __init__(self, buffer: CData, start: int, columns: Sequence[memoryview], stride: int) -> None:
        self.stride = stride
        self.most = stride - Arena.ROOM
        self.least = next((other - Arena.ROOM for other in reversed(Arena.STRIDES) if other < stride), -1)
        self.offsets = list(range(0, stride * Arena.COUNT, stride))
        self.columns = columns
        self.pointers = [buffer + offset for offset in self.offsets]
        self.bases = memoryview(array("Q", (start + offset for offset in self.offsets)))


class DatagramBatch:
    """The destinations of an arena's first slots, which one system call sends."""

    def __init__(self, outgoing: OutgoingSocket, names: Sequence[bytes]) -> None:
        """Prepare the destination of each slot. names: as `pack_name` writes them."""
        self._ffi, self._lib = libc()
        self._socket = outgoing  # keeps the memory that the messages point into
        self._count = len(names)
        self._messages = self._ffi.new("struct mmsghdr[]", self._count)
        self._single = self._ffi.new("struct mmsghdr *")
        self._names = self._ffi.new("unsigned char[]", self._count * NAME_SIZE)
        self._control = self._ffi.new("unsigned char[]", _CONTROL.size)
        self._control_view = self._ffi.buffer(self._control)
        self._segments, self._size = 1, 0
        view = memoryview(self._ffi.buffer(self._names)).cast("B")
        for index, name in enumerate(names):
            at = index * NAME_SIZE
            view[at : at + len(name)] = name
            header = self._messages[index].msg_hdr
            header.msg_name = self._names + at
            header.msg_namelen = len(name)
            header.msg_iov = outgoing.arena.iovecs(index)
            header.msg_iovlen = 1
            header.msg_control = self._control
        words = memoryview(self._ffi.buffer(self._messages)).cast("B").cast("Q")
        self._iovec_counts, self._control_sizes = (
            words[self._word("struct msghdr", member) :: self._word("struct mmsghdr")]
            for member in ("msg_iovlen", "msg_controllen")
        )

    def _word(self, name: str, *member: str) -> int:
        return int(self._ffi.offsetof(name, *member) if member else self._ffi.sizeof(name)) // 8

    def send(self, segments: int, size: int) -> int:
        """Send each receiver its copies of the first `segments` packets, which have `size` bytes but for the last one.

        Returns how many copies the kernel took. What the socket has no room for is lost.
        """
        if (segments, size) != (self._segments, self._size):
            self._divide(segments, size)
        sent = int(self._lib.sendmmsg(self._socket.descriptor, self._messages, self._count, 0))
        if sent != self._count:
            return self._send_rest(sent)
        self._socket.messages += sent
        return sent * segments

    def _divide(self, segments: int, size: int) -> None:
        """Have every message consist of so many segments of that size."""
        if segments != self._segments:
            self._iovec_counts[:] = memoryview(array("Q", (segments,)) * self._count)
            control_size = _CONTROL.size if segments > 1 else 0
            self._control_sizes[:] = memoryview(array("Q", (control_size,)) * self._count)
        self._segments, self._size = segments, size
        length = _CONTROL.size - 6
        self._control_view[:] = _CONTROL.pack(length, socket.IPPROTO_UDP, _UDP_SEGMENT, size)

    def _send_rest(self, sent: int) -> int:
        done = taken = 0
        while True:
            if sent > 0:
                done += sent
                taken += sent * self._segments
                self._socket.messages += sent
            elif self._ffi.errno in _NO_ROOM:
                return taken
            elif self._ffi.errno != errno.EINTR:
                taken += self._send_apart(done, self._ffi.errno)
                done += 1  # if this receiver cannot be reached, the next ones may be
            if done >= self._count:
                return taken
            messages = self._messages + done
            sent = self._lib.sendmmsg(self._socket.descriptor, messages, self._count - done, 0)

    def _send_apart(self, index: int, refusal: int) -> int:
        """Send a receiver its packets one by one, if the kernel may have refused them for being one message.

        If it takes them so, it refuses segmentation, unless they may be too large for this receiver's route.
        """
        if self._segments == 1 or refusal not in (*_NO_SEGMENTATION, errno.EMSGSIZE):
            return 0
        taken = sum(self._send_one(index, segment) for segment in range(self._segments))
        self._socket.messages += taken
        if taken and refusal in _NO_SEGMENTATION and self._size <= _ANY_ROUTE and self._socket.segmentation:
            self._socket.segmentation = False
            _logger.warning("No UDP_SEGMENT (%s): packets leave one by one from now on", os.strerror(refusal))
        return taken

    def _send_one(self, index: int, segment: int) -> bool:
        whole, header = self._messages[index].msg_hdr, self._single.msg_hdr
        header.msg_name, header.msg_namelen = whole.msg_name, whole.msg_namelen
        header.msg_iov, header.msg_iovlen = self._socket.arena.iovecs(index, segment), 1
        while True:
            if self._lib.sendmmsg(self._socket.descriptor, self._single, 1, 0) == 1:
                return True
            if self._ffi.errno != errno.EINTR:
                return False
