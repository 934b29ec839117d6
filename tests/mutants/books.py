"""The changes that rows of voice share: the SFU's books, and the answers about transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from tests.mutants.changes import refusal, telling
from tests.mutants.seams import Books, Operation

__all__ = ["CREATING", "ROOMS_NOTED", "replacing", "rooms", "transports", "uncompared", "whoever_asks"]

CREATING = "createSendTransport createRecvTransport"
"""The operations that create a transport."""

_ROOMS: list[Any] = []


class _Empty:
    """The books before the first transport."""

    transports: ClassVar[dict[str, Any]] = {}
    producers: ClassVar[dict[str, Any]] = {}

    def transports_in(self, channel_id: str, user_id: str | None = None) -> list[Any]:
        """Return nothing."""
        return []

    def own_transport(self, user_id: str, transport_id: str) -> Any:
        """Refuse, as the books do."""
        raise refusal(404, "Transport not found")

    transports_of_session = producers_in = transports_in


def rooms() -> Any:
    """Return the SFU's books, in a row that has `ROOMS_NOTED`."""
    return _ROOMS[0] if _ROOMS else _Empty()


def _noted(add_transport: Any, rooms: Any, transport: Any) -> Any:
    _ROOMS[:] = [rooms]
    return add_transport(transport)


ROOMS_NOTED = Books("add_transport", _noted)


def transports(change: Callable[[dict[str, Any]], dict[str, Any]]) -> tuple[Operation, ...]:
    """Return the changes by which the answers that describe a new transport are otherwise."""
    return tuple(Operation(operation_id, telling(change)) for operation_id in CREATING.split())


def replacing(replaced: Callable[[Any, Any], list[Any]]) -> Books:
    """Return the change by which a new transport replaces another one. replaced: gets the books and the transport."""

    def add_transport(original: Any, rooms: Any, transport: Any) -> Any:
        some = replaced(rooms, transport)
        original(transport)
        return some[0] if some else None

    return Books("add_transport", add_transport)


def whoever_asks(own_transport: Any, rooms: Any, user_id: str, transport_id: str) -> Any:
    """Find a transport, whether it is the caller's or not."""
    return rooms.transports.get(transport_id) or own_transport(user_id, transport_id)


def uncompared(add_producer: Any, rooms: Any, producer: Any) -> None:
    """Add a producer without looking at the kinds that its user sends already."""
    kind, producer.kind = producer.kind, "none"
    try:
        add_producer(producer)
    finally:
        producer.kind = kind
