"""The URL of a PostgreSQL database, with the parameters of libpq and those that Prisma adds to them.

A team that comes from the original backend has a DATABASE_URL for Prisma. libpq refuses a parameter that it does not
know, so Prisma's are taken out here, and what they ask for is done where Hype has it.
Sources: PostgreSQL's documentation, 34.1.2 "Parameter Key Words"; Prisma's, "PostgreSQL connection URL".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

__all__ = ["MOST_CONNECTIONS", "PostgresUrl", "read"]

MOST_CONNECTIONS: Final = 16
"""The connections of a server, unless `connection_limit` says otherwise."""

_MOST_CONFIGURED: Final = 200
_LIBPQ: Final = frozenset(
    {
        *("host", "hostaddr", "port", "dbname", "user", "password", "passfile", "service", "options", "replication"),
        *("connect_timeout", "client_encoding", "application_name", "fallback_application_name", "require_auth"),
        *("keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout"),
        *("ssl", "sslmode", "sslcert", "sslkey", "sslpassword", "sslcertmode", "sslrootcert", "sslcrl", "sslcrldir"),
        *("sslcompression", "sslnegotiation", "sslsni", "ssl_min_protocol_version", "ssl_max_protocol_version"),
        *("channel_binding", "gssencmode", "krbsrvname", "gsslib", "gssdelegation", "requirepeer"),
        *("target_session_attrs", "load_balance_hosts", "min_protocol_version", "max_protocol_version"),
    }
)
_SECONDS: Final = re.compile("[0-9]{1,9}")
_SHOWN: Final = re.compile("[A-Za-z_]{1,40}")

# Prisma's parameters without effect: Hype waits 10 s for anything, prepares no statement, and keeps its connections.
_NUMBERS: Final = frozenset(
    {
        "pool_timeout",
        "socket_timeout",
        "statement_cache_size",
        "max_connection_lifetime",
        "max_idle_connection_lifetime",
    }
)
_SWITCHES: Final = frozenset({"pgbouncer", "single_use_connections"})


@dataclass(frozen=True, slots=True)
class PostgresUrl:
    """A URL that libpq takes, and the connections that a server may have."""

    dsn: str
    connections: int


def read(url: str) -> PostgresUrl:
    """Return what a URL `postgresql://…` or `postgres://…` says.

    Raises ValueError with the problem, in words that follow DATABASE_URL. It repeats no value, for any may be secret.
    """
    base, _, query = url.partition("://")[2].partition("?")
    parameters = [_parameter(part, query) for part in query.split("&") if part]
    given = dict(parameters)
    kept = {name: value for name, value in parameters if name in _LIBPQ}
    if given.get("schema", "public") != "public":
        _set_schema(kept, given)
    # `safe`: libpq's own characters of paths and lists.
    text = "&".join(f"{name}={quote(value, safe='/:,')}" for name, value in kept.items())
    return PostgresUrl(f"postgresql://{base}?{text}" if text else f"postgresql://{base}", _connections(given))


def _parameter(part: str, query: str) -> tuple[str, str]:
    """Return a parameter, which is one of libpq's or Prisma's, and has a value of its kind."""
    name, equals, value = part.partition("=")
    name, value = unquote(name), unquote(value)
    # An @ shows that the ? stood in a password.
    shown = f"`{name}`" if _SHOWN.fullmatch(name) and "@" not in query else "a parameter"
    if not equals:
        raise ValueError(f"has {shown} without a value behind its ?; in a password, ? is written %3F")
    if name in _NUMBERS and not _SECONDS.fullmatch(value):
        raise ValueError(f"has a {name} that is not a whole number")
    if name in _SWITCHES and value not in ("true", "false"):
        raise ValueError(f"has a {name} that is neither true nor false")
    if name == "sslaccept" and value != "accept_invalid_certs":
        raise ValueError("has an sslaccept of Prisma; for PostgreSQL's library it is written sslmode=verify-full")
    if name not in {*_LIBPQ, *_NUMBERS, *_SWITCHES, "schema", "connection_limit", "sslaccept"}:
        raise ValueError(f"has {shown} behind its ?, which neither PostgreSQL nor Prisma knows")
    return name, value


def _set_schema(kept: dict[str, str], given: dict[str, str]) -> None:
    """Have each session begin with a schema as its search path."""
    if given.get("pgbouncer") == "true":
        raise ValueError(
            "has a schema and pgbouncer=true, but PgBouncer passes no search path on; take schema out, and give it to "
            "the user by ALTER ROLE … SET search_path"
        )
    name = given["schema"].replace('"', '""')
    escaped = re.sub(r"([\\\s])", r"\\\1", f'"{name}"')
    kept["options"] = f"{kept.get('options', '')} -c search_path={escaped}".strip()


def _connections(given: dict[str, str]) -> int:
    text = given.get("connection_limit", str(MOST_CONNECTIONS))
    if not _SECONDS.fullmatch(text) or not 1 <= int(text) <= _MOST_CONFIGURED:
        raise ValueError(f"has a connection_limit that is not from 1 to {_MOST_CONFIGURED}")
    return int(text)
