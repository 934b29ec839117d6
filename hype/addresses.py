"""The addresses of clients: who a request comes from, and under what its limits count (amendment A13)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["Network", "client_address", "limit_key", "within"]

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_MOST_HOPS: Final = 32
_OWN_NETWORK_BITS: Final = 64  # a customer gets a whole IPv6 network of this length (RFC 6177)


def client_address(peer: str, forwarded_for: Iterable[str], trusted: Sequence[Network]) -> str:
    """Return the address of the client that `peer` speaks for.

    peer: the other end of the connection. forwarded_for: the values of its `X-Forwarded-For` headers, in order; the
    header `Forwarded` (RFC 7239) is not read, because nginx, HAProxy and Envoy write the older one. trusted: the
    proxies that are believed. Each proxy adds the address from which it got the request on the right; so the client is
    the right-most entry that is no trusted proxy. An entry that is no address ends the search: the proxy that passed it
    on is the client.
    """
    client = peer
    if not trusted:
        return client
    hops = [hop for value in forwarded_for for hop in value.split(",")]
    for hop in reversed(hops[-_MOST_HOPS:]):
        if not within(client, trusted):
            break
        before = _address(hop)
        if before is None:
            break
        client = before
    return client


def limit_key(address: str) -> str:
    """Return what the limits of an address count under: the IPv4 address, or the /64 network of an IPv6 address.

    A text that is no address is its own key.
    """
    try:
        parsed = _plain(ipaddress.ip_address(address))
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((int(parsed) >> _OWN_NETWORK_BITS << _OWN_NETWORK_BITS, _OWN_NETWORK_BITS)))


def within(address: str, networks: Sequence[Network]) -> bool:
    """Return whether an address is in one of the networks; a text that is no address is in none."""
    try:
        parsed = _plain(ipaddress.ip_address(address))
    except ValueError:
        return False
    return any(parsed in network for network in networks)


def _address(hop: str) -> str | None:
    """Return the address in an entry of `X-Forwarded-For`; it may have a port: `192.0.2.1:80`, `[2001:db8::1]:80`."""
    text = hop.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        return str(_plain(ipaddress.ip_address(text)))
    except ValueError:
        return None


def _plain(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """Return an IPv4 address that is written as an IPv6 one (`::ffff:192.0.2.1`) as itself (RFC 4291 2.5.5.2)."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return address if mapped is None else mapped
