"""The parts of a worker that all its connections share."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from hype.sfu.worker.dtls import Certificate
from hype.sfu.worker.ice import IceLite
from hype.sfu.worker.outgoing import OutgoingSocket
from hype.sfu.worker.port import Port

__all__ = ["Counters", "EventSink", "Timeouts", "WorkerContext"]


class EventSink(Protocol):
    """The link to the server, as the parts of a worker see it."""

    def emit(self, event: str, **members: Any) -> None:
        """Send an event to the server, without waiting."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """The limits of a connection, in seconds. A connection that is beyond one of them is closed (ruling R30).

    connect: from the client's DTLS parameters to the keys. Before the client gives them, the server's side of the SFU
    knows how long to wait (amendment A20). consent: from one connectivity check to the next.
    """

    connect: float = 30.0
    consent: float = 30.0


@dataclass(slots=True)
class Counters:
    """The packets since the worker started."""

    packets_in: int = 0
    octets_in: int = 0  # of these packets, their encryption included
    lost: int = 0  # on the way from clients; one that is sent again later was lost, too
    rejected: int = 0  # wrong tag, replayed, or no keys yet
    unknown: int = 0  # of streams that no track explains
    over_rate: int = 0  # of tracks over their bit rate


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """The parts. clock: returns monotonic seconds. closing: the tasks that close DTLS associations."""

    ice: IceLite
    port: Port
    certificate: Certificate
    socket: OutgoingSocket
    timeouts: Timeouts
    clock: Callable[[], float]
    events: EventSink
    counters: Counters = field(default_factory=Counters)
    closing: set[asyncio.Task[None]] = field(default_factory=set)
