"""Bugs of the rate limit of frames (rulings P5 and R31)."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from typing import Any

from tests.mutants.gateway_frames import closing, closing_with
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import Around, SpecPatch

_LIMITS = "asyncapi.yaml#/channels/gateway/x-hype-limits"
_RECEIVE = "hype.gateway:Session.receive"
_FRAME = "hype.gateway:SocketAttendant.receive"
_TAKE = "hype.cluster:LocalCluster.take"

_ATTENDANT: ContextVar[Any] = ContextVar("attendant")
_ADMITTED: ContextVar[bool] = ContextVar("admitted")
_REFUSED: dict[Any, int] = {}


def refused_and_done() -> tuple[Around, Around]:
    """Return the changes by which a frame over the limit is refused, and done all the same."""
    return Around(_RECEIVE, _note_admission), Around(_FRAME, _done_in_any_case)


def _note_admission(receive: Any, session: Any, text: str, admitted: bool = True) -> Any:
    _ADMITTED.set(admitted)
    return receive(text, admitted)


def _done_in_any_case(receive: Any, attendant: Any, text: str) -> Any:
    work = receive(text)
    if _ADMITTED.get():
        return work
    [action] = attendant._session.receive(text, True)
    return partial(attendant._dispatch, action) if hasattr(action, "name") else None


def limited_apart(of: Callable[[Any], object] = id) -> tuple[Around, Around]:
    """Return the changes by which each socket has a rate limit of its own. of: what else has one, by the attendant."""
    return (
        Around(_FRAME, _note_attendant),
        Around(_TAKE, lambda take, cluster, key, rate, burst: take(f"{key} {of(_ATTENDANT.get())}", rate, burst)),
    )


def _session_of(attendant: Any) -> object:
    identity = attendant._socket.identity
    return None if identity is None else identity.session_id


def _note_attendant(receive: Any, attendant: Any, text: str) -> Any:
    _ATTENDANT.set(attendant)
    return receive(text)


def _ten_in_all(receive: Any, session: Any, text: str, admitted: bool = True) -> Any:
    actions = receive(text, admitted)
    if not admitted:
        _REFUSED[session] = _REFUSED.get(session, 0) + 1
        if _REFUSED[session] == 10 and len(actions) == 1:
            return [*actions, closing(4429, "Too many requests")]
    return actions


MUTANTS = [
    mutant(
        "gateway.rate.none",
        "There is no rate limit.",
        SpecPatch(f"{_LIMITS}/rate"),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.never-closes",
        "A user who goes on over the rate limit is refused for ever, and never closed.",
        SpecPatch(f"{_LIMITS}/rate/closeAfter", 10**9),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.code-1008",
        "A user who goes on over the rate limit is closed with 1008.",
        closing_with(4429, 1008),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.closes-at-once",
        "The first frame over the rate limit closes the socket.",
        SpecPatch(f"{_LIMITS}/rate/closeAfter", 1),
        of="error.out",
        killed_by="R31.ten-in-a-row",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.refused-is-done",
        "A frame over the rate limit is answered rate_limited, and done all the same.",
        *refused_and_done(),
        of="voice_state.in",
        killed_by="R31.rate-drops-frames",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.bad-frames-free",
        "Frames that are no JSON object do not count for the rate limit.",
        Around(_RECEIVE, lambda receive, session, text, admitted=True: receive(text, admitted or text[:1] != "{")),
        of="error.out",
        killed_by="R31.rate-counts-all-text",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.of-the-socket",
        "Each socket of a user has a rate limit of its own.",
        *limited_apart(),
        of="user_joined.in",
        killed_by="R31.rate-per-user",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.of-the-session",
        "Each session of a user has a rate limit of its own.",
        *limited_apart(_session_of),
        of="message.in",
        killed_by="P5.one-limit",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.of-everybody",
        "All users share one rate limit.",
        Around(_TAKE, lambda take, cluster, key, rate, burst: take("everybody", rate, burst)),
        of="user_joined.in",
        killed_by="R31.flood-closes",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.row-never-ends",
        "Ten refusals close a socket, in a row or not.",
        Around(_RECEIVE, _ten_in_all),
        of="error.out",
        killed_by="R31.row-is-broken",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.rate.documented",
        "In the documented profile there is a rate limit.",
        SpecPatch(f"{_LIMITS}/rate", {"burst": 20, "perSecond": 10, "closeAfter": 10}),
        of="user_joined.in",
        killed_by="P5.unlimited",
        profiles=DOCUMENTED,
    ),
]
