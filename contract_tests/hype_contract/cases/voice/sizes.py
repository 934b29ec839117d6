"""Descriptions of media with more parts than any client has (amendment A13)."""

from __future__ import annotations

from typing import Any

from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.voice.signalling import DTLS, participants

_MANY = 500
"""Browsers describe some 40 codecs and 30 header extensions. So many codecs fill half of the largest body."""


@case(
    "A13.long-lists",
    "500 codecs, header extensions, kinds of feedback or fingerprints in one request are refused with 400",
    level="hardened",
)
def long_lists(world: World) -> None:
    """Repeat what the router itself offers. Connect and consume at the end: the refused requests changed nothing."""
    ann, bob = participants(world, "ann", "bob")
    producer = ann.producer()
    offered = bob.capabilities
    codec = {**offered["codecs"][0], "rtcpFeedback": []}
    long: list[dict[str, Any]] = [
        {"codecs": [codec] * _MANY},
        {"headerExtensions": offered["headerExtensions"][:1] * _MANY},
        {"codecs": [{**codec, "rtcpFeedback": [{"type": "nack", "parameter": ""}] * _MANY}]},
    ]
    for members in long:
        bob.consume(producer, capabilities={**offered, **members}, expect=400)
    bob.connect(bob.receiving, {**DTLS, "fingerprints": [*DTLS["fingerprints"]] * _MANY}, expect=400)
    bob.connect(bob.receiving)
    bob.consume(producer)
