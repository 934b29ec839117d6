"""The performance of an operation: authentication, then validation, then the work (ruling R10)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hype.errors import NotAuthenticated
from hype.models import User
from hype.operations.call import Answer, Call, Function, Services
from hype.operations.callers import authenticate, authenticate_again

__all__ = ["Reading", "perform", "perform_as"]

Reading = Callable[[Call], None]
"""Sets the `query` and `body` of a call. Raises HypeError for errors in them."""


def perform(function: Function, call: Call, token: str | None, read: Reading) -> Answer:
    """Perform an operation for a request, failing in ruling R10's order; call it in the call's unit of work.

    token: the bearer token, None if there was none, "" if the header was malformed. read: called after authentication,
    so that an anonymous body costs nothing where a token is needed. A request that is valid so far counts for the rate
    of its operation (amendment A13). Raises HypeError.
    """
    if call.operation.auth != "none":
        _identify(call, token)
    read(call)
    if call.quota is not None:
        call.quota.take(call.known_user_id, call.address)
    return function(call)


def perform_as(function: Function, call: Call, user_id: str, session_id: str | None) -> Answer:
    """Perform an operation for a socket with this identity (operation createMessage, ruling R36).

    The operation asks for the caller, or reads it together with something else. session_id: None for an identity that
    was only claimed. Raises NotAuthenticated when the user does not exist any more, or the session has been revoked
    since the socket was bound.
    """
    call.claim = user_id, session_id
    call.look_up_user(lambda: authenticate_again(user_id, session_id)[0])
    return function(call)


def _identify(call: Call, token: str | None) -> None:
    """Set the caller; the operation's `security` decides about a missing or a bad token."""
    if token is None and call.operation.auth != "required":
        return
    if call.operation.auth == "optional":
        call.look_up_user(partial(_user_of, call.services, token))
    else:
        call.user, call.session = authenticate(call.services, token)


def _user_of(services: Services, token: str | None) -> User | None:
    """Return the user of a token, None for a bad one."""
    try:
        return authenticate(services, token)[0]
    except NotAuthenticated:
        return None
