"""Bugs of the sockets of sessions that a user has ended (amendment A16)."""

from __future__ import annotations

from tests.mutants.changes import announcing
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Operation

MUTANTS = [
    mutant(
        "gateway.ended-sessions.password-leaves-sockets",
        "A change of the password ends the tokens of other sessions, and leaves their sockets open.",
        Operation("changePassword", announcing(lambda effect, call: [])),
        of="changePassword",
        killed_by="A16.password-closes-other-sockets",
        profiles=HARDENED,
    ),
    mutant(
        "gateway.ended-sessions.logout-all-closes-its-own",
        "A logout everywhere closes the sockets of the session that asked for it alone.",
        Operation(
            "logoutEverywhere",
            announcing(lambda effect, call: [effect] if effect.session_id == call.session.id else []),
        ),
        of="logoutEverywhere",
        killed_by="A16.logout-all-closes-sockets",
        profiles=HARDENED,
    ),
]
