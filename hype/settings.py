"""Parsers from the text of environment variables to values.

Each parser raises ValueError with the problem, in words that follow the variable's name. The problem never repeats a
value that may be secret.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from hype import postgres_url
from hype.addresses import Network

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})|%00")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?")


def text(value: str) -> str:
    """Return the value itself, which must be text."""
    if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError("is not UTF-8 text")
    return value


def number(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from `least` to `most`, in plain digits."""

    def parse(value: str) -> int:
        if not re.fullmatch("[0-9]{1,20}", value):
            raise ValueError(f"is {value!r}, which is not a whole number")
        if not least <= int(value) <= most:
            raise ValueError(f"is {value}, which is not from {least} to {most}")
        return int(value)

    return parse


def one_of(words: Sequence[str]) -> Callable[[str], str]:
    """Return a parser of one of these lower-case words, in either case."""

    def parse(value: str) -> str:
        if value.lower() not in words:
            raise ValueError(f"is {value!r}")
        return value.lower()

    return parse


def ip_or_null(value: str) -> str | None:
    """Return an IPv4 or IPv6 address in its usual form, or None for `null`."""
    if value.lower() == "null":
        return None
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError(f"is {value!r}, which is not an IP address") from None


def networks(value: str) -> tuple[Network, ...]:
    """Return IP addresses and networks, such as `10.0.0.0/8`, without repetitions; none for `none`."""
    if value.lower() == "none":
        return ()
    parts = [part.strip() for part in value.split(",") if part.strip()]
    return tuple(dict.fromkeys(_network(part) for part in parts))


def _network(value: str) -> Network:
    try:
        return ipaddress.ip_network(value)
    except ValueError:
        raise ValueError(f"has {value!r}, which is not an IP address or network") from None


def host(value: str) -> str:
    """Return an IP address or a host name to listen on."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        if not _HOST.fullmatch(value):
            raise ValueError(f"is {value!r}") from None
        return value


def origins(value: str) -> tuple[str, ...]:
    """Return origins in the form in which browsers send them, without repetitions."""
    parts = [part.strip() for part in value.split(",") if part.strip()]
    if not parts:
        raise ValueError("names no origin")
    return tuple(dict.fromkeys(_origin(part) for part in parts))


def _origin(value: str) -> str:
    if value == "*":
        raise ValueError("is *, which would let every site act for a user who is logged in")
    parts = _parts(value)
    if not parts.scheme or not parts.hostname or "@" in parts.netloc:
        raise ValueError(f"has {value!r}, which is not an origin (scheme://host or scheme://host:port)")
    if f"{parts.scheme}://{parts.netloc}".lower() != value.lower():
        raise ValueError(f"has {value!r}; an origin ends after the host or port, without even a slash")
    return _as_sent(parts.scheme, parts.hostname, parts.port)


def _parts(value: str) -> SplitResult:
    """Return the parts of a URL whose port is valid."""
    try:
        parts = urlsplit(value)
        parts.port  # noqa: B018  # urllib checks the port only here
    except ValueError:
        raise ValueError("is not a URL with a proper host and port") from None
    return parts


def _as_sent(scheme: str, hostname: str, port: int | None) -> str:
    """Return an origin as browsers send it: the host in lower case, without the scheme's own port."""
    name = f"[{hostname}]" if ":" in hostname else hostname
    return f"{scheme}://{name}" + ("" if port in (None, _DEFAULT_PORTS.get(scheme)) else f":{port}")


def database_url(value: str) -> str:
    """Return a database URL that `hype.database` takes. The error never shows it, for it may hold a password."""
    scheme = value.split(":", 1)[0]
    if scheme == "sqlite":
        return _sqlite_url(value)
    if scheme in ("postgres", "postgresql"):
        return _postgres_url(value)
    raise ValueError("is not the URL of an SQLite or PostgreSQL database")


def _sqlite_url(value: str) -> str:
    path = unquote(value.removeprefix("sqlite:///"))
    if not value.startswith("sqlite:///") or not path or path.endswith("/"):
        raise ValueError("names no file: three slashes stand before a relative path, four before an absolute one")
    if ":memory:" in path:
        raise ValueError("is :memory:, which cannot work: each connection would have a database of its own")
    text(path)
    return value


def _postgres_url(value: str) -> str:
    # The errors of PostgreSQL's library repeat a part that it cannot decode or takes for a host: perhaps a password.
    if _BROKEN_ESCAPE.search(value):
        raise ValueError("has a % without two hexadecimal digits behind it, or %00; a % itself is written %25")
    parts = _parts(value)
    if parts.netloc.count("@") > 1:
        raise ValueError("has an @ in its user or password, where it is written %40")
    if not value.startswith(f"{parts.scheme}://") or not parts.path.strip("/"):
        raise ValueError("names no database: it ends in /name")
    postgres_url.read(value)
    return value
