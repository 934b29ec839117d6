"""The frames of the server's events: the envelope, and the only names that it may have."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from typing import Any

from hype import jsontext, payloads
from hype.errors import SpecMismatch

__all__ = ["EVENTS", "encode", "require_events"]

EVENTS = frozenset(
    {
        "error",
        "message",
        "message_deleted",
        "message_edited",
        "new_producer",
        "producer_closed",
        "speaking_state",
        "typing",
        "user_joined",
        "user_left",
        "voice_state",
    }
)


def encode(name: str, data: Mapping[str, Any]) -> bytes:
    """Return the frame of one event, with the present time (ruling R2).

    Raises ValueError for a name that the contract does not have, which is a bug of the server.
    """
    if name not in EVENTS:
        raise ValueError(f"the gateway has no event {name!r}")
    frame = {"type": name, "data": data, "timestamp": payloads.timestamp(time.time_ns() // 1_000_000)}
    return jsontext.dump(frame)


def require_events(sends: Collection[str]) -> None:
    """Raise SpecMismatch unless `sends`, the names in asyncapi.yaml, are the events that the code knows."""
    if missing := EVENTS - set(sends):
        raise SpecMismatch(f"asyncapi.yaml sends no {', '.join(sorted(missing))}, but the gateway does")
    if unknown := set(sends) - EVENTS:
        raise SpecMismatch(f"asyncapi.yaml sends {', '.join(sorted(unknown))}, which the gateway does not know")
