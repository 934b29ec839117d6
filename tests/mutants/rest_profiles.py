"""Bugs of what users change of themselves: profile and status (rulings R16, R17, R20, P1 and P8)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, GONE, HARDENED, Edit, Law, mutant

USERS = "hype/operations/users.py"
BASE = "hype/models/base.py"
SCHEMAS = "openapi.yaml#/components/schemas"
PROFILE = "openapi.yaml#/paths/~1api~1users~1{id}/put"
STATUS = "openapi.yaml#/paths/~1api~1users~1{id}~1status/put"

_PERMIT = '    permit(call, _NOT_YOURS, self=_is_self(call, call.path["id"]))\n'
_ROW = '    row = _found(User.find(call.path["id"]))\n'
_CHANGES = "call.body[member] for member, column in _COLUMNS.items() if member in call.body}"

MUTANTS = [
    mutant(
        "rest.users.update-clears-the-rest",
        "An update of a profile clears what it does not name.",
        Edit(
            USERS,
            _CHANGES,
            'call.body.get(member) for member, column in _COLUMNS.items() if member in {*call.body, "bio"}}',
        ),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.avatar-stays",
        "An avatar cannot be taken away: null is ignored.",
        Edit(USERS, _CHANGES, _CHANGES.replace("member in call.body", "call.body.get(member) is not None")),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.bio-cannot-be-emptied",
        "An empty bio is taken for none given.",
        Edit(USERS, _CHANGES, _CHANGES.replace("member in call.body", 'call.body.get(member, "") != ""')),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.update-without-bio",
        "The answer to a profile update lacks the bio.",
        Edit(USERS, "payloads.profile(", "payloads.user("),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.own-name-is-taken",
        "Saving a profile with the name one has already is 409.",
        Edit(
            USERS,
            "    try:\n",
            '    if User.named(call.body.get("username", "")) is not None:\n'
            '        raise Conflict("Username already taken")\n    try:\n',
        ),
        of="updateUser",
        killed_by="R16.profile",
    ),
    mutant(
        "rest.users.unknown-before-not-yours",
        "Updating an unknown user is 404 instead of 403.",
        Edit(USERS, f"{_PERMIT}{_ROW}    changes", f"{_ROW}{_PERMIT}    changes"),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.anybody-updates",
        "Anybody with a token can update anybody's profile.",
        Law(f"{PROFILE}/x-hype-policy/allow", ["anyone"]),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.update-without-token",
        "Updating a profile does not ask for a token before it compares ids: 403 for a stranger.",
        Law(f"{PROFILE}/security", [{}, {"bearer": []}]),
        of="updateUser",
        killed_by="R7.no-token.updateUser",
    ),
    mutant(
        "rest.users.not-yours-is-404",
        "Somebody else's profile is 404 for an update instead of 403.",
        Edit("hype/operations/policy.py", "import Forbidden", "import NotFound as Forbidden"),
        of="updateUser updateMessage deleteMessage",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.not-yours-in-other-words",
        "The 403 of a profile update is `Forbidden`, not the documented sentence.",
        Edit(USERS, '"Forbidden: You can only update your own profile"', '"Forbidden"'),
        of="updateUser",
        killed_by="R16.only-oneself",
    ),
    mutant(
        "rest.users.taken-name-is-400",
        "Taking somebody's username is 400 instead of 409.",
        Edit(USERS, "import Conflict, NotFound", "import BadRequest as Conflict, NotFound"),
        of="updateUser",
        killed_by="R6.username-taken",
    ),
    mutant(
        "rest.users.rename-race",
        "Of renames to one name within a fifth of a second all but the first are 500.",
        Edit(
            USERS,
            'raise Conflict("Username already taken") from error',
            'other = User.named(call.body["username"])\n'
            '        if other is not None and __import__("time").time() * 1000 - other.updated_at < 200:\n'
            '            raise\n        raise Conflict("Username already taken") from error',
        ),
        of="updateUser",
        killed_by="R21.race-of-renames",
    ),
    mutant(
        "rest.users.taken-before-not-yours",
        "Updating somebody else's profile tells first whether the new name is taken.",
        Edit(
            USERS,
            f"{_PERMIT}{_ROW}    changes",
            '    if User.named(call.body.get("username", "")) is not None:\n'
            f'        raise Conflict("Username already taken")\n{_PERMIT}{_ROW}    changes',
        ),
        of="updateUser",
        killed_by="R10.403-before-409",
    ),
    mutant(
        "rest.users.empty-update-moves-nothing",
        "An update without members leaves updatedAt as it was.",
        Edit(
            BASE,
            "        model = type(self)\n",
            "        if not changes:\n            return self\n        model = type(self)\n",
        ),
        of="updateUser updateChannel",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.updated-at-is-the-clock",
        "Two updates within a tick of the clock, 16 ms, have one updatedAt.",
        Edit(BASE, "return peewee.Case(None, [(column >= now, column + 1)], now)", "return now // 16 * 16"),
        of="updateUser updateMessage",
        killed_by="R20.edits-at-once",
    ),
    mutant(
        "rest.users.updated-at-in-seconds",
        "updatedAt is kept in whole seconds.",
        Edit(BASE, "return peewee.Case(None, [(column >= now, column + 1)], now)", "return now // 1000 * 1000"),
        of="updateUser",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.status-moves-nothing",
        "A new status does not move updatedAt.",
        Edit(USERS, 'row.change({"status": call.body["status"].upper()})', "_quietly(row, call)"),
        Edit(
            USERS,
            "def _found(",
            "def _quietly(row: User, call: Call) -> User:\n"
            '    User.update(status=call.body["status"].upper()).where(User.id == row.id).execute()\n'
            "    return _found(User.find(row.id))\n\n\ndef _found(",
        ),
        of="updateUserStatus",
        killed_by="R20.every-updated-at",
    ),
    mutant(
        "rest.users.name-of-33",
        "A display name may have 33 characters.",
        Law(f"{SCHEMAS}/UpdateUserRequest/properties/displayName/maxLength", 33),
        of="updateUser",
        killed_by="bounds.updateUser.displayName.maxLength",
    ),
    mutant(
        "rest.users.bio-of-499",
        "A bio of 500 characters is refused.",
        Law(f"{SCHEMAS}/UpdateUserRequest/properties/bio/maxLength", 499),
        of="updateUser",
        killed_by="bounds.updateUser.bio.maxLength",
    ),
    mutant(
        "rest.users.null-name",
        "A display name of null is accepted.",
        Law(f"{SCHEMAS}/UpdateUserRequest/properties/displayName/type", ["string", "null"]),
        of="updateUser",
        killed_by="bounds.updateUser.displayName.type",
    ),
    mutant(
        "rest.users.username-unchecked",
        "A profile update does not check the characters of the username.",
        Law(f"{SCHEMAS}/UpdateUserRequest/properties/username", {"type": "string", "minLength": 3, "maxLength": 32}),
        of="updateUser",
        killed_by="bounds.updateUser.username.pattern",
    ),
    mutant(
        "rest.users.avatar-of-any-scheme",
        "An avatar may be a javascript: URL.",
        Law(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$"),
        of="updateUser",
        killed_by="P8.avatar-url",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.avatar-https-only",
        "An avatar on http is refused.",
        Law(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^https://\S+$"),
        of="updateUser",
        killed_by="bounds.updateUser.avatarUrl.pattern.inside",
    ),
    mutant(
        "rest.users.avatar-relative",
        "An avatar may be a path without a host.",
        Law(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^\S*$"),
        of="updateUser",
        killed_by="bounds.updateUser.avatarUrl.pattern",
    ),
    mutant(
        "rest.users.avatar-http-only",
        "In the documented profile an avatar must be http or https.",
        Law(f"{SCHEMAS}/AvatarUrl/anyOf/0/pattern", r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/?#]\S*$"),
        of="updateUser",
        killed_by="P8.avatar-url",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.upper-case",
        "A status is accepted in upper case.",
        Law(f"{SCHEMAS}/Status/enum", ["online", "idle", "dnd", "offline", "ONLINE", "IDLE", "DND", "OFFLINE"]),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.anything",
        "Any text is a status.",
        Law(f"{SCHEMAS}/UpdateStatusRequest/properties/status", {"type": "string", "maxLength": 20}),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.validation-failed",
        "A wrong status is answered `Validation failed`.",
        Law(f"{SCHEMAS}/UpdateStatusRequest/x-hype-failure", GONE),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.none-is-online",
        "A body without a status sets online.",
        Law(f"{SCHEMAS}/UpdateStatusRequest/required", []),
        Edit(USERS, 'call.body["status"].upper()', 'call.body.get("status", "online").upper()'),
        of="updateUserStatus",
        killed_by="R17.invalid-status",
    ),
    mutant(
        "rest.status.no-dnd",
        "`dnd` is no status.",
        Law(f"{SCHEMAS}/Status/enum", ["online", "idle", "offline"]),
        of="updateUserStatus",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.status.offline-not-kept",
        "`offline` is answered but not stored while one is signed in.",
        Edit(USERS, 'row.change({"status": call.body["status"].upper()})', "_kept(row, call)"),
        Edit(
            USERS,
            "def _found(",
            "def _kept(row: User, call: Call) -> User:\n"
            '    status = call.body["status"].upper()\n'
            '    row = row.change({} if status == "OFFLINE" else {"status": status})\n'
            "    row.status = status\n    return row\n\n\ndef _found(",
        ),
        of="updateUserStatus",
        killed_by="R17.statuses",
    ),
    mutant(
        "rest.status.of-anybody",
        "Anybody with a token can set anybody's status.",
        Law(f"{STATUS}/x-hype-policy/allow", ["anyone"]),
        of="updateUserStatus",
        killed_by="P1.own-status-only",
        profiles=HARDENED,
    ),
    mutant(
        "rest.status.without-token",
        "A status can be set without a token.",
        Law(f"{STATUS}/security", [{}, {"bearer": []}]),
        Law(f"{STATUS}/x-hype-policy/allow", ["anyone"]),
        of="updateUserStatus",
        killed_by="R7.no-token.updateUserStatus",
        profiles=HARDENED,
    ),
    mutant(
        "rest.status.token-in-documented",
        "Setting a status needs a token in the documented profile.",
        Law(f"{STATUS}/security", [{"bearer": []}]),
        of="updateUserStatus",
        killed_by="P1.anybody",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.own-in-documented",
        "One can set one's own status only in the documented profile.",
        Law(f"{STATUS}/x-hype-policy/allow", ["self"]),
        of="updateUserStatus",
        killed_by="P1.anybody",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.status.unknown-before-not-yours",
        "Setting an unknown user's status is 404 instead of 403.",
        Edit(USERS, f"{_PERMIT}{_ROW}    return", f"{_ROW}{_PERMIT}    return"),
        of="updateUserStatus",
        killed_by="P1.own-status-only",
        profiles=HARDENED,
    ),
]
