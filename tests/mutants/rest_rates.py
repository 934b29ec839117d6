"""Bugs of the rates of requests (amendment A13)."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from hype.cluster import Spent
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Around, SpecPatch

_LIMITS = "openapi.yaml#/x-hype-limits"
_SPEND = "hype.cluster:LocalCluster.spend"
_SESSION: ContextVar[str] = ContextVar("session", default="")


def _note_session(read: Any, tokens: Any, token: str) -> Any:
    claims = read(token)
    _SESSION.set(claims.session_id)
    return claims


def _full(spent: Spent, burst: int) -> Spent:
    return replace(spent, left=burst)


MUTANTS = [
    mutant(
        "rest.rate.none",
        "There is no limit on a user's writes.",
        SpecPatch(f"{_LIMITS}/writes"),
        of="createMessage",
        killed_by="A13.writes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.rate.of-everybody",
        "All users share one limit on writes.",
        Around(_SPEND, lambda spend, cluster, key, rate, burst: spend(key.split()[0], rate, burst)),
        of="createMessage",
        killed_by="A13.writes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.rate.of-the-session",
        "Each session of a user has a limit on writes of its own.",
        Around("hype.tokens:Tokens.read_access", _note_session),
        Around(_SPEND, lambda spend, cluster, key, rate, burst: spend(f"{key} {_SESSION.get()}", rate, burst)),
        of="createMessage",
        killed_by="A13.writes",
        profiles=HARDENED,
    ),
    mutant(
        "rest.rate.left-for-ever",
        "The answers to writes always say that all of the limit is left.",
        Around(_SPEND, lambda spend, cluster, key, rate, burst: _full(spend(key, rate, burst), burst)),
        of="createMessage",
        killed_by="A13.what-is-left",
        profiles=HARDENED,
    ),
]
