"""The same seed sends the same requests, also to a target that knows nothing of the first run."""

from __future__ import annotations

import re
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hype_contract.__main__ import main
from hype_contract.actors.people import unique
from hype_contract.cases.fuzzing.references import chance
from tests.hype_contract.fake import Fake, running

pytestmark = pytest.mark.slow

_RULES = ("spec.updateUserStatus", "R12.health", "R14.defaults")
_NEW = re.compile(r"\bc[0-9a-f]{24}\b")
"""An id of the fake, which is another one each time."""


def asked(seed: int) -> Counter[tuple[str, bytes]]:
    """Judge a new fake with this seed; return request lines, and bodies of PUT, with their numbers."""
    with running(Fake()) as fake:
        only = [word for rule in _RULES for word in ("--only", rule)]
        urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--profile", "hardened"]
        main([*urls, *only, "--seed", str(seed), "--workers", "3"])
        lines = ((_NEW.sub("<id>", line), body if line.startswith("PUT ") else b"") for line, body in fake.bodies)
        return Counter(lines)


def test_the_same_seed_sends_the_same_requests() -> None:
    """Two runs with a seed send the same requests as often, with the same generated bodies."""
    first = asked(7)
    assert sum(first.values()) > 10
    assert asked(7) == first


def test_ids_do_not_decide_what_becomes_of_a_request() -> None:
    """Requests that differ in ids of the target's and in unique names alone are changed alike, and others are not."""

    def changed(id: str, content: str) -> bool:
        body = {"channelId": id, "username": unique("fuzz"), "content": content}
        return chance(cast("Any", SimpleNamespace(path_parameters={"id": id}, query={}, body=body)), 4)

    ids = ["cmx3ywnf97snkeopt8g7vd4bh", "cmx3ywofx15mhpfg1qu3fcqn0", "0d6c2a70-4c6e-4a58-9d0e-0f6d4a0f8f12"]
    contents = [str(number) for number in range(40)]
    each = [[changed(id, content) for content in contents] for id in ids]
    assert each[0] == each[1] == each[2]
    assert 0 < sum(each[0]) < len(contents)
