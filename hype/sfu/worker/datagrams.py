"""Many datagrams by one system call, in buffers that are allocated once. This is the only file that imports cffi."""

from __future__ import annotations

import errno
import socket
import struct
from array import array
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

from cffi import FFI

__all__ = ["NAME_SIZE", "Arena", "CData", "DatagramBatch", "Field", "Inbox", "Slot", "pack_name", "unpack_name"]

Field: TypeAlias = tuple[Literal["B", "H", "I"], int]  # (width, place): 1, 2 or 4 bytes, where in a packet
CData: TypeAlias = Any  # cffi has no types

NAME_SIZE = 28  # of the largest socket address, struct sockaddr_in6
_V4_NAME_SIZE = 16
_SLOT_SIZE = 2048
_HEADERS = """
struct iovec { void *iov_base; size_t iov_len; };
struct msghdr {
    void *msg_name; unsigned int msg_namelen; struct iovec *msg_iov; size_t msg_iovlen;
    void *msg_control; size_t msg_controllen; int msg_flags;
};
struct mmsghdr { struct msghdr msg_hdr; unsigned int msg_len; };
int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags);
int recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, void *timeout);
"""


@cache
def _libc() -> tuple[FFI, CData]:
    ffi = FFI()
    ffi.cdef(_HEADERS)
    return ffi, ffi.dlopen(None)


def pack_name(address: tuple[str, int]) -> bytes:
    """Return a socket address as the kernel has it (struct sockaddr_in or sockaddr_in6)."""
    host, port = address[0], address[1]
    if ":" in host:
        head = struct.pack("=H", socket.AF_INET6) + struct.pack("!HI", port, 0)
        return head + socket.inet_pton(socket.AF_INET6, host) + bytes(4)
    return struct.pack("=H", socket.AF_INET) + struct.pack("!H", port) + socket.inet_aton(host) + bytes(8)


def unpack_name(name: bytes) -> tuple[str, int]:
    """Return the (host, port) that `pack_name` has packed."""
    port = int.from_bytes(name[2:4], "big")
    if len(name) == NAME_SIZE:
        return socket.inet_ntop(socket.AF_INET6, name[8:24]), port
    return socket.inet_ntoa(name[4:8]), port


class Slot:
    """The buffer of one datagram, in which it is decrypted. libsrtp takes `pointer` and `length`.

    view: gives single bytes. buffer: its slices are `bytes`.
    """

    __slots__ = ("_inbox", "buffer", "length", "pointer", "view")

    def __init__(self, inbox: Inbox, pointer: CData, buffer: CData, length: CData) -> None:
        self._inbox = inbox  # keeps the memory that the pointer points into
        self.pointer = pointer
        self.buffer = buffer
        self.view = memoryview(buffer).cast("B")
        self.length = length

    def put(self, data: bytes) -> int:
        """Copy a datagram in that did not come through the inbox, and return its size; 0: it is too large."""
        if len(data) > _SLOT_SIZE:
            return 0
        self.view[: len(data)] = data
        return len(data)


