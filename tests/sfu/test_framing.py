"""Tests of the frames that the server and a media worker exchange."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hype.sfu.framing import MAX_FRAME_BYTES, FrameReader, LinkClosed, encode

pytestmark = pytest.mark.slow

documents = st.dictionaries(st.text(), st.recursive(st.none() | st.integers() | st.text(), st.lists), max_size=5)


@given(st.lists(documents, max_size=5), st.integers(1, 7))
def test_frames_survive_any_cut(sent: list[dict[str, Any]], size: int) -> None:
    """Documents come out whole and in order, however their bytes are cut."""
    data = b"".join(map(encode, sent))
    frames = FrameReader()
    read = [each for at in range(0, len(data), size) for each in frames.feed(data[at : at + size])]
    assert read == sent


@pytest.mark.parametrize("content", [b"{", b"[]", b"\xff", b"7"])
def test_what_is_no_frame_is_refused(content: bytes) -> None:
    """A frame of broken JSON, or of anything but an object, is refused."""
    with pytest.raises(LinkClosed):
        FrameReader().feed(len(content).to_bytes(4, "big") + content)


def test_a_frame_that_is_too_long_is_refused_before_it_is_read() -> None:
    """A reader refuses a frame that is too long as soon as it knows the length."""
    with pytest.raises(LinkClosed):
        FrameReader().feed((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
