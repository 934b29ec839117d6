"""Requirements that follow from the specs: every answer and every frame keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.contract.specs import Contract, Expected
from hype_contract.requirements.audience import cells
from hype_contract.requirements.levels import Levels
from hype_contract.requirements.requirement import Level, Requirement


def derived(contract: Contract) -> Iterable[Requirement]:
    """Yield the requirements that every answer and every frame keeps the specs.

    `answer.…` and `spec.….out` are about what the words of the seed document say, and `spec.…` and `published.…` about
    all that the specs decide beyond them (amendment A22).
    """
    title = "values of an answer can be used in further requests as the spec's links say"
    yield Requirement("spec.links", title, "openapi.yaml links", "published")
    for operation in contract.operations.values():
        title = f"{operation.method} {operation.path} answers any request as openapi.yaml says"
        level: Level = "extension" if operation.extension else "published"
        id = f"spec.{operation.id}"
        yield Requirement(id, title, operation.source, level, area=operation.area, watched=True)
    for event in contract.events.values():
        title = f"a client's {event.name} is accepted as asyncapi.yaml says"
        level = "extension" if event.extension else "published"
        if event.direction == "in":
            yield Requirement(f"spec.{event.name}.in", title, event.source, level, area=event.area)
    yield from audience_requirements(contract)
    levels = Levels(contract)
    for expected in contract.expected():
        if expected.pair.detail != "in":
            yield _seen(expected, levels.of_pair(expected))
        if expected.pair.detail == "out" and not expected.extension and levels.says_more_of(expected.pair.name):
            yield _published(expected)


def _seen(expected: Expected, level: Level) -> Requirement:
    """Return the requirement that an answer or an outgoing event is seen, and is right."""
    kind, name, detail = expected.pair
    if kind == "event":
        id, title = f"spec.{name}.out", f"{name} is sent as asyncapi.yaml says"
    else:
        id, title = f"answer.{name}.{detail}", f"{name} answers {detail} as openapi.yaml says"
    return Requirement(
        id, title, expected.source, level, area=expected.area, pair=expected.pair, exempt=expected.exempt
    )


def _published(expected: Expected) -> Requirement:
    """Return the requirement that each event of a name keeps asyncapi.yaml where the words say less."""
    name = expected.pair.name
    title = f"each {name} has the data that asyncapi.yaml decides beyond the document"
    return Requirement(f"published.{name}.out", title, expected.source, "published", area=expected.area, watched=True)


def audience_requirements(contract: Contract) -> Iterable[Requirement]:
    """Yield the requirements about each audience of each event, from its `x-hype-audience`."""
    said = {cell.id: cell.receives for _, cell in cells(contract.laxer.words)}
    for event, cell in cells(contract):
        # The event that follows a client's frame shows the effect of the frame.
        sent = contract.events[event.name, "out"]
        level: Level = "documented" if said.get(cell.id) == cell.receives else "published"
        if event.extension or sent.extension:
            level = "extension"
        yield Requirement(cell.id, cell.title, event.source, level, area=cell.area, audience=cell)
