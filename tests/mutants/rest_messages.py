"""Bugs of messages: pages, content, edits, authors (rulings R18 to R20 and R24)."""

from __future__ import annotations

from tests.mutants.registry import Edit, Law, mutant

MUTANTS = [
    mutant(
        "rest.messages.oldest-first",
        "The page of messages begins with the oldest one.",
        Edit("hype/models/messages.py", "cls.created_at.desc(), cls.id.desc()", "cls.created_at, cls.id"),
        of="listMessages",
        killed_by="R18.newest-first",
    ),
    mutant(
        "rest.messages.longest-content-1999",
        "A message of exactly 2000 characters is refused.",
        Law("openapi.yaml#/components/schemas/MessageContent/maxLength", 1999),
        of="createMessage",
        killed_by="bounds.createMessage",
    ),
]
