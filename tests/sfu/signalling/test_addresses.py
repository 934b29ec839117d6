"""Tests of the address on which media arrives, and of the address that browsers are told."""

from __future__ import annotations

import ipaddress

import pytest

from hype.sfu.signalling.addresses import announced, listening_on


def test_what_was_asked_for_is_announced() -> None:
    """ANNOUNCED_IP is announced, whatever the host."""
    assert announced("203.0.113.5", "127.0.0.1") == "203.0.113.5"


def test_a_server_that_listens_on_one_address_announces_it() -> None:
    """A host that is one certain address is announced."""
    assert announced(None, "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "chat.example"])  # noqa: S104  # compared, not bound
def test_without_a_certain_address_one_of_the_machine_s_own_is_announced(host: str) -> None:
    """A server without a certain address announces one to which a browser can send."""
    assert not ipaddress.ip_address(announced(None, host)).is_unspecified


@pytest.mark.parametrize(
    ("told", "address"),
    [("127.0.0.1", "127.0.0.1"), ("203.0.113.5", "0.0.0.0"), ("2001:db8::5", "::")],  # noqa: S104  # the same
)
def test_media_is_listened_for_where_it_arrives(told: str, address: str) -> None:
    """A worker listens on the announced address if the machine has it, else on every address."""
    assert listening_on(told) == address
