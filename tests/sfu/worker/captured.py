"""The packets of fixtures/rtp, whose README describes them, and hostile bytes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import strategies as st

FIXTURES = Path(__file__).parents[3] / "fixtures" / "rtp"

OPUS_PT, VP8_PT, RTX_PT = 111, 96, 97
AUDIO_SSRC, VIDEO_SSRC, RTX_SSRC = 0x11111111, 0x22222222, 0x33333333


def captured(name: str) -> list[bytes]:
    """Return the packets of a file."""
    return [bytes.fromhex(line) for line in (FIXTURES / f"{name}.hex").read_text().split()]


ALL = [packet for name in ("opus", "vp8", "rtx", "rtcp") for packet in captured(name)]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Draw a real packet that is cut off somewhere, with some bytes changed."""
    packet = bytearray(draw(st.sampled_from(ALL)))
    del packet[draw(st.integers(0, len(packet))) :]
    for at, value in draw(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 255)), max_size=6)):
        if at < len(packet):
            packet[at] = value
    return bytes(packet)


# Any bytes, and bytes that look like a packet.
hostile = st.one_of(st.binary(max_size=200), st.binary(max_size=80).map(b"\x90\x60".__add__), mutated())
