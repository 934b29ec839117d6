"""asyncapi.yaml as frontend teams read it: examples, sources and audiences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from hype import spec

DOCUMENT: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "asyncapi.yaml").read_text("utf-8"))
GATEWAY = spec.load("hardened").gateway
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


@pytest.mark.parametrize("key", sorted(MESSAGES))
def test_examples_keep_the_schemas(key: str) -> None:
    """Each message has an example, and each example keeps the message's schema."""
    message = MESSAGES[key]
    direction = GATEWAY.receives if key.endswith("Request") else GATEWAY.sends
    assert message["examples"]
    for example in message["examples"]:
        assert direction[message["name"]].frame.issues(example["payload"]) == []


@pytest.mark.parametrize("part", [*DOCUMENT["operations"].values(), *MESSAGES.values()], ids=lambda part: part["title"])
def test_everything_names_its_source(part: dict[str, Any]) -> None:
    """Each operation and each message names the seed or a ruling as its source."""
    assert part["x-hype-source"]


def test_each_event_has_an_audience() -> None:
    """Each event of the server says which sockets get it."""
    sent = [each for each in DOCUMENT["operations"].values() if each["action"] == "send"]
    assert all(each["x-hype-audience"]["to"] in {"room", "sender", "user"} for each in sent)


def test_the_documented_profile_is_laxer() -> None:
    """The documented profile binds by claim (P4), without a rate limit (P5) and without a time limit for the token."""
    documented = spec.load("documented").gateway
    assert (documented.identity, documented.rate, documented.auth_timeout_ms) == ("claim", None, None)
    assert (GATEWAY.identity, GATEWAY.auth_timeout_ms) == ("token", 10_000)
    assert (GATEWAY.max_frame_bytes, GATEWAY.max_queue_bytes) == (65_536, 1_048_576)
