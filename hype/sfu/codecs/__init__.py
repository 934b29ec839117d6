"""The codecs that the router forwards. A codec is one file here and one entry in `CODECS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype.sfu.codecs.codec import Codec
from hype.sfu.codecs.opus import OPUS
from hype.sfu.codecs.vp8 import VP8

__all__ = ["CODECS", "find", "of_payload_type"]

CODECS: tuple[Codec, ...] = (OPUS, VP8)
"""All codecs, in the order in which the router offers them."""


def find(description: Mapping[str, Any]) -> Codec | None:
    """Return the codec that is described in RtpParameters or RtpCapabilities; None: the router has no such codec."""
    return next((codec for codec in CODECS if codec.accepts(description)), None)


def of_payload_type(payload_type: int) -> Codec:
    """Return the codec to which the router has given this payload type. Raises KeyError."""
    return {codec.payload_type: codec for codec in CODECS}[payload_type]
