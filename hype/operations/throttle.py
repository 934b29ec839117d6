"""The limit of failed logins (ruling P9): the `failedLogins` of an operation's `x-hype-policy`.

Two limits count the failures of one address, which are refused once they are too many. One counts those of an account
from all addresses. It only slows them down, and not for an address from which the owner has logged in before: otherwise
anybody could lock the owner out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hype.addresses import limit_key
from hype.cluster import FailedLogins, Limit
from hype.errors import TooManyRequests
from hype.models.users import email_key
from hype.operations.call import Call

__all__ = ["Attempt", "begin", "note_owner"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """A login, from before its password is checked until after.

    Hashing takes long, and meanwhile others may have used the limit up. So the limit is checked again afterwards, in
    the same step in which a failure is counted. However many attempts run at once, no more than the limit allows learn
    whether their password was right.
    """

    _counters: FailedLogins
    _limits: Sequence[Limit]
    _account: str
    _address: str

    def failed(self) -> None:
        """Count a failure. Raises TooManyRequests when there was no room for it."""
        _raise_if(self._counters.record(self._limits))

    def succeeded(self) -> None:
        """Raise TooManyRequests when the limit was used up meanwhile, even for the right password."""
        self.check()
        if self._limits:
            self._counters.note_success(self._account, self._address)

    def check(self) -> None:
        """Raise TooManyRequests when the limit is used up."""
        _raise_if(self._counters.blocked_s(self._limits))


def begin(call: Call, email: str) -> Attempt:
    """Start an attempt of loginUser or changePassword. Raises TooManyRequests when the limit is used up already."""
    counters, account, address = call.services.cluster.failed_logins, email_key(email), limit_key(call.address)
    attempt = Attempt(counters, _limits(call, counters, account, address), account, address)
    attempt.check()
    return attempt


def note_owner(call: Call, email: str) -> None:
    """Remember the address of a registration as one of the user's own."""
    call.services.cluster.failed_logins.note_success(email_key(email), limit_key(call.address))


def _limits(call: Call, counters: FailedLogins, account: str, address: str) -> list[Limit]:
    said = call.services.limits.failed_logins(call.operation)
    if said is None:
        return []
    limits = [
        Limit(f"{address} {account}", said.per_email_and_address, said.window_s),
        Limit(address, said.per_address, said.window_s),
    ]
    if not counters.knows(account, address):
        slowed = said.per_email, said.per_email_window_s, said.delay_s, said.longest_delay_s
        limits.append(Limit(f"account {account}", *slowed))
    return limits


def _raise_if(blocked_s: float) -> None:
    if blocked_s > 0:
        raise TooManyRequests(retry_after_s=blocked_s)
