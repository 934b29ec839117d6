"""Requirements that follow from the specs: every answer and every frame keeps them."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.contract.specs import Contract, Expected
from hype_contract.requirements.audience import cells
from hype_contract.requirements.requirement import Level, Requirement


def derived(contract: Contract) -> Iterable[Requirement]:
    """Yield the requirements that every answer and every frame keeps the specs."""
    title = "values of an answer can be used in further requests as the spec's links say"
    yield Requirement("spec.links", title, "openapi.yaml links")
    for operation in contract.operations.values():
        title = f"{operation.method} {operation.path} answers any request as openapi.yaml says"
        level: Level = "extension" if operation.extension else "documented"
        yield Requirement(f"spec.{operation.id}", title, operation.source, level, area=operation.area)
    for event in contract.events.values():
        title = f"a client's {event.name} is accepted as asyncapi.yaml says"
        level = "extension" if event.extension else "documented"
        if event.direction == "in":
            yield Requirement(f"spec.{event.name}.in", title, event.source, level, area=event.area)
    yield from audience_requirements(contract)
    yield from (_seen(contract, expected) for expected in contract.expected() if expected.pair.detail != "in")


def _seen(contract: Contract, expected: Expected) -> Requirement:
    """Return the requirement that an answer or an outgoing event is seen, and is right."""
    kind, name, detail = expected.pair
    if kind == "event":
        id, title = f"spec.{name}.out", f"{name} is sent as asyncapi.yaml says"
    else:
        id, title = f"answer.{name}.{detail}", f"{name} answers {detail} as openapi.yaml says"
    level: Level = "extension" if expected.extension else "documented"
    if level == "documented" and expected.pair in contract.hardened_only:
        level = "hardened"
    return Requirement(
        id, title, expected.source, level, area=expected.area, pair=expected.pair, exempt=expected.exempt
    )


def audience_requirements(contract: Contract) -> Iterable[Requirement]:
    """Yield the requirements about each audience of each event, from its `x-hype-audience`."""
    for event, cell in cells(contract):
        # The event that follows a client's frame shows the effect of the frame.
        sent = contract.events[event.name, "out"]
        level: Level = "extension" if event.extension or sent.extension else "documented"
        yield Requirement(cell.id, cell.title, event.source, level, area=cell.area, audience=cell)
