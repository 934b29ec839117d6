"""Bugs of users as they are shown: the list, one user, the email (rulings R16 and P7)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.mutants.changes import answering, asking, each, instead_of, kept, refusal, sets, showing, without
from tests.mutants.lists import arranged_users
from tests.mutants.registry import DOCUMENTED, HARDENED, mutant
from tests.mutants.seams import GONE, Operation, Payload, Query, SpecPatch, Within

SCHEMAS = "openapi.yaml#/components/schemas"
LIST = "openapi.yaml#/paths/~1api~1users/get"


def _list_of(arrange: Callable[[list[Any]], list[Any]]) -> Query:
    """Return the change by which the list is a part of all users, arranged otherwise."""
    return Query("User.parts_as_json", arranged_users(arrange))


def _listed_with(change: Callable[[int | None, int], tuple[int | None, int]]) -> Query:
    """Return the change by which the list is asked for with another limit and offset."""
    return Query(
        "User.parts_as_json",
        lambda parts, model, limit, offset, **more: parts(*change(limit, offset), **more),
    )


def _rename_ignores_case(perform: Any, call: Any) -> Any:
    from hype.models import User

    answer = perform(call)
    name = str(call.body.get("username", "")).lower()
    if any(user.username.lower() == name and user.id != call.path["id"] for user in User.listed()):
        raise refusal(409, "Username already taken")
    return answer


def _total_of_the_page(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, "meta": {**body["meta"], "total": len(body["data"])}}


def _without_oneself(data: list[Any], call: Any) -> list[Any]:
    return [user for user in data if call.user is None or user["id"] != call.user.id]


MUTANTS = [
    mutant(
        "rest.users.found-by-name",
        "A user is found by their name in place of the id.",
        Within("getUser", Query("User.find", lambda find, model, key: model.named(key) or find(key))),
        of="getUser",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.users.rename-ignores-case",
        "A user cannot change their name to Ann when there is an ann.",
        Operation("updateUser", _rename_ignores_case),
        of="updateUser",
        killed_by="R21.username-letter-case",
    ),
    mutant(
        "rest.users.list-by-name",
        "Users are listed by name.",
        _list_of(lambda users: sorted(users, key=lambda user: user.username)),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-newest-first",
        "Users are listed newest first.",
        _list_of(lambda users: users[::-1]),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-of-fifty",
        "Without a limit the list of users ends after fifty.",
        SpecPatch(f"{LIST}/parameters/0/schema/default", 50),
        of="listUsers",
        killed_by="R16.list",
    ),
    mutant(
        "rest.users.list-of-all",
        "In the hardened profile the list of users has no end without a limit.",
        SpecPatch(f"{LIST}/parameters/0/schema/default", GONE),
        of="listUsers",
        killed_by="A6.meta",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.list-of-a-thousand",
        "In the documented profile the list of users ends after a thousand.",
        SpecPatch(f"{LIST}/parameters/0/schema/default", 1000),
        of="listUsers",
        killed_by="A6.meta",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.users.total-of-the-page",
        "meta.total counts the users of the page.",
        Operation("listUsers", answering(_total_of_the_page)),
        of="listUsers",
        killed_by="A6.meta",
    ),
    mutant(
        "rest.users.list-hides-offline",
        "A user who is offline is not listed.",
        _list_of(lambda users: [user for user in users if user.status != "OFFLINE"]),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.list-hides-oneself",
        "A user who lists the users is not in the list.",
        Operation("listUsers", showing(_without_oneself)),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-ignored",
        "The offset of the list of users is ignored.",
        _listed_with(lambda limit, offset: (limit, 0)),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-needs-limit",
        "An offset without a limit is ignored.",
        _listed_with(lambda limit, offset: (limit, 0 if limit in (None, 1000) else offset)),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.offset-counts-pages",
        "The offset counts pages instead of users.",
        _listed_with(lambda limit, offset: (limit, offset * (limit or 1))),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.limit-ignored",
        "The limit of the list of users is ignored.",
        _listed_with(lambda limit, offset: (None, offset)),
        of="listUsers",
        killed_by="R16.pages",
    ),
    mutant(
        "rest.users.limit-of-100",
        "A limit of more than 100 users is refused.",
        SpecPatch(f"{LIST}/parameters/0/schema/maximum", 100),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.limit-of-none",
        "A limit of 0 is accepted and lists no user.",
        SpecPatch(f"{LIST}/parameters/0/schema/minimum", 0),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.negative-offset",
        "A negative offset counts as none.",
        SpecPatch(f"{LIST}/parameters/1/schema/minimum", GONE),
        of="listUsers",
        killed_by="R16.query-bounds",
    ),
    mutant(
        "rest.users.email-shown",
        "A user sees every user's email.",
        SpecPatch(f"{SCHEMAS}/User/properties/email/x-hype-visible-to", "anyone"),
        of="listUsers getUser",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.email-in-the-list",
        "The email is hidden in a profile, but the list of users has it.",
        Within("listUsers", Payload("User", lambda payload, row: {**payload, "email": row.email})),
        of="listUsers",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.own-email-hidden",
        "A user's own email is hidden from the user.",
        Payload("User", sets(email=None)),
        of="getUser updateUser",
        killed_by="P7.email",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.email-hidden-in-documented",
        "Emails are hidden in the documented profile.",
        SpecPatch(f"{SCHEMAS}/User/properties/email/x-hype-visible-to", "owner"),
        of="listUsers getUser",
        killed_by="P7.email",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.users.discriminator-constant",
        "Every user's discriminator is 0000.",
        Payload("User", sets(discriminator="0000")),
        of="getUser",
        killed_by="R16.shown-user",
    ),
    mutant(
        "rest.users.avatar-empty",
        "`avatar` stays null beside a set `avatarUrl`.",
        Payload("User", sets(avatar=None)),
        of="getUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.upper-case-status",
        "A user's status is in upper case.",
        Payload("User", each("status", str.upper)),
        of="getUser listUsers",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.custom-status-missing",
        "A user has no customStatus.",
        Payload("User", without("customStatus")),
        of="getUser listUsers updateUser",
        killed_by="R16.members",
    ),
    mutant(
        "rest.users.unknown-is-null",
        "An unknown user is 200 with null.",
        Operation("getUser", instead_of(404, None)),
        of="getUser",
        killed_by="R3.unknown-id",
    ),
    mutant(
        "rest.users.null-refused",
        "A display name cannot be taken back: null is a validation error.",
        SpecPatch(f"{SCHEMAS}/UpdateUserRequest/properties/displayName/anyOf/1/type", "string"),
        of="updateUser",
        killed_by="A18.taken-back",
    ),
    mutant(
        "rest.users.null-ignored",
        "A null in a profile update counts as an absent member.",
        Operation("updateUser", asking(kept(lambda value: value is not None))),
        of="updateUser",
        killed_by="A18.taken-back",
    ),
    mutant(
        "rest.users.invisible-names",
        "A display name may consist of characters without a width.",
        SpecPatch(f"{SCHEMAS}/DisplayName/allOf/2/x-hype-not-invisible", GONE),
        of="updateUser",
        killed_by="A18.display-name",
    ),
    mutant(
        "rest.users.turning-names",
        "A display name may turn the direction of the text around it.",
        SpecPatch(f"{SCHEMAS}/DisplayName/allOf/1/pattern", r"^[^\x00-\x1f\x7f-\x9f]*$"),
        of="updateUser",
        killed_by="A18.display-name",
    ),
    mutant(
        "rest.users.joiners-refused",
        "A display name with a joiner, as in the picture of an astronaut, is refused.",
        SpecPatch(f"{SCHEMAS}/DisplayName/allOf/1/pattern", "^[^\x00-\x1f\u200b-\u200f\u2028-\u202e\u2066-\u2069]*$"),
        of="updateUser",
        killed_by="A18.display-name",
    ),
    mutant(
        "rest.users.avatar-ends-an-attribute",
        "An avatar URL may have quotation marks and angle brackets.",
        SpecPatch(f"{SCHEMAS}/AvatarUrl/anyOf/0/allOf/1/pattern", "^[A-Za-z]+://[^@]+$"),
        of="updateUser",
        killed_by="P8.url-characters",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.avatar-with-a-password",
        "An avatar URL may have a user name and a password.",
        SpecPatch(
            f"{SCHEMAS}/AvatarUrl/anyOf/0/allOf/1/pattern", r"^[A-Za-z]+://[A-Za-z0-9._~:/?#@!$&'()*+,;=%\[\]-]*$"
        ),
        of="updateUser",
        killed_by="P8.url-characters",
        profiles=HARDENED,
    ),
    mutant(
        "rest.users.system-in-capitals",
        "A user may call themselves SYSTEM.",
        SpecPatch(f"{SCHEMAS}/Username/x-hype-reserved", []),
        of="registerUser loginGuest updateUser",
        killed_by="R21.system",
    ),
]
