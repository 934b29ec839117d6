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


def asked(seed: int) -> Counter[str]:
    """Judge a new fake with this seed; return its request lines, with their numbers."""
    with running(Fake()) as fake:
        only = [word for rule in _RULES for word in ("--only", rule)]
        urls = ["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--profile", "hardened"]
        main([*urls, *only, "--seed", str(seed), "--workers", "3"])
        return Counter(_NEW.sub("<id>", head.partition("\n")[0]) for head in fake.heads)


def test_the_same_seed_sends_the_same_requests() -> None:
    """Two runs with a seed send the same requests as often; a run with another seed does not."""
    first = asked(7)
    assert asked(7) == first
    assert asked(8) != first
