"""Bugs of what users change of themselves: profile and status (rulings R16, R17, R20, P1 and P8)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.changes import Deliberate, asking, kept, now_ms, overwritten, refusal, refusing, telling, without
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import GONE, Around, Operation, Query, SpecPatch, Within

SCHEMAS = "openapi.yaml#/components/schemas"
PROFILE = "openapi.yaml#/paths/~1api~1users~1{id}/put"
STATUS = "openapi.yaml#/paths/~1api~1users~1{id}~1status/put"

_TAKEN = "Username already taken"


def changed_with(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Within:
    """Return the change by which an update writes other columns. change: gets those of the request, with values."""
    return Within("updateUser", Query("User.change", lambda original, row, columns: original(change(columns))))


def _is_taken(call: Any) -> bool:
    from hype.models import User

    return User.named(call.body.get("username", "")) is not None


def _own_name_is_taken(perform: Any, call: Any) -> Any:
    taken = _is_taken(call)
    answer = perform(call)
    if taken:
        raise refusal(409, _TAKEN)
    return answer


def _taken_first(perform: Any, call: Any) -> Any:
    if _is_taken(call):
        raise refusal(409, _TAKEN)
    return perform(call)


def _unknown_first(perform: Any, call: Any) -> Any:
    from hype.models import User

    if User.find(call.path["id"]) is None:
        raise refusal(404, "User not found")
    return perform(call)


def _race_unforeseen(perform: Any, call: Any) -> Any:
    from hype.models import User

    try:
        return perform(call)
    except Exception as error:
        other = User.named(call.body.get("username", "")) if getattr(error, "status", None) == 409 else None
        if other is not None and now_ms() - other.updated_at < 200:
            raise Deliberate from error
        raise


def _quietly(change: Any, row: Any, columns: Any) -> Any:
    return overwritten(row, **columns)


def _offline_not_kept(change: Any, row: Any, columns: Any) -> Any:
    return change(kept(lambda status: status != "OFFLINE")(columns))._replace(status=columns["status"])


def _ticking(tick_ms: int) -> Around:
    """Return the change by which a time of change is that of a clock with such ticks."""

    def forward(original: Any, column: Any) -> Any:
        from hype.database import given

        return given("now") / tick_ms * tick_ms

    return Around("hype.models:forward", forward)


MUTANTS = [
    mutant(
        "rest.users.update-clears-the-rest",
        "An update of a profile clears a bio that it does not name.",
        changed_with(lambda columns: {"bio": None, **columns}),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.avatar-stays",
        "An avatar cannot be taken away: null is ignored.",
        changed_with(kept(lambda value: value is not None)),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.bio-cannot-be-emptied",
        "An empty bio is taken for none given.",
        changed_with(kept(lambda value: value != "")),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.update-without-bio",
        "The answer to a profile update lacks the bio.",
        Operation("updateUser", telling(without("bio"))),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.own-name-is-taken",
        "Saving a profile with the name that the user has already is 409.",
        Operation("updateUser", _own_name_is_taken),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.unknown-before-not-yours",
        "Updating an unknown user is 404 instead of 403.",
        Operation("updateUser", _unknown_first),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.anybody-updates",
        "A user with a token can update every user's profile.",
        SpecPatch(f"{PROFILE}/x-hype-policy/allow", ["anyone"]),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.update-without-token",
        "Updating a profile does not ask for a token before it compares ids: 403 for a stranger.",
        SpecPatch(f"{PROFILE}/security", [{}, {"bearer": []}]),
        of="updateUser",
        killed_by="R7.no-token.updateUser",
    ),
    mutant(
        "rest.users.not-yours-is-404",
        "Another user's profile is 404 for an update instead of 403.",
        Around("hype.operations:permit", refusing(403, 404)),
        of="updateUser updateMessage deleteMessage",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.not-yours-in-other-words",
        "The 403 of a profile update is `Forbidden`, not the documented sentence.",
        Operation("updateUser", refusing(403, 403, "Forbidden")),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.taken-name-is-400",
        "Taking another user's username is 400 instead of 409.",
        Operation("updateUser", refusing(409, 400)),
        of="updateUser",
        killed_by="R6.username-taken",
    ),
    mutant(
        "rest.users.rename-race",
        "Of renames to one name within a fifth of a second all but the first are 500.",
        Operation("updateUser", _race_unforeseen),
        of="updateUser",
        killed_by="R21.race-of-renames",
    ),
    mutant(
        "rest.users.taken-before-not-yours",
        "Updating another user's profile tells first whether the new name is taken.",
        Operation("updateUser", _taken_first),
        of="updateUser",
        killed_by="R10.403-before-409",
    ),
    mutant(
        "rest.users.empty-update-moves-nothing",
        "An update without members leaves updatedAt as it was.",
        Query("Editable.change", lambda change, row, columns: change(columns) if columns else row),
        of="updateUser updateChannel",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.updated-at-is-the-clock",
        "Two updates within a tick of the clock, 100 ms, have one updatedAt.",
        _ticking(100),
        of="updateUser updateMessage",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.updated-at-in-seconds",
        "updatedAt is kept in whole seconds.",
        _ticking(1000),
        of="updateUser",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.status-moves-nothing",
        "A new status does not move updatedAt.",
        Within("updateUserStatus", Query("User.change", _quietly)),
        of="updateUserStatus",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.name-of-33",
        "A display name may have 33 characters.",
        SpecPatch(f"{SCHEMAS}/DisplayName/maxLength", 33),
        of="updateUser",
        killed_by="bounds.updateUser.displayName.maxLength",
    ),
    mutant(
        "rest.users.bio-of-499",
        "A bio of 500 characters is refused.",
        SpecPatch(f"{SCHEMAS}/UpdateUserRequest/properties/bio/anyOf/0/maxLength", 499),
        of="updateUser",
        killed_by="bounds.updateUser.bio.maxLength",
    ),
    mutant(
        "rest.users.username-unchecked",
        "A profile update does not check the characters of the username.",
        SpecPatch(
            f"{SCHEMAS}/UpdateUserRequest/properties/username", {"type": "string", "minLength": 3, "maxLength": 32}
        ),
        of="updateUser",
        killed_by="bounds.updateUser.username.pattern",
    ),
    mutant(
        "rest.users.avatar-of-any-scheme",
        "An avatar may be a javascript: URL.",
        SpecPatch(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"),
        of="updateUser",
        killed_by="P8.avatar-url",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.avatar-https-only",
        "An avatar on http is refused.",
        SpecPatch(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^https://\S+$"),
        of="updateUser",
        killed_by="bounds.updateUser.avatarUrl.pattern.inside",
    ),
    mutant(
        "rest.users.avatar-relative",
        "An avatar may be a path without a host.",
        SpecPatch(f"{SCHEMAS}/AvatarUrl/anyOf/0", {"type": "string", "maxLength": 2048, "pattern": r"^\S*$"}),
        of="updateUser",
        killed_by="bounds.updateUser.avatarUrl.pattern",
    ),
    mutant(
        "rest.users.avatar-http-only",
        "In the documented profile an avatar must be http or https.",
        SpecPatch(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]\S*$"),
        of="updateUser",
        killed_by="P8.avatar-url",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.upper-case",
        "A status is accepted in upper case.",
        SpecPatch(f"{SCHEMAS}/Status/enum", ["online", "idle", "dnd", "offline", "ONLINE", "IDLE", "DND", "OFFLINE"]),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.anything",
        "A status may be any text.",
        SpecPatch(f"{SCHEMAS}/UpdateStatusRequest/properties/status", {"type": "string", "maxLength": 20}),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.validation-failed",
        "A wrong status is answered `Validation failed`.",
        SpecPatch(f"{SCHEMAS}/UpdateStatusRequest/x-hype-failure", GONE),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.none-is-online",
        "A body without a status sets online.",
        SpecPatch(f"{SCHEMAS}/UpdateStatusRequest/required", []),
        Operation("updateUserStatus", asking(lambda body: {"status": "online", **body})),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.no-dnd",
        "`dnd` is no status.",
        SpecPatch(f"{SCHEMAS}/Status/enum", ["online", "idle", "offline"]),
        of="updateUserStatus",
        killed_by="R17.each-status",
    ),
    mutant(
        "rest.status.offline-not-kept",
        "The status `offline` is answered and not stored.",
        Within("updateUserStatus", Query("User.change", _offline_not_kept)),
        of="updateUserStatus",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.status.of-anybody",
        "A user with a token can set every user's status.",
        SpecPatch(f"{STATUS}/x-hype-policy/allow", ["anyone"]),
        of="updateUserStatus",
        killed_by="P1.own-status-only",
        profiles=HARDENED,
    ),
    mutant(
        "rest.status.without-token",
        "A status can be set without a token.",
        SpecPatch(f"{STATUS}/security", [{}, {"bearer": []}]),
        SpecPatch(f"{STATUS}/x-hype-policy/allow", ["anyone"]),
        of="updateUserStatus",
        killed_by="R7.no-token.updateUserStatus",
        profiles=HARDENED,
    ),
    mutant(
        "rest.status.token-in-documented",
        "Setting a status needs a token in the documented profile.",
        SpecPatch(f"{STATUS}/security", [{"bearer": []}]),
        of="updateUserStatus",
        killed_by="P1.no-token-needed",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.own-in-documented",
        "A user can set their own status only in the documented profile.",
        SpecPatch(f"{STATUS}/x-hype-policy/allow", ["self"]),
        of="updateUserStatus",
        killed_by="P1.anybody",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.unknown-before-not-yours",
        "Setting an unknown user's status is 404 instead of 403.",
        Operation("updateUserStatus", _unknown_first),
        of="updateUserStatus",
        killed_by="P1.own-status-only",
        profiles=HARDENED,
    ),
]
