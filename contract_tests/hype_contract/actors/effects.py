"""The effects of a case's requests on users: writes that a limit counts, changes, and sessions that began."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from hype_contract.actors.people import Person
from hype_contract.contract.specs import Operation

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEEPS_USERS = frozenset(
    {
        *("loginGuest", "registerUser", "loginUser"),
        *("createChannel", "updateChannel", "deleteChannel"),
        *("createMessage", "updateMessage", "deleteMessage"),
    }
)
"""Operations that write and change neither a user nor a session that exists; those of voice end with their channel."""
_ENDS_SESSIONS = frozenset({"refreshTokens"})
"""Operations that end a session by a refusal: a refresh token that is used again (ruling P2)."""


class Effects:
    """The effects of one case's requests. Thread-safe."""

    def __init__(self) -> None:
        """Have seen no request yet."""
        self._writes: Counter[str | None] = Counter()
        self._changes: list[str] = []
        self._sessions: dict[str, None] = {}
        self._lock = threading.Lock()

    def request(
        self,
        operation: Operation | None,
        method: str,
        status: int,
        *,
        token: str | None,
        target: str = "",
        content: bytes | str | None = None,
    ) -> None:
        """Enter an answered request. A refused one changes no user, except in `_ENDS_SESSIONS`.

        token: of its `Authorization`. target: path and query.
        """
        if method in _SAFE:
            return
        with self._lock:
            self._writes[token] += 1
        if operation is not None and (operation.area == "voice" or operation.id in _KEEPS_USERS):
            return
        if status < 400 or (operation is not None and operation.id in _ENDS_SESSIONS):
            body = content.decode("utf-8", "replace") if isinstance(content, bytes) else content
            self.change(f"{token} {target} {body}")

    def change(self, text: str = "") -> None:
        """Enter a request that may have changed users, with its text. One that names no user may concern anybody."""
        self._changes.append(text)

    def answer(self, data: Any) -> None:
        """Enter the `data` of an answer, which begins a session if it has an access token."""
        if isinstance(data, dict) and isinstance(token := data.get("accessToken"), str):
            self._sessions[token] = None

    @property
    def sessions(self) -> list[str]:
        """The access tokens of the sessions that began, in order. Some of the sessions may have ended since."""
        return list(self._sessions)

    def writes(self, token: str) -> int:
        """Return the number of requests with this token that a limit on writes may count (amendment A13)."""
        return self._writes[token]

    def changed(self, people: Sequence[Person]) -> set[str]:
        """Return the ids of those of these people whom a request may have changed, or a session of theirs."""
        found: set[str] = set()
        for text in list(self._changes):
            named = [person.id for person in people if _names(text, (person.id, person.token, person.refresh_token))]
            found.update(named or [person.id for person in people])
        return found


def _names(text: str, values: Iterable[str]) -> bool:
    return any(value in text for value in values)
