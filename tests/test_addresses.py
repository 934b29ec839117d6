"""The addresses of clients behind proxies, and the keys of their limits (amendment A13)."""

from __future__ import annotations

import pytest

from hype.addresses import client_address, limit_key
from hype.settings import networks

TRUSTED = networks("127.0.0.1, 10.0.0.0/8, 2001:db8:ffff::/48")


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "client"),
    [
        pytest.param("10.0.0.1", ["203.0.113.9"], "203.0.113.9", id="one proxy"),
        pytest.param("10.0.0.1", ["203.0.113.9, 10.0.0.2"], "203.0.113.9", id="two proxies"),
        pytest.param("10.0.0.1", ["203.0.113.9", "10.0.0.2"], "203.0.113.9", id="two headers are one list"),
        pytest.param("10.0.0.1", ["198.51.100.1, 203.0.113.9"], "203.0.113.9", id="a client that lies"),
        pytest.param("203.0.113.9", ["198.51.100.1"], "203.0.113.9", id="no proxy of ours"),
        pytest.param("10.0.0.1", [], "10.0.0.1", id="no header"),
        pytest.param("10.0.0.1", [""], "10.0.0.1", id="an empty header"),
        pytest.param("10.0.0.1", ["unknown"], "10.0.0.1", id="no address"),
        pytest.param("10.0.0.1", ["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2", id="nothing behind nonsense"),
        pytest.param("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3", id="a client in the network of the proxies"),
        pytest.param("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9", id="with a port"),
        pytest.param("10.0.0.1", ["[2001:db8::9]:4711"], "2001:db8::9", id="IPv6 with a port"),
        pytest.param("2001:db8:ffff::1", ["2001:db8::9"], "2001:db8::9", id="IPv6"),
        pytest.param("::ffff:10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9", id="IPv4 in IPv6"),
        pytest.param("", ["203.0.113.9"], "", id="no peer"),
    ],
)
def test_the_client_is_the_rightmost_untrusted_address(peer: str, forwarded_for: list[str], client: str) -> None:
    """The client's address is the right-most entry that no trusted proxy stands for."""
    assert client_address(peer, forwarded_for, TRUSTED) == client


def test_nobody_is_trusted_by_default() -> None:
    """Without TRUSTED_PROXIES the header means nothing, on this machine either."""
    assert client_address("127.0.0.1", ["203.0.113.9"], networks("none")) == "127.0.0.1"


def test_a_long_list_costs_little() -> None:
    """The search ends after some proxies, whatever a client has written before them."""
    assert client_address("10.0.0.1", [", ".join(["10.0.0.2"] * 5000)], TRUSTED) == "10.0.0.2"


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
    ],
)
def test_a_network_of_64_bits_counts_as_one_address(address: str, key: str) -> None:
    """A customer has a whole IPv6 /64, so it counts as one; IPv4 addresses count each."""
    assert limit_key(address) == key
