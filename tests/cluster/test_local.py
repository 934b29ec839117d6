"""The cluster of one process."""

from __future__ import annotations

from collections.abc import Sequence

from hype.cluster import ChannelDeleted, Cluster, Effect, SessionRevoked
from hype.cluster.local import LocalCluster


def test_every_subscriber_hears_every_effect_in_order() -> None:
    """Two gateways of one process hear the same."""
    cluster: Cluster = LocalCluster()
    heard: list[Sequence[Effect]] = []
    cluster.subscribe(heard.append)
    cluster.subscribe(heard.append)
    effects: list[Effect] = [ChannelDeleted("den"), SessionRevoked("s1")]
    cluster.publish(effects)
    assert heard == [effects, effects]
