"""The same seed sends the same requests, also to a target that knows nothing of the first run."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from hype_contract.__main__ import main
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
