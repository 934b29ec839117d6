"""The native validator agrees with the slow one, whose verdict counts, on every schema of both specs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from hype_contract.contract.compiled import Compiled
from hype_contract.contract.profile import PROFILES
from hype_contract.contract.schemas import NOT_BLANK, ROOT, is_blank
from hype_contract.contract.specs import Contract, load

pytestmark = pytest.mark.slow

ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    1.0,
    -1,
    1.5,
    2**31,
    10**400,
    float("nan"),
    float("inf"),
    "",
    "a\n",
    " \n",
    "\u2028\u00a0",
    "a\x00",
    "\ud800",
    "\u0661",
    "\U0001f600" * 40,
    "x" * 2001,
    "2025-10-23T10:30:00.000Z\n",
    "2025-10-23T10:30:00Z",
    [],
    {},
    [None],
    {"\ud800": 1},
)
AT_A_TIME = 5
"""The number of odd values, in turns, that replace each value: all of them would take long and show no more."""


@pytest.fixture(scope="module", params=PROFILES)
def contract(request: pytest.FixtureRequest) -> Contract:
    """Return the shipped specs."""
    return load(request.param)


def test_both_agree_on_every_example_and_every_changed_example(contract: Contract) -> None:
    """Both validators agree on each example, with a value replaced by odd ones, and with a member left out."""
    compiled = Compiled(
        ROOT, {"openapi.yaml": contract.openapi, "asyncapi.yaml": contract.asyncapi}, {NOT_BLANK: is_blank}, {}
    )
    judged = accepted = 0
    for place, example in _examples(contract):
        for instance in (example, *_changed(example)):
            right = not contract.schemas.explain(place, instance)
            # Native code leaves what it cannot read to the other validator. It must never accept a wrong instance.
            assert compiled.accepts(place, instance) <= right, (place, instance)
            judged, accepted = judged + 1, accepted + (compiled.accepts(place, instance) and right)
    assert judged > 1000
    assert judged > accepted > 100


def test_native_code_accepts_every_example(contract: Contract) -> None:
    """No example of the specs needs the slow validator, so native code saves its time."""
    compiled = Compiled(
        ROOT, {"openapi.yaml": contract.openapi, "asyncapi.yaml": contract.asyncapi}, {NOT_BLANK: is_blank}, {}
    )
    assert [place for place, example in _examples(contract) if not compiled.accepts(place, example)] == []


def _examples(contract: Contract) -> Iterator[tuple[str, Any]]:
    for operation in contract.operations.values():
        for answer in operation.answers.values():
            if answer.schema:
                media, _ = contract.schemas.contents(answer.schema.removesuffix("/schema"))
                yield from ((answer.schema, value) for value in _values(contract, media))
    for event in contract.events.values():
        for example in event.raw.get("examples", ()):
            yield event.schema, example["payload"]


def _values(contract: Contract, media: dict[str, Any]) -> Iterator[Any]:
    for example in media.get("examples", {}).values():
        if "$ref" in example:
            example, _ = contract.schemas.contents("openapi.yaml" + example["$ref"])
        yield example["value"]


def _changed(example: Any) -> Iterator[Any]:
    for turn, path in enumerate(_paths(example)):
        for odd in (ODD[(turn * AT_A_TIME + index) % len(ODD)] for index in range(AT_A_TIME)):
            yield _with(example, path, odd)
        if isinstance(path[-1], str):
            yield _with(example, path)


def _paths(node: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, below in steps:
        yield (*at, step)
        yield from _paths(below, (*at, step))


def _with(example: Any, path: tuple[Any, ...], *value: Any) -> Any:
    changed = copy.deepcopy(example)
    node = changed
    for step in path[:-1]:
        node = node[step]
    if value:
        node[path[-1]] = value[0]
    else:
        del node[path[-1]]
    return changed
