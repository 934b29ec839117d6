"""Bugs that break the words of the seed document, where other bugs break what the specs add to them."""

from __future__ import annotations

import uuid

from tests.mutants.lists import arranged_users
from tests.mutants.registry import DOCUMENTED, mutant
from tests.mutants.seams import Query, SpecPatch

MUTANTS = [
    mutant(
        "rest.words.ids-of-users-are-uuids",
        "A new user's id is a UUID.",
        Query("User.add", lambda add, model, **values: add(**{**values, "id": values.get("id") or str(uuid.uuid4())})),
        of="registerUser loginGuest",
        killed_by="R3.user-ids",
    ),
    mutant(
        "rest.words.no-guests-listed",
        "The list of users leaves out the guests.",
        Query("User.parts_as_json", arranged_users(lambda users: [user for user in users if not user.is_guest])),
        of="listUsers",
        killed_by="R16.every-user",
        profiles=DOCUMENTED,
    ),
    mutant(
        "rest.words.short-name-without-issues",
        "A username that is too short is refused with a text of its own, and no issue names the member.",
        SpecPatch(
            "openapi.yaml#/components/schemas/Username/x-hype-failure", {"minLength": "The username is too short"}
        ),
        of="registerUser updateUser",
        killed_by="R6.validation-details",
    ),
]
