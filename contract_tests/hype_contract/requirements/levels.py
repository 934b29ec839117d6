"""The level of what follows from the specs (amendment A22): where the same already follows from the words alone."""

from __future__ import annotations

from hype_contract.contract.specs import Contract, Expected, Operation
from hype_contract.requirements.requirement import Level


class Levels:
    """The levels of a contract's derived requirements.

    `documented` is what the specs say by the words of the seed document (`x-hype-words`), `published` what else they
    say in the documented profile, `hardened` the rest.
    """

    def __init__(self, contract: Contract) -> None:
        self._views = (contract, contract.words)
        self._laxer = contract.laxer
        self._words = {expected.pair for expected in contract.laxer.words.expected()}
        self._published = {expected.pair for expected in contract.laxer.expected()}

    def of_pair(self, expected: Expected) -> Level:
        """Return the level of the requirement that an answer or an event is seen, and is right."""
        if expected.extension:
            return "extension"
        if expected.pair not in self._published:
            return "hardened"
        operation = self._laxer.operations.get(expected.pair.name)
        if operation and expected.pair.detail == "401" and needs_no_token(operation):
            return "published"
        return "documented" if expected.pair in self._words else "published"

    def says_more_of(self, event: str) -> bool:
        """Return whether the specs say more than the words of the events of a name that the server sends."""
        schemas = [each.schemas.spelled_out(each.events[event, "out"].schema) for each in self._views]
        return bool(schemas[0] != schemas[1])


def needs_no_token(operation: Operation) -> bool:
    """Return whether an operation works without a token, so that the words say nothing of a bad one (A1b)."""
    return operation.auth == "optional"
