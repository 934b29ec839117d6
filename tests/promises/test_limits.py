"""The bit rate of a producer, from the setting to the media worker and its metric (amendment A13)."""

from __future__ import annotations

import re
import time

import pytest

from hype_contract.cases.media.peers import peers
from tests.running import Running, Serve

_PATIENCE_S = 60
_OVER = re.compile(r"^hype_media_worker_over_rate_packets_total\{.*\} (\S+)$", re.MULTILINE)


def dropped(server: Running) -> float:
    """Return the packets over their rate that the workers have told of."""
    metrics = server.world().http.get("/metrics").text
    return sum(map(float, _OVER.findall(metrics)))


@pytest.mark.parametrize(("environment", "passes"), [({"PRODUCER_BITS_PER_SECOND": "8"}, False), ({}, True)])
def test_a_producer_over_its_bit_rate_is_dropped(
    serve: Serve, sqlite_url: str, environment: dict[str, str], passes: bool
) -> None:
    """The setting reaches the worker; what is dropped is counted. By default speech is far below the rate."""
    server = serve(sqlite_url, environment)
    ann, bob = peers(server.world(), "ann", "bob")
    sound = ann.produce("audio")
    track = bob.consume(sound)
    if passes:
        track.wait_for(sound)
        assert dropped(server) == 0
        return
    assert track.inbox is not None
    sound.send(*[sound.packet() for _ in range(20)])
    deadline = time.monotonic() + _PATIENCE_S
    while not dropped(server):
        assert time.monotonic() < deadline, "no packet was counted as over the rate"
