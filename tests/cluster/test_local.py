"""The cluster of one process."""

from __future__ import annotations

from collections.abc import Sequence

from hype.cluster import ChannelDeleted, Cluster, Effect, SessionRevoked
from hype.cluster.local import LocalCluster


def test_every_subscriber_gets_every_effect_in_order() -> None:
    """Two gateways of one process get the same effects."""
    cluster: Cluster = LocalCluster()
    received: list[Sequence[Effect]] = []
    cluster.subscribe(received.append)
    cluster.subscribe(received.append)
    effects: list[Effect] = [ChannelDeleted("den"), SessionRevoked("s1")]
    cluster.publish(effects)
    assert received == [effects, effects]
