"""Bugs that a restart of the server shows: what was in memory alone."""

from __future__ import annotations

from typing import Any

from tests.mutants.changes import rows
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Query

# The server calls it once, when it starts.
_AT_THE_START = "User.set_everyone_offline"


def _without_messages(start: Any, model: Any) -> Any:
    from hype.models.tables import Channels, Messages

    rows(Messages.delete())
    rows(Channels.update(message_count=0))
    return start()


def _without_sessions(start: Any, model: Any) -> Any:
    from hype.models.tables import Sessions

    rows(Sessions.delete())
    return start()


def _without_revocations(start: Any, model: Any) -> Any:
    from hype.models.tables import Sessions

    rows(Sessions.update(revoked_at=None))
    return start()


def _without_passwords(start: Any, model: Any) -> Any:
    from hype.models.tables import Users

    rows(Users.update(password_hash=None))
    return start()


MUTANTS = [
    mutant(
        "rest.restarts.messages-in-memory",
        "Messages are in memory, and gone after a restart.",
        Query(_AT_THE_START, _without_messages),
        of="listMessages",
        killed_by="restart.messages",
    ),
    mutant(
        "rest.restarts.acknowledged-in-memory",
        "A message that is acknowledged while the server ends is gone.",
        Query(_AT_THE_START, _without_messages),
        of="createMessage",
        killed_by="restart.in-flight",
    ),
    mutant(
        "rest.restarts.sessions-in-memory",
        "Sessions are in memory, so that everybody must log in again after a restart.",
        Query(_AT_THE_START, _without_sessions),
        of="getCurrentUser refreshTokens",
        killed_by="restart.sessions",
    ),
    mutant(
        "rest.restarts.revocations-in-memory",
        "The list of revoked sessions is in memory, so that their tokens work again after a restart.",
        Query(_AT_THE_START, _without_revocations),
        of="logoutUser",
        killed_by="restart.revocations",
        profiles=HARDENED,
    ),
    mutant(
        "rest.restarts.passwords-in-memory",
        "Passwords are in memory, so that nobody can log in after a restart.",
        Query(_AT_THE_START, _without_passwords),
        of="loginUser",
        killed_by="restart.users",
    ),
]
