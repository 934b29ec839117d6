"""No number, header or query costs the server more than in proportion to its length (amendment A13).

test_worst_bodies.py says so of bodies and frames. Costs are CPU time, compared with that of another piece of work in
the same run, with a wide margin: a reader that takes time in the square of the length is a thousand times over it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from typing import Any

import pytest
from falcon.testing import create_asgi_req

from hype import jsontext, spec
from hype.errors import HypeError
from hype.rest import body, query
from hype.rest.auth import bearer_token

CONTRACT = spec.load("hardened")
MARGIN = 100
"""A cost may be so many times that of parsing the numbers of a whole body, each by a function in Python."""

_NUMBERS = ("9" * 4_000, "1e308", "-1e999", "9" * 4_000 + ".5", "1.0")


@cache
def allowance() -> float:
    """CPU seconds that a reader may take."""
    text = json.dumps([1] * (body.LIMIT_BYTES // 3))
    return MARGIN * min(cost(lambda: json.loads(text, parse_int=lambda digits: int(digits))) for _ in range(5))


def cost(work: Callable[[], object]) -> float:
    """CPU seconds that `work` takes; a refusal is an end like any other."""
    started = time.process_time()
    with suppress(HypeError, RecursionError):
        work()
    return time.process_time() - started


@pytest.mark.parametrize("number", _NUMBERS)
def test_no_number_costs_more_than_its_length(number: str) -> None:
    """Digits without end, or as many numbers as a body holds, none of which a machine has."""
    for text in (number * (body.LIMIT_BYTES // len(number)), f"[{(number + ',') * (90_000 // len(number))}1]"):
        assert cost(lambda text=text: jsontext.parse(text)) < allowance()  # type: ignore[misc]


@pytest.mark.parametrize("quoted", [True, False])
def test_no_media_type_costs_more_than_its_length(quoted: bool) -> None:
    """A Content-Type of any length that is not that of JSON is refused at once."""
    rule = CONTRACT.operations["loginGuest"].body
    assert rule is not None
    content = body.Content(b"{}", 'application/json; x="' + ";" * 200_000 + '"' * quoted, "identity")
    assert cost(lambda: body.read(content, rule)) < allowance()


def test_no_query_and_no_token_cost_more_than_their_length() -> None:
    """Fields and blanks without end are read in time."""
    parameters = CONTRACT.operations["listMessages"].query
    for field in ("limit=1&", "&", "%FF", "limit=" + "9" * 5_000 + "&", "a=%00;"):
        assert cost(lambda field=field: query.read(field * (100_000 // len(field)), parameters)) < allowance()  # type: ignore[misc]
    for value in ("Bearer" + " " * 100_000, "Bearer x" + " " * 100_000 + "y", "Bearer " + "x " * 50_000):
        request: Any = create_asgi_req(headers={"Authorization": value})
        assert cost(lambda request=request: bearer_token(request)) < allowance()  # type: ignore[misc]
