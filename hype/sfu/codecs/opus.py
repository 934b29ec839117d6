"""Opus (RFC 6716, RFC 7587): each packet can be decoded without an earlier one."""

from __future__ import annotations

from hype.sfu.codecs.codec import TRANSPORT_CC, Codec

__all__ = ["OPUS"]

OPUS = Codec(
    kind="audio",
    mime_type="audio/opus",
    payload_type=100,
    clock_rate=48000,
    channels=2,
    feedback=(TRANSPORT_CC,),
)
