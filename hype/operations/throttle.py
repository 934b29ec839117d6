"""The limit of failed logins (ruling P9): the `failedLogins` of an operation's `x-hype-policy`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hype.cluster import FailedLogins, Limit
from hype.errors import TooManyRequests
from hype.models.users import email_key
from hype.operations.call import Call

__all__ = ["Attempt", "begin"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login, from before its password is checked until after.

    Hashing takes long, and meanwhile others may have used the limit up. So the limit is checked again afterwards, in
    the same step in which a failure is counted. However many attempts run at once, no more than the limit allows learn
    whether their password was right.
    """

    _counters: FailedLogins
    _limits: Sequence[Limit]

    def failed(self) -> None:
        """Count a failure. Raises TooManyRequests when there was no room for it."""
        _raise_if(self._counters.record(self._limits))

    def succeeded(self) -> None:
        """Raise TooManyRequests when the limit was used up meanwhile, even for the right password."""
        _raise_if(self._counters.blocked_s(self._limits))


def begin(call: Call, email: str) -> Attempt:
    """Start an attempt of loginUser. Raises TooManyRequests when the limit is used up already."""
    attempt = Attempt(call.services.cluster.failed_logins, _limits(call, email_key(email)))
    attempt.succeeded()
    return attempt


def _limits(call: Call, key: str) -> list[Limit]:
    policy, config = call.operation.policy.get("failedLogins"), call.services.config
    if policy is None:
        return []
    window_s = config.login_window_s or policy["windowSeconds"]
    return [
        Limit(
            f"{call.address} {key}",
            config.login_max_per_email or policy["perEmailAndAddress"],
            window_s,
        ),
        Limit(call.address, config.login_max_per_address or policy["perAddress"], window_s),
    ]


def _raise_if(blocked_s: float) -> None:
    if blocked_s > 0:
        raise TooManyRequests(retry_after_s=blocked_s)
