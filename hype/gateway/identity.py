"""The identity of a socket: the user that its frames act for (rulings P2 to P4 and R31).

Every rule about it stands here:

- A new socket has no identity. It may send only the frames that bring one (`may_send`).
- An access token binds a socket to its user, in `?token=` or in a frame. In the documented profile a claim does, too: a
  user's id or name. A bad token closes the socket, or counts as none where claims bind.
- A socket that has no identity after `authTimeoutMs` is closed (`expect`).
- An outage is not the client's fault: a socket whose token cannot be checked is told to try again later (ruling A12).
- A user has `socketsPerUser` open sockets at most; a further one is closed, the others stay (amendment A13).
- A bound socket keeps its user. A second token of the same user moves it to that token's session.
- The end of a session closes the session's sockets (`revoke`).

The server asks `Identities.identify` once for each frame, in the frame's greenlet, because it may read the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Literal

from hype.deadlines import Deadlines
from hype.errors import Forbidden, NotAuthenticated, Unavailable
from hype.gateway.context import Context, Gone
from hype.gateway.hub import Socket
from hype.gateway.presence import Presence
from hype.gateway.protocol import CloseCode
from hype.operations.callers import Identity, identity_of_token, identity_of_user

__all__ = ["Identities", "introduces"]

_MEMBERS: Final[Mapping[str, tuple[str, ...]]] = {
    "user_joined": ("token", "userId", "username"),
    "voice_state": ("userId",),
}
"""The members in which an event of a client may name its user (rulings R31, R34 and P4)."""


def introduces(binds_by: Literal["token", "claim"], name: str, data: object) -> bool:
    """Return whether a frame may come before its socket has an identity, because it brings one.

    binds_by: the contract's `x-hype-identity`. data: the frame's, not validated yet.
    """
    said = _said(name, data) if isinstance(data, dict) else {}
    return "token" in said or (binds_by == "claim" and bool(said))


class Identities:
    """The identities of a gateway's sockets. The hub finds sockets by user and session; the rules stand here."""

    def __init__(self, context: Context, presence: Presence, deadlines: Deadlines) -> None:
        """Take the sockets of `context.hub`.

        presence: takes each user whose first or last socket this is. deadlines: those of the gateway.
        """
        self._context = context
        self._presence = presence
        self._binds_by: Literal["token", "claim"] = context.services.contract.gateway.identity
        timeout_ms = context.services.contract.gateway.auth_timeout_ms
        self._late = None if timeout_ms is None else deadlines.of(timeout_ms / 1000, self._close_late)
        self._checking: set[Socket] = set()  # whose token the database is asked about

    def may_send(self, socket: Socket, name: str, data: object) -> bool:
        """Return whether the socket may send this frame at all. data: not validated yet."""
        return socket.identity is not None or introduces(self._binds_by, name, data)

    def expect(self, socket: Socket) -> None:
        """Close a new socket with 4401 if it has no identity after `authTimeoutMs`, where there is such a limit."""
        if self._late is not None:
            self._late.set(socket)

    def bind_by_url(self, socket: Socket, token: str) -> None:
        """Bind a socket that was opened with `?token=`. A bad token closes it, or counts as none where claims bind."""
        with suppress(NotAuthenticated, Gone):
            self._identify(socket, {"token": token})

    def identify(self, socket: Socket, name: str, data: Mapping[str, Any]) -> Identity:
        """Return the identity that a valid frame acts under; bind the socket first if the frame brings an identity.

        Raises NotAuthenticated when there is none, NotFound for a claim of an unknown user, Forbidden for another user
        than that of the socket, Gone when the socket is closed, which a bad token does.
        """
        if socket.identity is not None and name not in _MEMBERS:
            return socket.identity  # most frames
        return self._identify(socket, _said(name, data))

    def release(self, socket: Socket) -> bool:
        """Forget a socket that is gone; return whether it was the last one of its user."""
        if self._late is not None:
            self._late.clear(socket)
        is_last = self._context.hub.remove(socket)
        if is_last and socket.identity is not None:
            self._presence.changed(socket.identity.user_id)
        return is_last

    def revoke(self, session_id: str) -> None:
        """Close every socket of a session whose tokens no longer work (rulings P2 and P3)."""
        for socket in self._context.hub.sockets_of_session(session_id):
            socket.close(CloseCode.UNAUTHENTICATED, "Session revoked")
        self._context.hub.note_removal(session_id)

    def _identify(self, socket: Socket, said: Mapping[str, Any]) -> Identity:
        """Do what `identify` says. said: the members of the frame that name a user."""
        found = self._find(socket, said)
        _check(socket, found, said)
        self._admit(socket, found.user_id)
        if found != socket.identity and self._context.hub.bind(socket, found):
            self._presence.changed(found.user_id)
        if self._late is not None:
            self._late.clear(socket)
        return found

    def _admit(self, socket: Socket, user_id: str) -> None:
        """Close a socket that its user has no place for. Raises Gone then."""
        most = self._context.services.limits.sockets_per_user
        if most is None or socket.identity is not None:
            return
        if sum(each.open for each in self._context.hub.sockets_of(user_id)) >= most:
            raise _closed(socket, "Too many sockets", CloseCode.OVER_LIMIT)

    def _find(self, socket: Socket, said: Mapping[str, Any]) -> Identity:
        """Return the identity that the token proves, else that the socket has, else that the frame claims."""
        if "token" in said and (proven := self._by_token(socket, said["token"])) is not None:
            return proven
        known = socket.identity
        if known is None:
            return self._by_claim(socket, said)
        if "username" in said:  # the user may have another name by now
            now = self._context.read(socket, lambda unit: identity_of_user(known.user_id, None))
            return replace(known, username=now.username)
        return known

    def _by_token(self, socket: Socket, token: str) -> Identity | None:
        """Return the identity that a token proves; None for a bad token where claims bind."""
        services = self._context.services
        with self._context.hub.noting_removals() as removed:
            try:
                self._checking.add(socket)
                found = self._context.read(socket, lambda unit: identity_of_token(services, token))
            except Unavailable as error:
                if socket.identity is not None:
                    raise
                raise _closed(socket, error.error, CloseCode.TRY_AGAIN_LATER) from error
            except NotAuthenticated as error:
                if self._binds_by == "claim":
                    return None
                raise _closed(socket, error.error) from error
            finally:
                self._checking.discard(socket)
            if found.session_id in removed:
                raise _closed(socket, "Invalid token")
        return found

    def _by_claim(self, socket: Socket, said: Mapping[str, Any]) -> Identity:
        user_id, username = said.get("userId"), said.get("username")
        if self._binds_by != "claim" or (user_id is None and username is None):
            raise NotAuthenticated
        return self._context.read(socket, lambda unit: identity_of_user(user_id, username))

    def _close_late(self, socket: Socket) -> None:
        if socket in self._checking:  # it has sent its token in time
            socket.close(CloseCode.TRY_AGAIN_LATER, Unavailable.default)
        elif socket.identity is None:
            socket.close(CloseCode.UNAUTHENTICATED, "Not authenticated in time")


def _said(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a frame that name a user."""
    return {member: data[member] for member in _MEMBERS.get(name, ()) if member in data}


def _check(socket: Socket, found: Identity, said: Mapping[str, Any]) -> None:
    """Raise Forbidden when the socket has another user, or the frame names one. A user id outweighs a username."""
    if socket.identity is not None and socket.identity.user_id != found.user_id:
        raise Forbidden("This connection already has another identity")
    user_id, username = said.get("userId"), said.get("username")
    matches = user_id == found.user_id if user_id is not None else username in (None, found.username)
    if not matches:
        raise Forbidden("The claimed user is not the one this connection stands for")


def _closed(socket: Socket, reason: str, code: int = CloseCode.UNAUTHENTICATED) -> Gone:
    """Close a socket for its token, and return what ends the handling of its frame."""
    socket.close(code, reason)
    return Gone()
