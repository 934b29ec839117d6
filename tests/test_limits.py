"""The limits in force: the specs' numbers and the settings (amendment A13)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hype import spec
from hype.config import Config
from hype.limits import Bucket, Limits
from hype.spec import Profile, document


def limits(profile: Profile = "hardened", **environment: str) -> Limits:
    """Return the limits of a server with this environment."""
    config = Config.load({"HYPE_PROFILE": profile, **environment}, Path("no-such.env"))
    return Limits.of(spec.load(profile), config)


def test_the_numbers_are_those_of_the_specs() -> None:
    """Without settings the limits are `x-hype-limits`; reads have none."""
    found, said = limits(), document("openapi.yaml", "hardened")["x-hype-limits"]
    for name in ("signUps", "writes", "signalling"):
        numbers: Any = said[name]
        assert found.buckets[name] == Bucket(name, numbers["by"], numbers["burst"], numbers["perSecond"])
    assert "reads" not in found.buckets
    assert (found.channels_per_user, found.consumers_per_channel) == (200, 512)
    assert (found.sockets_per_user, found.rooms_per_socket) == (10, 200)


def test_a_setting_outweighs_the_spec() -> None:
    """Each number has a setting; one number of reads is enough to limit them."""
    found = limits(
        WRITES_BURST="5", READS_PER_SECOND="7", SOCKETS_PER_USER="2", CHANNELS_PER_USER="3", WS_RATE_BURST="900"
    )
    assert found.buckets["writes"] == Bucket("writes", "user", 5, 30)
    assert found.buckets["reads"] == Bucket("reads", "address", 7, 7)
    assert (found.sockets_per_user, found.channels_per_user) == (2, 3)
    assert found.rate is not None
    assert (found.rate.burst, found.rate.address_burst) == (900, 900)


def test_the_documented_profile_has_no_limits() -> None:
    """The document knows no limits, so a setting gives it none."""
    found = limits("documented", WRITES_BURST="5", SOCKETS_PER_USER="2", CHANNELS_PER_USER="3", WS_RATE_BURST="3")
    assert found.buckets == {}
    assert {found.sockets_per_user, found.channels_per_user, found.rate} == {None}


def test_all_limits_are_off_together() -> None:
    """HYPE_LIMITS=off turns A13, P5 and P9 off, for benchmarks."""
    found = limits(HYPE_LIMITS="off", WRITES_BURST="5")
    assert found.buckets == {}
    assert {found.sockets_per_user, found.rooms_per_socket, found.channels_per_user, found.rate} == {None}
    assert {found.transports_per_minute, found.consumers_per_channel, found.producer_bits_per_second} == {None}
    assert found.failed_logins(spec.load("hardened").operations["loginUser"]) is None


def test_every_limit_that_an_operation_names_exists() -> None:
    """`x-hype-limit` names a limit of `x-hype-limits`; each operation that writes has one, but the ends of sessions."""
    contract = spec.load("hardened")
    named = {operation.id: operation.limit for operation in contract.operations.values()}
    assert set(named.values()) - {None} <= contract.limits.keys()
    unlimited = {id for id, limit in named.items() if limit is None and contract.operations[id].method != "get"}
    assert unlimited == {"loginUser", "refreshTokens", "logoutUser", "logoutEverywhere"}
