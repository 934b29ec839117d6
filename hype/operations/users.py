"""Users: the list, a profile, a user's status and own profile (rulings R16, R17, R20, P1, P7)."""

from __future__ import annotations

from typing import Any

from hype import payloads
from hype.cluster import Profile, ProfileChanged
from hype.database import Conflict as Taken
from hype.errors import Conflict, NotFound
from hype.models import User
from hype.operations.call import Answer, Call, ok
from hype.operations.lists import answer_texts, span
from hype.operations.policy import permit

__all__ = ["get_user", "list_users", "update_user", "update_user_status"]

_TAKEN = "Username already taken"
_NOT_YOURS = "Forbidden: You can only update your own profile"
_COLUMNS = {"username": "username", "displayName": "display_name", "bio": "bio", "avatarUrl": "avatar_url"}


def list_users(call: Call) -> Answer:
    """Return users by `createdAt`, `id` (operation listUsers)."""
    reader_id = None if call.user is None else call.user.id
    hidden = _emails_hidden(call)
    return answer_texts(call, User.parts_as_json(*span(call), reader_id=reader_id, emails_hidden=hidden))


def get_user(call: Call) -> Answer:
    """Return a user (operation getUser)."""
    return ok(_payload(call, _found(User.find(call.path["id"]))))


def update_user_status(call: Call) -> Answer:
    """Change a user's status; check the permission before the user's existence (operation updateUserStatus, R10)."""
    permit(call, _NOT_YOURS, self=_is_self(call, call.path["id"]))
    row = _found(User.find(call.path["id"]))
    return ok(_payload(call, row.change({"status": call.body["status"].upper()})))


def update_user(call: Call) -> Answer:
    """Change a profile; absent members stay, and `updatedAt` always moves (operation updateUser, ruling R20)."""
    permit(call, _NOT_YOURS, self=_is_self(call, call.path["id"]))
    row = _found(User.find(call.path["id"]))
    name = call.body.get("username", row.username)
    if name != row.username and call.services.contract.reserved(name):
        raise Conflict(_TAKEN)
    changes = {column: call.body[member] for member, column in _COLUMNS.items() if member in call.body}
    try:
        row = row.change(changes)
    except Taken as error:
        raise Conflict(_TAKEN) from error
    call.unit.announce(ProfileChanged(Profile(row.id, row.username, row.display_name, row.avatar_url)))
    return ok(payloads.profile(row, email_shown=_email_shown(call, row)))


def _found(row: User | None) -> User:
    if row is None:
        raise NotFound("User not found")
    return row


def _payload(call: Call, row: User) -> dict[str, Any]:
    return payloads.user(row, email_shown=_email_shown(call, row))


def _email_shown(call: Call, row: User) -> bool:
    return not _emails_hidden(call) or _is_self(call, row.id)


def _emails_hidden(call: Call) -> bool:
    return call.services.contract.visible_to_owner_only("User", "email")


def _is_self(call: Call, user_id: str) -> bool:
    return call.user is not None and call.user.id == user_id
