"""Requirements that follow from the specs: every answer and every frame is as they describe it."""

from __future__ import annotations

from collections.abc import Iterable

from hype_contract.contract.specs import Contract, Expected
from hype_contract.requirements.audience import cells
from hype_contract.requirements.requirement import Level, Requirement


def derived(contract: Contract) -> Iterable[Requirement]:
    """What the specs say by themselves: every answer and every frame is as they describe it."""
    yield Requirement("spec.links", "what an answer names can be used as the spec's links say", "openapi.yaml links")
    for operation in contract.operations.values():
        title = f"{operation.method} {operation.path} answers any request as openapi.yaml says"
        level: Level = "extension" if operation.extension else "documented"
        yield Requirement(f"spec.{operation.id}", title, operation.source, level, area=operation.area)
    for event in contract.events.values():
        title = f"{event.name} is taken as asyncapi.yaml says"
        level = "extension" if event.extension else "documented"
        if event.direction == "in":
            yield Requirement(f"spec.{event.name}.in", title, event.source, level, area=event.area)
    yield from heard(contract)
    yield from (_seen(contract, expected) for expected in contract.expected() if expected.pair.detail != "in")


def _seen(contract: Contract, expected: Expected) -> Requirement:
    """The requirement that an answer or an outgoing event is seen, and is right."""
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


def heard(contract: Contract) -> Iterable[Requirement]:
    """Who hears each event and who must not, from its `x-hype-audience`."""
    for event, cell in cells(contract):
        # What comes of a frame is seen by the event that is sent then.
        shown = contract.events[event.name, "out"]
        level: Level = "extension" if event.extension or shown.extension else "documented"
        yield Requirement(cell.id, cell.title, event.source, level, area=cell.area, audience=cell)
