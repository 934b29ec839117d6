"""The address on which workers listen, and the address that browsers are told."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["announced", "listening_on"]

_ELSEWHERE = "192.0.2.1"  # for documentation (RFC 5737): no packet is sent, only the route is looked up


def announced(wanted: str | None, host: str) -> str:
    """Return the IP address that browsers are told.

    wanted: ANNOUNCED_IP. Without it the address is `host`, on which the rest of the server listens, if that is one
    certain address; else the address from which this machine reaches others.
    """
    if wanted is not None:
        return wanted
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _own()
    return _own() if address.is_unspecified else host


def listening_on(announced_ip: str) -> str:
    """Return the address to listen on: the announced one, if it is this machine's own.

    An answer must come from the address that was asked. Else the announced address is a router's, which passes media
    on, and the address is the one that means every address of its family.
    """
    family = socket.AF_INET6 if ":" in announced_ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((announced_ip, 0))
        except OSError:
            return "::" if family is socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - browsers must reach media
    return announced_ip


def _own() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
        except OSError:
            return "127.0.0.1"  # the machine has no network
        return str(probe.getsockname()[0])
