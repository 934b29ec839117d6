"""The limits in force: the numbers of the specs, unless a setting overrides them (amendment A13, rulings P5 and P9)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from hype.config import Config
from hype.spec import Contract, Operation, Rate

__all__ = ["Bucket", "FailureLimits", "Limits"]

_BUCKETS: Final = {"signUps": "signups", "writes": "writes", "signalling": "signalling", "reads": "reads"}
"""The names of rates in the specs, and the beginnings of their settings."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A rate of requests: `burst` at once, and `per_second` more each second, for each user or each address (`by`)."""

    name: str
    by: Literal["user", "address"]
    burst: int
    per_second: float


@dataclass(frozen=True, slots=True)
class FailureLimits:
    """The limits of failed logins (ruling P9): an operation's `failedLogins`, see openapi.yaml."""

    per_email_and_address: int
    per_address: int
    window_s: float
    per_email: int
    per_email_window_s: float
    delay_s: float
    longest_delay_s: float


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers of a server. None: there is no such limit.

    producer_bits_per_second: bits of a producer's RTP packets.
    """

    buckets: Mapping[str, Bucket]
    channels_per_user: int | None
    transports_per_minute: int | None
    consumers_per_channel: int | None
    producer_bits_per_second: int | None
    sockets_per_user: int | None
    rooms_per_socket: int | None
    rate: Rate | None
    _login: Config | None = field(repr=False)  # it has secrets

    @classmethod
    def of(cls, contract: Contract, config: Config) -> Limits:
        """Return the limits of a profile with the settings of a server; none with `HYPE_LIMITS=off`."""
        if config.limits == "off":
            return cls({}, None, None, None, None, None, None, None, None)
        said, gateway = contract.limits, contract.gateway
        found = (_bucket(name, said[name], config) for name in _BUCKETS if name in said)

        def number(name: str, setting: int | None) -> int | None:
            return setting if setting is not None and name in said else said.get(name)

        return cls(
            {bucket.name: bucket for bucket in found if bucket is not None},
            number("channelsPerUser", config.channels_per_user),
            number("transportsPerMinute", config.transports_per_minute),
            number("consumersPerChannel", config.consumers_per_channel),
            number("producerBitsPerSecond", config.producer_bits_per_second),
            _over(gateway.sockets_per_user, config.sockets_per_user),
            _over(gateway.rooms_per_socket, config.rooms_per_socket),
            _rate(gateway.rate, config),
            config,
        )

    def failed_logins(self, operation: Operation) -> FailureLimits | None:
        """Return the limits of an operation's failed logins, None where they are not limited."""
        said, config = operation.policy.get("failedLogins"), self._login
        if said is None or config is None:
            return None
        slow = said["perEmail"]
        return FailureLimits(
            config.login_max_per_email or said["perEmailAndAddress"],
            config.login_max_per_address or said["perAddress"],
            config.login_window_s or said["windowSeconds"],
            config.login_max_per_account or slow["failures"],
            slow["windowSeconds"],
            slow["delaySeconds"],
            slow["longestDelaySeconds"],
        )


def _bucket(name: str, said: Mapping[str, Any], config: Config) -> Bucket | None:
    """Return a rate, None when neither the specs nor the settings give it numbers. One number stands for both."""
    setting = _BUCKETS[name]
    burst: int | None = getattr(config, f"{setting}_burst") or said.get("burst")
    per_second: float | None = getattr(config, f"{setting}_per_second") or said.get("perSecond")
    at_once, each_second = burst or per_second, per_second or burst
    return None if at_once is None or each_second is None else Bucket(name, said["by"], int(at_once), each_second)


def _over(said: int | None, setting: int | None) -> int | None:
    """Return the setting, where the profile has such a limit."""
    return None if said is None else setting or said


def _rate(rate: Rate | None, config: Config) -> Rate | None:
    if rate is None:
        return None
    burst = config.ws_rate_burst or rate.burst
    per_second = config.ws_rate_per_second or rate.per_second
    # A deployment that lets each user send more lets an address send more, too.
    at_once = max(config.ws_rate_burst or 0, rate.address_burst)
    each_second = max(config.ws_rate_per_second or 0, rate.address_per_second)
    return Rate(burst, per_second, rate.close_after, at_once, each_second)
