"""The words between a connection and those that it works for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

__all__ = ["Attendant", "ClientAddress", "Work"]

Work = Callable[[], None]
"""A piece of work that may wait, so it is done in a greenlet."""


ClientAddress = Callable[[str, Sequence[str]], str]
"""(the address of the other end, its `X-Forwarded-For` headers) → the address of the client behind it."""


class Attendant(Protocol):
    """The gateway's side of one open connection. Each method returns what is left to do and may wait, None if nothing.

    A connection does the work of one call before it makes the next.
    """

    def begin(self, token: str | None) -> Work | None:
        """Greet the client. token: the one in the URL of the handshake, None if there is none."""

    def receive(self, text: str) -> Work | None:
        """Handle one text."""

    def note_frame(self) -> None:
        """Count a ping, a pong that was not asked for, or some fragments of a text. It never waits."""

    def end(self) -> Work | None:
        """Part with the client, which is gone."""
