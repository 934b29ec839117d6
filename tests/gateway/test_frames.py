"""The bytes of a frame, as a client's library reads them."""

from __future__ import annotations

import pytest
from websockets.frames import Frame, Opcode

from hype.gateway.frames import text_frame


@pytest.mark.parametrize("length", [0, 1, 125, 126, 65_535, 65_536, 200_000])
def test_a_text_is_one_whole_frame(length: int) -> None:
    """Each of the three forms of the length is written as the library writes it."""
    text = b"x" * length
    assert text_frame(text) == Frame(Opcode.TEXT, text).serialize(mask=False)
