"""Bugs of users as they are shown: the list, one user, the email (rulings R16 and P7)."""

from __future__ import annotations

from tests.mutants.registry import DOCUMENTED, GONE, HARDENED, Edit, Law, mutant

USERS = "hype/operations/users.py"
MODEL = "hype/models/users.py"
PAYLOADS = "hype/payloads.py"
SCHEMAS = "openapi.yaml#/components/schemas"
LIST = "openapi.yaml#/paths/~1api~1users/get"

_LISTED = "return ok([_payload(call, row) for row in rows])"
_FOUND = 'return ok(_payload(call, _found(User.find(call.path["id"]))))'

MUTANTS = [
    mutant(
        "rest.users.found-by-name",
        "A user is found by their name in place of the id.",
        Edit(USERS, _FOUND, _FOUND.replace("User.find(", 'User.named(call.path["id"]) or User.find(')),
        of="getUser",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.users.rename-ignores-case",
        "Nobody can change their name to Ann when there is an ann.",
        Edit(
            USERS,
            "    try:\n        row = row.change(changes)",
            '    name = str(call.body.get("username", "")).lower()\n'
            "    if any(one.username.lower() == name and one.id != row.id for one in User.listed()):\n"
            '        raise Conflict("Username already taken")\n'
            "    try:\n        row = row.change(changes)",
        ),
        of="updateUser",
        killed_by="R21.username-letter-case",
    ),
    mutant(
        "rest.users.list-has-meta",
        "The list of users carries a meta object.",
        Edit(USERS, _LISTED, f'{_LISTED[:-1]}, {{"total": len(rows)}})'),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-by-name",
        "Users are listed by name.",
        Edit(MODEL, "order_by(cls.created_at, cls.id)", "order_by(cls.username)"),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-newest-first",
        "Users are listed newest first.",
        Edit(MODEL, "order_by(cls.created_at, cls.id)", "order_by(cls.created_at.desc(), cls.id.desc())"),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-of-fifty",
        "Without a limit the list of users ends after fifty.",
        Edit(MODEL, "query if limit is None else query.limit(limit)", "query.limit(limit or 50)"),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-hides-offline",
        "Who is offline is not listed.",
        Edit(
            MODEL, "order_by(cls.created_at, cls.id)", 'order_by(cls.created_at, cls.id).where(cls.status != "OFFLINE")'
        ),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.list-hides-oneself",
        "Who lists the users is not shown to themselves.",
        Edit(USERS, _LISTED, "return ok([_payload(call, row) for row in rows if row != call.user])"),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-ignored",
        "The offset of the list of users is ignored.",
        Edit(MODEL, ".offset(min(offset, LARGEST_OFFSET))", ""),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-needs-limit",
        "An offset without a limit is ignored.",
        Edit(MODEL, "offset(min(offset, LARGEST_OFFSET))", "offset(min(offset, LARGEST_OFFSET) if limit else 0)"),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-counts-pages",
        "The offset counts pages instead of users.",
        Edit(MODEL, "offset(min(offset, LARGEST_OFFSET))", "offset(min(offset * (limit or 1), LARGEST_OFFSET))"),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.limit-ignored",
        "The limit of the list of users is ignored.",
        Edit(MODEL, "query if limit is None else query.limit(limit)", "query"),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.limit-of-100",
        "A limit of more than 100 users is refused.",
        Law(f"{LIST}/parameters/0/schema/maximum", 100),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.limit-of-none",
        "A limit of 0 is accepted and lists nobody.",
        Law(f"{LIST}/parameters/0/schema/minimum", 0),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.negative-offset",
        "A negative offset counts as none.",
        Law(f"{LIST}/parameters/1/schema/minimum", GONE),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.email-shown",
        "Everybody sees everybody's email.",
        Law(f"{SCHEMAS}/User/properties/email/x-hype-visible-to", "anyone"),
        of="listUsers getUser",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.email-in-the-list",
        "The email is hidden in a profile, but the list of users has it.",
        Edit(USERS, _LISTED, "return ok([payloads.user(row, email_shown=True) for row in rows])"),
        of="listUsers",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.own-email-hidden",
        "One's own email is hidden from oneself.",
        Edit(USERS, "return not hidden or _is_self(call, row.id)", "return not hidden"),
        of="getUser updateUser",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.email-hidden-in-documented",
        "Emails are hidden in the documented profile.",
        Law(f"{SCHEMAS}/User/properties/email/x-hype-visible-to", "owner"),
        of="listUsers getUser",
        killed_by="P7.email",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.users.discriminator-constant",
        "Everybody's discriminator is 0000.",
        Edit(PAYLOADS, '"discriminator": row.username[:4]', '"discriminator": "0000"'),
        of="getUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.avatar-empty",
        "`avatar` stays null beside a set `avatarUrl`.",
        Edit(PAYLOADS, '"avatar": row.avatar_url', '"avatar": None'),
        of="getUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.upper-case-status",
        "A user's status is in upper case.",
        Edit(PAYLOADS, '"status": row.status.lower()', '"status": row.status'),
        of="getUser listUsers",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.bio-shown",
        "A user's bio is in every answer.",
        Edit(PAYLOADS, '"customStatus": row.custom_status,', '"customStatus": row.custom_status, "bio": row.bio,'),
        of="getUser listUsers",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.custom-status-missing",
        "A user has no customStatus.",
        Edit(PAYLOADS, '        "customStatus": row.custom_status,\n', ""),
        of="getUser listUsers updateUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.unknown-is-null",
        "An unknown user is 200 with null.",
        Edit(USERS, _FOUND, 'row = User.find(call.path["id"])\n    return ok(row and _payload(call, row))'),
        of="getUser",
        killed_by="R3.unknown-id",
    ),
]
