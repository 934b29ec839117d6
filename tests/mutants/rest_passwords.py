"""Bugs of new passwords and of the end of sessions that a user asks for (amendment A16)."""

from __future__ import annotations

from typing import Any

from tests.mutants.changes import refusing
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import GONE, Operation, Query, SpecPatch, Within

_FAILURES = "openapi.yaml#/paths/~1auth~1password/post/x-hype-policy/failedLogins"


def _ends_none(revoke_all: Any, model: Any, user_id: str, but: str | None = None) -> list[str]:
    return []


def _ends_the_own_too(revoke_all: Any, model: Any, user_id: str, but: str | None = None) -> Any:
    return revoke_all(user_id)


def _unchecked(perform: Any, call: Any) -> Any:
    """Change the password whatever the current one is."""
    from hype import passwords
    from hype.operations.call import ok

    try:
        return perform(call)
    except Exception as error:
        if getattr(error, "status", None) != 403:
            raise
        call.caller.replace_password(passwords.hash_password(call.body["newPassword"]))
        return ok({"endedSessions": 0})


def _spares_the_caller(perform: Any, call: Any) -> Any:
    from hype.models import Session
    from hype.operations.call import ok

    return ok({"endedSessions": len(Session.revoke_all(call.caller.id, but=call.session.id))})


MUTANTS = [
    mutant(
        "rest.passwords.other-sessions-live",
        "A change of the password leaves the user's other sessions valid.",
        Within("changePassword", Query("Session.revoke_all", _ends_none)),
        of="changePassword",
        killed_by="A16.password-ends-other-sessions",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.own-session-ends",
        "A change of the password ends the session that asked for it.",
        Within("changePassword", Query("Session.revoke_all", _ends_the_own_too)),
        of="changePassword",
        killed_by="A16.password-ends-other-sessions",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.old-one-works",
        "After a change of the password the old one still logs in.",
        Query("User.replace_password", lambda replace, user, password_hash: True),
        of="changePassword loginUser",
        killed_by="A16.password",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.current-unchecked",
        "The current password is not checked: a stolen token is enough.",
        Operation("changePassword", _unchecked),
        of="changePassword",
        killed_by="A16.wrong-current-password",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.guesses-uncounted",
        "Wrong current passwords are not counted.",
        SpecPatch(_FAILURES, GONE),
        of="changePassword",
        killed_by="A16.failures-are-counted",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.guest-is-forbidden",
        "A guest is told that the current password is wrong.",
        Operation("changePassword", refusing(400, 403, "The current password is wrong", like="Guests")),
        of="changePassword",
        killed_by="A16.guest",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.logout-all-spares-the-caller",
        "A logout everywhere leaves the session that asked for it valid.",
        Operation("logoutEverywhere", _spares_the_caller),
        of="logoutEverywhere",
        killed_by="A16.logout-all",
        profiles=HARDENED,
    ),
    mutant(
        "rest.passwords.logout-all-ends-none",
        "A logout everywhere ends no session.",
        Within("logoutEverywhere", Query("Session.revoke_all", _ends_none)),
        of="logoutEverywhere",
        killed_by="A16.logout-all",
        profiles=HARDENED,
    ),
]
