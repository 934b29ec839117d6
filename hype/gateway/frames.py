"""The frames of the server's events: the envelope, the only names that it may have, and the WebSocket frame."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from hype import jsontext, payloads
from hype.errors import SpecMismatch

__all__ = ["EVENTS", "encode", "require_events", "text_frame"]

EVENTS = frozenset(
    {
        "error",
        "message",
        "message_deleted",
        "message_edited",
        "new_producer",
        "producer_closed",
        "speaking_state",
        "transport_closed",
        "typing",
        "user_joined",
        "user_left",
        "voice_state",
    }
)

_TEXT = b"\x81"  # a whole message: FIN and the opcode of text
_TWO_BYTES, _EIGHT_BYTES = b"\x7e", b"\x7f"


def encode(name: str, data: Mapping[str, Any]) -> bytes:
    """Return the text of one event, with the present time (ruling R2).

    Raises ValueError for a name that the contract does not have, which is a bug of the server.
    """
    if name not in EVENTS:
        raise ValueError(f"the gateway has no event {name!r}")
    frame = {"type": name, "data": data, "timestamp": payloads.timestamp(time.time_ns() // 1_000_000)}
    return jsontext.dump(frame)


def text_frame(text: bytes) -> bytes:
    """Return a text as the bytes of one WebSocket frame (RFC 6455, section 5.2).

    A server's frames are not masked, so every socket that gets an event gets the same bytes.
    """
    length = len(text)
    if length < 126:
        return b"%b%c%b" % (_TEXT, length, text)
    if length < 65_536:
        return b"%b%b%b%b" % (_TEXT, _TWO_BYTES, length.to_bytes(2, "big"), text)
    return b"%b%b%b%b" % (_TEXT, _EIGHT_BYTES, length.to_bytes(8, "big"), text)


def require_events(sends: Collection[str]) -> None:
    """Raise SpecMismatch unless `sends`, the names in asyncapi.yaml, are the events that the code knows."""
    if missing := EVENTS - set(sends):
        raise SpecMismatch(f"asyncapi.yaml sends no {', '.join(sorted(missing))}, but the gateway does")
    if unknown := set(sends) - EVENTS:
        raise SpecMismatch(f"asyncapi.yaml sends {', '.join(sorted(unknown))}, which the gateway does not know")
