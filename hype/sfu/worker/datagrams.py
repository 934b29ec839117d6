"""Many datagrams by one system call, in buffers that are allocated once: what comes in. `outgoing` is the other way.

Where the system has no such calls, each datagram takes one. This is the only file that imports cffi.
"""

from __future__ import annotations

import errno
import logging
import socket
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

from cffi import FFI

__all__ = ["NAME_SIZE", "CData", "Inbox", "Slot", "libc", "pack_name", "unpack_name"]

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


_logger = logging.getLogger(__name__)


@cache
def libc() -> tuple[FFI, CData]:
    """Return cffi's view of memory, and the calls that `_HEADERS` declares: the C library's, or else `OneByOne`."""
    ffi = FFI()
    ffi.cdef(_HEADERS)
    try:
        library = ffi.dlopen(None)
        library.recvmmsg, library.sendmmsg  # noqa: B018  # cffi looks a call up when it is named
    except (AttributeError, OSError):
        _logger.warning("no recvmmsg and sendmmsg here: each datagram of media takes a system call of its own")
        return ffi, OneByOne(ffi)
    return ffi, library


class OneByOne:
    """The calls for many datagrams, for systems without them (all but Linux and FreeBSD)."""

    def __init__(self, ffi: FFI) -> None:
        """Take cffi's view of memory, in which the error of a call is left as in C."""
        self._ffi = ffi

    def recvmmsg(self, descriptor: int, messages: CData, count: int, flags: int, timeout: CData) -> int:
        """Receive what waits. Returns the number of datagrams, -1 when there is none."""
        done = 0
        with _borrowed(descriptor) as udp:
            for done in range(count):
                header = messages[done].msg_hdr
                room = self._ffi.buffer(header.msg_iov.iov_base, header.msg_iov.iov_len)
                try:
                    messages[done].msg_len, address = udp.recvfrom_into(room)
                except OSError as error:
                    self._ffi.errno = error.errno or errno.EIO
                    return done or -1
                name = pack_name(address)
                self._ffi.memmove(header.msg_name, name, len(name))
        return done + 1

    def sendmmsg(self, descriptor: int, messages: CData, count: int, flags: int) -> int:
        """Send all of them, up to one that is refused. Returns how many; -1 when the first one is refused."""
        with _borrowed(descriptor) as udp:
            for done in range(count):
                header = messages[done].msg_hdr
                name = self._ffi.buffer(header.msg_name, header.msg_namelen)
                try:
                    if header.msg_iovlen != 1:
                        raise OSError(errno.EOPNOTSUPP, "a burst as one message")
                    data = self._ffi.buffer(header.msg_iov.iov_base, header.msg_iov.iov_len)
                    udp.sendto(data, flags, unpack_name(bytes(name)))
                except OSError as error:
                    self._ffi.errno = error.errno or errno.EIO
                    return done or -1
        return count


@contextmanager
def _borrowed(descriptor: int) -> Iterator[socket.socket]:
    """Give the block a socket with this descriptor, which stays open."""
    udp = socket.socket(fileno=descriptor)
    try:
        yield udp
    finally:
        udp.detach()


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

    SIZE = _SLOT_SIZE  # bytes
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
        ffi, self._lib = libc()
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
