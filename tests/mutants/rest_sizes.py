"""Bugs of texts that are too long to be meant (amendment A13)."""

from __future__ import annotations

from tests.mutants.changes import asking, crash, each
from tests.mutants.registry import HARDENED, mutant
from tests.mutants.seams import Operation, SpecPatch

MUTANTS = [
    mutant(
        "rest.sizes.long-id-is-500",
        "An id of 50,000 characters is a 500, as where the database refuses to look for it.",
        SpecPatch("openapi.yaml#/components/schemas/ChannelId/maxLength"),
        Operation("createMessage", asking(each("channelId", lambda text: crash() if len(text) > 10_000 else text))),
        of="createMessage",
        profiles=HARDENED,
        killed_by="A13.long-texts",
    ),
]
