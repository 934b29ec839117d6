"""The protocol of a socket without any I/O: a text frame in, the list of actions that it causes out.

A `Session` reads the frames of one socket (rulings R31 and R33). It counts the frames in a row that are over the rate
limit. It never waits, and no text makes it raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from hype import jsontext
from hype.errors import BadRequest, HypeError, InvalidJson, NotAuthenticated, TooManyRequests

__all__ = ["Action", "Check", "Close", "CloseCode", "Dispatch", "MaySend", "Refuse", "Session", "refusal"]

Check = Callable[[Any], HypeError | None]
"""Returns the error in an event's `data`, None when there is none."""

MaySend = Callable[[str, object], bool]
"""Tells from an event's name and `data` whether the socket may send it (see `hype.gateway.identity`)."""


class CloseCode:
    """The codes with which the server closes a socket (asyncapi.yaml, `x-hype-close-codes`)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TEXT_ONLY = 1003
    NOT_UTF8 = 1007
    TOO_SLOW = 1013
    TRY_AGAIN_LATER = 1013
    UNAUTHENTICATED = 4401
    OVER_LIMIT = 4429


@dataclass(frozen=True, slots=True)
class Refuse:
    """The action to answer with an `error` event that has this `data`."""

    data: Mapping[str, Any]


class Dispatch(NamedTuple):
    """The action to call the handler of the event `name` with its valid `data`."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """The action to close the socket, once every earlier frame has been sent."""

    code: int
    reason: str


Action = Refuse | Dispatch | Close


class _UnknownType(HypeError):
    status = 400
    gateway_code = "unknown_type"
    default = "Unknown event type"


class Session:
    """The reader of one socket's frames."""

    __slots__ = ("_checks", "_close_after", "_excess", "_may_send")

    def __init__(self, checks: Mapping[str, Check], may_send: MaySend, close_after: int | None) -> None:
        """Create the session of a new socket.

        checks: the events that a client may send. may_send: the rule for a socket without an identity. close_after: the
        number of frames in a row over the rate limit that closes the socket, None when there is no limit.
        """
        self._checks = checks
        self._may_send = may_send
        self._close_after = close_after
        self._excess = 0

    def receive(self, text: str, within_rate: bool = True) -> list[Action]:
        """Return the actions that one text frame causes, one at least. within_rate: False when it is over the limit."""
        if not within_rate:
            return self._refuse_excess()
        self._excess = 0
        try:
            return [self._read(text)]
        except HypeError as error:
            return [Refuse(refusal(error))]
        except RecursionError:
            # The parser takes some nesting that is too deep for the validator.
            return [Refuse(refusal(InvalidJson()))]

    def note_frame(self, within_rate: bool) -> list[Action]:
        """Return the actions that a frame without a text of its own causes, such as a ping."""
        if not within_rate:
            return self._refuse_excess()
        self._excess = 0
        return []

    def _refuse_excess(self) -> list[Action]:
        self._excess += 1
        refuse = Refuse(refusal(TooManyRequests()))
        if self._close_after is None or self._excess < self._close_after:
            return [refuse]
        return [refuse, Close(CloseCode.OVER_LIMIT, "Too many requests")]

    def _read(self, text: str) -> Dispatch:
        frame = jsontext.parse(text)
        name = frame.get("type") if isinstance(frame, dict) else None
        if not isinstance(name, str):
            raise BadRequest("A frame is a JSON object with a string member `type`")
        check = self._checks.get(name)
        if check is None:
            raise _UnknownType
        data = frame.get("data", {})
        if not self._may_send(name, data):
            raise NotAuthenticated
        problem = check(data)
        if problem is not None:
            raise problem
        return Dispatch(name, data)


def refusal(error: HypeError) -> dict[str, Any]:
    """Return the `data` of the `error` event that reports `error` (ruling R33)."""
    data: dict[str, Any] = {"code": error.gateway_code, "message": error.error}
    if error.details is not None:
        data["details"] = error.details
    return data
