"""Where workers listen, and the address that browsers are told to send to."""

from __future__ import annotations

import ipaddress
import socket

__all__ = ["announced", "listening_on"]

_ELSEWHERE = "192.0.2.1"  # documentation's own (RFC 5737): nobody is asked, only the way there is looked up


def announced(wanted: str | None, host: str) -> str:
    """The IP address that browsers are told.

    wanted: ANNOUNCED_IP. Without one: host, where the rest of the server listens, if it is a certain address; else the
    one with which this machine reaches others.
    """
    if wanted is not None:
        return wanted
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return _own()
    return _own() if address.is_unspecified else host


def listening_on(announced_ip: str) -> str:
    """The announced address itself where it is this machine's own: an answer must come from where was asked.

    Else every one of its family: then what is announced is a router's, which passes media on.
    """
    family = socket.AF_INET6 if ":" in announced_ip else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((announced_ip, 0))
        except OSError:
            return "::" if family is socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - media is there to be reached
    return announced_ip


def _own() -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((_ELSEWHERE, 9))
        except OSError:
            return "127.0.0.1"  # no network at all
        return str(probe.getsockname()[0])
