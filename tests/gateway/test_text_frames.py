"""The short way of a text gives what the library's parser gives, whatever a client sends, and however it is cut."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from websockets.server import ServerProtocol

from hype.admission import Admission
from hype.deadlines import Deadlines
from hype.gateway import connection
from hype.gateway.connection import Connection, Listener, Work
from tests.clocks import HandClock
from tests.gateway.raw import REQUEST

_MASK = b"\x11\xf2\x33\x04"
_MOST_BYTES = 300
_CLOSE_NOW = "close now"
_DATE = re.compile(rb"Date: [^\r]+\r\n")


class _Wire:
    """A transport that records, without the second in which the handshake was answered."""

    def __init__(self) -> None:
        self.events: list[object] = []
        self._closing = False

    def get_extra_info(self, name: str) -> object:
        return ("127.0.0.1", 1) if name == "peername" else None

    def write(self, data: bytes) -> None:
        self.events.append(_DATE.sub(b"", data))

    def write_eof(self) -> None:
        self.events.append("eof")

    def abort(self) -> None:
        self.events.append("abort")
        self._closing = True

    def is_closing(self) -> bool:
        return self._closing

    def set_write_buffer_limits(self, high: int) -> None:
        pass


class _Recorder:
    """An attendant that records texts, and closes the socket when one asks for it."""

    def __init__(self, connection: Connection, wire: _Wire) -> None:
        self._connection = connection
        self._wire = wire

    def begin(self, token: str | None) -> Work | None:
        return None

    def receive(self, text: str) -> Work | None:
        self._wire.events.append(text)
        if text == _CLOSE_NOW:
            self._connection.socket.close(4000, "asked for")
        return None

    def note_frame(self) -> None:
        self._wire.events.append("a frame that is no text")

    def end(self) -> Work | None:
        self._wire.events.append("end")
        return None


def _fed(reads: Sequence[bytes]) -> list[object]:
    """Return all that a connection does with these reads and the end behind them."""
    wire = _Wire()
    with socket.socket() as port:
        listener = Listener(
            port,
            Admission(10, 10),
            lambda each: _Recorder(each, wire),
            Deadlines(HandClock()),
            max_frame_bytes=_MOST_BYTES,
            max_queue_bytes=100_000,
            client_address=lambda peer, forwarded_for: peer,
        )
    client = Connection(listener)
    client.connection_made(cast(asyncio.Transport, wire))
    for read in reads:
        client.get_buffer(-1)[: len(read)] = read
        client.buffer_updated(len(read))
    client.eof_received()
    client.connection_lost(None)
    return [*wire.events, client.close_code]


def _frame(first: int, payload: bytes, *, masked: bool = True, longer: int = 0) -> bytes:
    """Return a frame. first: its first byte. longer: the steps by which its length is longer than it has to be."""
    size = len(payload)
    form = min(2, (0 if size < 126 else 1) + longer)
    length = [bytes([size % 256]), b"\x7e" + size.to_bytes(2, "big"), b"\x7f" + size.to_bytes(8, "big")][form]
    if not masked:
        return bytes([first]) + length + payload
    body = bytes(byte ^ _MASK[index % 4] for index, byte in enumerate(payload))
    return bytes([first, length[0] | 0x80]) + length[1:] + _MASK + body


_PAYLOADS = st.one_of(
    st.sampled_from(["", "a", "👋", _CLOSE_NOW, "\r\n\r\n", "x" * 125, "x" * 126, "x" * _MOST_BYTES]).map(str.encode),
    st.just(b"x" * (_MOST_BYTES + 1)),
    st.binary(max_size=20),
)
_TEXTS = st.builds(_frame, st.just(0x81), _PAYLOADS, longer=st.sampled_from([0, 0, 0, 1, 2]))
_FIRST_BYTES = st.sampled_from([0x01, 0x00, 0x80, 0x82, 0x88, 0x89, 0x8A, 0xC1, 0xF1, 0x83])
_OTHERS = st.builds(_frame, _FIRST_BYTES, _PAYLOADS, masked=st.sampled_from([True, True, True, False]))
_FRAMES = st.lists(st.one_of(_TEXTS, _TEXTS, _TEXTS, _OTHERS, st.binary(max_size=4)), max_size=12)


def _cut(pieces: Sequence[bytes], cuts: Sequence[int]) -> list[bytes]:
    """Return the stream in reads. cuts: after how many bytes of each piece it is cut too; 0 joins it with the next."""
    reads = [b""]
    for piece, cut in zip(pieces, cuts, strict=True):
        if cut == 0:
            reads[-1] += piece
            continue
        reads += [piece[:cut], piece[cut:]]
    return [read for read in reads if read]


@st.composite
def _reads(draw: Callable[[Any], Any]) -> list[bytes]:
    """Draw a handshake and frames; most frames are a read of their own."""
    pieces = [REQUEST.encode(), *draw(_FRAMES)]
    sizes = st.one_of(st.just(10_000), st.just(10_000), st.integers(0, 12))
    return _cut(pieces, [draw(sizes) for _ in pieces])


_TEXT = _frame(0x81, b"hello")


@given(_reads())
@example([REQUEST.encode(), _TEXT, _TEXT[:2], _TEXT[2:], _TEXT])
@example([REQUEST.encode(), _TEXT[:2], _TEXT])  # the second is the mask and the payload of the first
@example([REQUEST.encode(), _frame(0x01, b"a"), _TEXT, _TEXT])  # a text within a text in fragments
@example([REQUEST.encode()[:-2], b"\r\n" + _frame(0x81, b"\r\n\r\n")[:-3], _TEXT])
@example([REQUEST.encode(), _frame(0x8A, b"", longer=1), _TEXT[:2], _TEXT])
@example([REQUEST.encode(), _frame(0x81, b"\xff"), _TEXT])
@example([REQUEST.encode(), _frame(0x81, b"x" * (_MOST_BYTES + 1)), _TEXT])
@example([REQUEST.encode(), _frame(0x81, _CLOSE_NOW.encode()), _TEXT])
@example([REQUEST.encode(), _frame(0x88, b"\x0f\xa0"), _TEXT])
def test_both_ways_agree(reads: list[bytes]) -> None:
    """A client cannot tell which of the two reads its frames: texts, answers and close codes are the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "whole_text", lambda data, most: None)
        by_the_library = _fed(reads)
    assert _fed(reads) == by_the_library


def test_a_whole_text_is_read_the_short_way() -> None:
    """The library sees a text only where the short way cannot read it: within two reads, or with another frame."""
    seen: list[int] = []
    feed = ServerProtocol.receive_data

    def receive_data(protocol: ServerProtocol, data: bytes) -> None:
        seen.append(len(data))
        feed(protocol, data)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ServerProtocol, "receive_data", receive_data)
        events = _fed([REQUEST.encode(), _TEXT, _TEXT[:3], _TEXT[3:], _TEXT, _TEXT + _TEXT, _TEXT])
    assert events.count("hello") == 6
    assert seen == [len(REQUEST), 3, len(_TEXT) - 3, 2 * len(_TEXT)]
