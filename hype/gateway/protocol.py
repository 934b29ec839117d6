"""What a socket's text means, apart from any I/O: text in, a list of things to do out.

A `Session` is one socket's side of rulings R31 and R33. It knows whether the socket has said who it is and how
many frames in a row were over the rate limit; it never waits, and no text makes it raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from hype import jsontext
from hype.errors import BadRequest, HypeError, InvalidJson, NotAuthenticated, TooManyRequests

__all__ = ["Action", "Check", "Close", "CloseCode", "Dispatch", "Refuse", "Session", "refusal"]

Check = Callable[[Any], HypeError | None]
"""What is wrong with an event's `data`, None if nothing is."""

# The frames that may come before the socket has an identity, and the members one of which they must have (P4, R31).
_INTRODUCTIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "token": {"user_joined": frozenset({"token"})},
    "claim": {
        "user_joined": frozenset({"token", "userId", "username"}),
        "voice_state": frozenset({"userId"}),
    },
}


class CloseCode:
    """The codes that we close with ourselves (asyncapi.yaml, `x-hype-close-codes`)."""

    NORMAL = 1000
    GOING_AWAY = 1001
    TEXT_ONLY = 1003
    TOO_SLOW = 1013
    UNAUTHENTICATED = 4401
    TOO_MANY_FRAMES = 4429


@dataclass(frozen=True, slots=True)
class Refuse:
    """Answer with an `error` event that has this `data`."""

    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Dispatch:
    """Call the handler of the event `name` with its valid `data`."""

    name: str
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Close:
    """Close the socket, once everything before is sent."""

    code: int
    reason: str


Action = Refuse | Dispatch | Close


class _UnknownType(HypeError):
    status = 400
    gateway_code = "unknown_type"
    default = "Unknown event type"


class Session:
    """The state of one socket that decides what its frames may do."""

    def __init__(self, checks: Mapping[str, Check], identity: str, close_after: int | None) -> None:
        """checks: the events that a client may send. identity: `x-hype-identity`, token or claim.

        close_after: how many frames in a row may be over the rate limit, None when there is no limit.
        """
        self._checks = checks
        self._introductions = _INTRODUCTIONS[identity]
        self._close_after = close_after
        self._strikes = 0
        self.identified = False

    def receive(self, text: str, admitted: bool = True) -> list[Action]:
        """What to do about one text frame. admitted: False when it is over the rate limit."""
        if not admitted:
            return self._strike()
        self._strikes = 0
        try:
            return [self._read(text)]
        except HypeError as error:
            return [Refuse(refusal(error))]
        except RecursionError:
            # Nesting that the parser's stack just took can still be too deep for the validator's.
            return [Refuse(refusal(InvalidJson()))]

    def _strike(self) -> list[Action]:
        self._strikes += 1
        refuse = Refuse(refusal(TooManyRequests()))
        if self._close_after is None or self._strikes < self._close_after:
            return [refuse]
        return [refuse, Close(CloseCode.TOO_MANY_FRAMES, "Too many requests")]

    def _read(self, text: str) -> Dispatch:
        frame = jsontext.parse(text)
        name = frame.get("type") if isinstance(frame, dict) else None
        if not isinstance(name, str):
            raise BadRequest("A frame is a JSON object with a string member `type`")
        check = self._checks.get(name)
        if check is None:
            raise _UnknownType
        data = frame.get("data", {})
        if not self.identified and not self._introduces(name, data):
            raise NotAuthenticated
        problem = check(data)
        if problem is not None:
            raise problem
        return Dispatch(name, data)

    def _introduces(self, name: str, data: object) -> bool:
        return isinstance(data, dict) and not self._introductions.get(name, frozenset()).isdisjoint(data)


def refusal(error: HypeError) -> dict[str, Any]:
    """The `data` of the `error` event that tells of `error` (ruling R33)."""
    data: dict[str, Any] = {"code": error.gateway_code, "message": error.error}
    if error.details is not None:
        data["details"] = error.details
    return data
