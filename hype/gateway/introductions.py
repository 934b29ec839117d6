"""How a socket comes to stand for a user: by access token, or by claim in the documented profile (rulings P4, R31)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hype.database import Unit
from hype.errors import Forbidden, NotAuthenticated
from hype.gateway.context import Context, Gone, HangUp
from hype.gateway.hub import Socket
from hype.gateway.protocol import CloseCode
from hype.operations import identity, rooms
from hype.operations.identity import Identity
from hype.operations.rooms import Profile

__all__ = ["greet", "introduce"]


async def greet(context: Context, socket: Socket, token: str) -> None:
    """Bind a socket that was opened with `?token=`. A bad one hangs up, or counts as none where claims are enough."""
    try:
        await introduce(context, socket, {"token": token})
    except NotAuthenticated:
        return  # the documented profile ignores it
    except Gone:
        return
    except HangUp as end:
        socket.close(end.code, end.reason)


async def introduce(context: Context, socket: Socket, said: Mapping[str, Any]) -> Profile:
    """Whom the socket stands for, given what its frame says of that, and their profile as it is now.

    said: any of `token`, `userId`, `username`. Binds the socket. Raises HangUp for a bad token where one is needed,
    NotAuthenticated when nothing says who it is, NotFound for a claim of nobody, Forbidden for a second identity and
    for a claim that is not the identity's.
    """
    token = said.get("token")
    if token is not None and (profile := await _by_token(context, socket, token, said)) is not None:
        return profile
    if socket.identity is not None:
        user_id = socket.identity.user_id
        profile = await context.read(socket, lambda unit: rooms.profile(unit, user_id))
        _check_claims(profile, said)
        return profile
    if context.services.contract.gateway.identity == "claim":
        return await _by_claim(context, socket, said)
    raise NotAuthenticated


async def _by_token(context: Context, socket: Socket, token: str, said: Mapping[str, Any]) -> Profile | None:
    """None for a bad token where claims are enough."""

    def work(unit: Unit) -> tuple[Identity, Profile]:
        found = identity.present(unit, context.services, token)
        return found, rooms.profile(unit, found.user_id)

    with context.hub.noting_removals() as removed:
        try:
            found, profile = await context.read(socket, work)
        except NotAuthenticated as error:
            if context.services.contract.gateway.identity == "claim":
                return None
            raise HangUp(CloseCode.UNAUTHENTICATED, error.error) from error
        if found.session_id in removed:
            raise HangUp(CloseCode.UNAUTHENTICATED, "Invalid token")
    _bind(context, socket, found, profile, said)
    return profile


async def _by_claim(context: Context, socket: Socket, said: Mapping[str, Any]) -> Profile:
    user_id, username = said.get("userId"), said.get("username")
    if user_id is None and username is None:
        raise NotAuthenticated

    def work(unit: Unit) -> tuple[Identity, Profile]:
        found = identity.claim(unit, user_id, username)
        return found, rooms.profile(unit, found.user_id)

    found, profile = await context.read(socket, work)
    _bind(context, socket, found, profile, said)
    return profile


def _bind(context: Context, socket: Socket, found: Identity, profile: Profile, said: Mapping[str, Any]) -> None:
    if socket.identity is not None and socket.identity.user_id != found.user_id:
        raise Forbidden("This connection already has another identity")
    _check_claims(profile, said)
    if context.hub.bind(socket, found):
        context.presence.changed(found.user_id)


def _check_claims(profile: Profile, said: Mapping[str, Any]) -> None:
    user_id, username = said.get("userId"), said.get("username")
    matches = user_id == profile.user_id if user_id is not None else username in (None, profile.username)
    if not matches:
        raise Forbidden("The claimed user is not the one this connection stands for")