class Inbox:
    """The buffers that receive up to `count` datagrams of a socket at a time."""

    def __init__(self, family: int, count: int = 64) -> None:
        """Allocate the buffers. family: the socket's."""
        ffi, self._lib = _libc()
        self._null = ffi.NULL
        self._name_size = NAME_SIZE if family == socket.AF_INET6 else _V4_NAME_SIZE
        self._buffer = ffi.new("unsigned char[]", count * _SLOT_SIZE)
        self._names = ffi.new("unsigned char[]", count * NAME_SIZE)
        self._lengths = ffi.new("int[]", count)
        self._iovecs = ffi.new("struct iovec[]", count)
        self._messages = ffi.new("struct mmsghdr[]", count)
        self._name_buffer = ffi.buffer(self._names)
        words = memoryview(ffi.buffer(self._messages)).cast("B").cast("I")
        at, step = ffi.offsetof("struct mmsghdr", "msg_len"), ffi.sizeof("struct mmsghdr")
        self.sizes: Sequence[int] = words[at // 4 :: step // 4]
        """The sizes of the datagrams in the slots, in bytes."""
        self.slots = [
            Slot(self, self._buffer + at, ffi.buffer(self._buffer + at, _SLOT_SIZE), self._lengths + index)
            for index, at in enumerate(range(0, count * _SLOT_SIZE, _SLOT_SIZE))
        ]
        for index in range(count):
            self._iovecs[index].iov_base = self._buffer + index * _SLOT_SIZE
            self._iovecs[index].iov_len = _SLOT_SIZE
            header = self._messages[index].msg_hdr
            header.msg_name = self._names + index * NAME_SIZE
            header.msg_namelen = NAME_SIZE
            header.msg_iov = self._iovecs + index
            header.msg_iovlen = 1

    def receive(self, descriptor: int) -> int:
        """Fill the first slots with the datagrams that wait at the socket. Returns how many; 0: none, or an error."""
        return max(0, int(self._lib.recvmmsg(descriptor, self._messages, len(self.slots), 0, self._null)))

    def name(self, index: int) -> bytes:
        """Return the source address of the datagram in slot `index`, as `pack_name` writes it."""
        at = index * NAME_SIZE
        name: bytes = self._name_buffer[at : at + self._name_size]
        return name


class Arena:
    """The buffers in which a packet is multiplied: one slot per receiver. All that sends in this process shares them.

    A slot is as narrow as the packet allows, so that little is copied and the whole stays in the processor's cache.
    """

    COUNT = 64
    _STRIDES = (256, 768, 1280, 1664)
    ROOM = 32  # behind the packet, for the SRTP tag

    def __init__(self, fields: Sequence[Field] = ()) -> None:
        """Allocate the buffers. fields: the places at which the copies of a packet differ."""
        self._ffi, _ = _libc()
        self._buffer = self._ffi.new("unsigned char[]", self.COUNT * self._STRIDES[-1])
        self.view = memoryview(self._ffi.buffer(self._buffer)).cast("B")
        self._iovecs = self._ffi.new("struct iovec[]", self.COUNT)
        self.iovecs = [self._iovecs + index for index in range(self.COUNT)]
        self._lengths = self._ffi.new("int[]", self.COUNT)
        self.lengths = [self._lengths + index for index in range(self.COUNT)]
        self._length_view = memoryview(self._ffi.buffer(self._lengths)).cast("B").cast("i")
        words = memoryview(self._ffi.buffer(self._iovecs)).cast("B").cast("Q")
        self._bases, self._sizes = words[0::2], words[1::2]
        start = int(self._ffi.cast("size_t", self._buffer))
        self._grids = [_Grid(self._buffer, start, self._columns(fields, stride), stride) for stride in self._STRIDES]
        self._grid = self._grids[-1]
        self._bases[:] = self._grid.bases

    def _columns(self, fields: Sequence[Field], stride: int) -> list[memoryview[int]]:
        return [
            self.view.cast(code)[at // size :: stride // size][: self.COUNT]
            for code, at in fields
            for size in (struct.calcsize(code),)
        ]

    @property
    def max_packet(self) -> int:
        """The largest packet that fits, in bytes."""
        return self._STRIDES[-1] - self.ROOM

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
        self._length_view[:count] = array("i", (size,)) * count
        return grid.columns, grid.pointers

    def seal(self, count: int, size: int) -> None:
        """Note that each of the first slots now holds `size` bytes to be sent."""
        self._sizes[:count] = memoryview(array("Q", (size,)) * count)

    def content(self, index: int) -> bytes:
        """Return the content of slot `index`, in the length that libsrtp has set."""
        at = self._grid.offsets[index]
        return bytes(self.view[at : at + self._length_view[index]])


class _Grid:
    """The places of the slots when they are `stride` bytes apart."""

    def __init__(self, buffer: CData, start: int, columns: Sequence[memoryview], stride: int) -> None:
        self.stride = stride
        self.most = stride - Arena.ROOM
        self.least = next((other - Arena.ROOM for other in reversed(Arena._STRIDES) if other < stride), -1)
        self.offsets = list(range(0, stride * Arena.COUNT, stride))
        self.columns = columns
        self.pointers = [buffer + offset for offset in self.offsets]
        self.bases = memoryview(array("Q", (start + offset for offset in self.offsets)))


class DatagramBatch:
    """The destinations of an arena's first slots, which one system call sends."""

    def __init__(self, arena: Arena, names: Sequence[bytes]) -> None:
        """Prepare the destination of each slot. names: as `pack_name` writes them."""
        self._ffi, self._lib = _libc()
        self._arena = arena  # keeps the memory that the messages point into
        self._count = len(names)
        self._messages = self._ffi.new("struct mmsghdr[]", self._count)
        self._names = self._ffi.new("unsigned char[]", self._count * NAME_SIZE)
        view = memoryview(self._ffi.buffer(self._names)).cast("B")
        for index, name in enumerate(names):
            at = index * NAME_SIZE
            view[at : at + len(name)] = name
            header = self._messages[index].msg_hdr
            header.msg_name = self._names + at
            header.msg_namelen = len(name)
            header.msg_iov = arena.iovecs[index]
            header.msg_iovlen = 1

    def send(self, descriptor: int) -> int:
        """Send every slot, and return how many the kernel took. A datagram that the socket has no room for is lost."""
        sent = int(self._lib.sendmmsg(descriptor, self._messages, self._count, 0))
        return sent if sent == self._count else self._send_rest(descriptor, sent)

    def _send_rest(self, descriptor: int, sent: int) -> int:
        done = taken = 0
        while True:
            if sent > 0:
                done += sent
                taken += sent
            elif self._ffi.errno in (errno.EAGAIN, errno.ENOBUFS):
                return taken
            elif self._ffi.errno != errno.EINTR:
                done += 1  # this receiver cannot be reached; the next ones may be
            if done >= self._count:
                return taken
            sent = self._lib.sendmmsg(descriptor, self._messages + done, self._count - done, 0)
