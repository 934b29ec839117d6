"""Where media is listened for, and what browsers are told."""

from __future__ import annotations

import ipaddress

import pytest

from hype.sfu.signalling.addresses import announced, listening_on


def test_what_was_asked_for_is_announced() -> None:
    """ANNOUNCED_IP wins over everything."""
    assert announced("203.0.113.5", "127.0.0.1") == "203.0.113.5"


def test_a_server_that_listens_on_one_address_announces_it() -> None:
    """Nobody need set the same address twice."""
    assert announced(None, "127.0.0.1") == "127.0.0.1"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "chat.example"])  # noqa: S104  # compared, not bound
def test_without_a_certain_address_one_of_the_machine_s_own_is_announced(host: str) -> None:
    """Never one that means `any`, which no browser can send to."""
    assert not ipaddress.ip_address(announced(None, host)).is_unspecified


@pytest.mark.parametrize(
    ("told", "address"),
    [("127.0.0.1", "127.0.0.1"), ("203.0.113.5", "0.0.0.0"), ("2001:db8::5", "::")],  # noqa: S104  # the same
)
def test_media_is_listened_for_where_it_arrives(told: str, address: str) -> None:
    """On the announced address if it is the machine's own, on all if a router stands before it."""
    assert listening_on(told) == address
