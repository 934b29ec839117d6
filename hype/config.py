"""The configuration, read once from the environment. No other module reads `os.environ`."""

from __future__ import annotations

import os
import secrets
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import dotenv

from hype import settings
from hype.addresses import Network
from hype.errors import ConfigError

__all__ = ["Config", "environment_table", "worker_environment"]


@dataclass(frozen=True, slots=True)
class Variable:
    """An environment variable.

    takes: its values in words. default: its text, "" for none.
    """

    name: str
    takes: str
    default: str
    parse: Callable[[str], Any]

    @property
    def member(self) -> str:
        """The name of the member of Config."""
        return self.name.removeprefix("HYPE_").lower()


def _one_of(*words: str) -> tuple[str, str, Callable[[str], str]]:
    return " or ".join(words), words[0], settings.one_of(words)


_PORT = ("0 to 65535; 0 takes any free port", settings.number(0, 65535))
_MEDIA_PORT = ("1 to 65535", settings.number(1, 65535))
_COUNT = ("a whole number, 1 or more", settings.number(1, 2**31 - 1))
_SECRET_BYTES: Final = 32  # the size of SHA-256
_SPEC: Final = "as the specs say"
_ALLOWED: Final = "as many as the descriptors allow"
_QUARTER: Final = "a quarter of MAX_CONNECTIONS"

VARIABLES: Final = (
    Variable(
        "DATABASE_URL",
        "sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host:port/name",
        "sqlite:///hype.db",
        settings.database_url,
    ),
    Variable(
        "JWT_ACCESS_SECRET", "the text that signs access tokens, in production 32 bytes or more", "", settings.text
    ),
    Variable(
        "JWT_REFRESH_SECRET", "the text that signs refresh tokens, different from JWT_ACCESS_SECRET", "", settings.text
    ),
    Variable("HOST", "the address or name to listen on; 0.0.0.0 is every IPv4 address", "0.0.0.0", settings.host),  # noqa: S104  # clients reach a server from other machines
    Variable("PORT", f"the port of the REST API, {_PORT[0]}", "3001", _PORT[1]),
    Variable("WS_PORT", f"the port of the WebSocket gateway, {_PORT[0]}", "8080", _PORT[1]),
    Variable("MEDIASOUP_MIN_PORT", f"the first port for media, {_MEDIA_PORT[0]}", "10000", _MEDIA_PORT[1]),
    Variable("MEDIASOUP_MAX_PORT", f"the last port for media, {_MEDIA_PORT[0]}", "10100", _MEDIA_PORT[1]),
    Variable("ANNOUNCED_IP", "the IP address at which clients reach media, or null", "null", settings.ip_or_null),
    Variable(
        "CORS_ORIGINS",
        "the origins of frontends, such as https://chat.example, separated by commas",
        "http://localhost:5173",
        settings.origins,
    ),
    Variable("HYPE_PROFILE", *_one_of("hardened", "documented")),
    Variable("HYPE_ENV", *_one_of("development", "production", "test")),
    Variable(
        "HYPE_ALLOW_DOCUMENTED",
        "yes, without which production does not take the documented profile, or no",
        "no",
        settings.one_of(("no", "yes")),
    ),
    Variable("LOGIN_MAX_PER_EMAIL", f"failed logins allowed per email and IP address: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("LOGIN_MAX_PER_ADDRESS", f"failed logins allowed per IP address: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("LOGIN_WINDOW_S", f"seconds in which failed logins count: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("WS_RATE_BURST", f"frames a user may send at once: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("WS_RATE_PER_SECOND", f"frames a user may send each second: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("HYPE_LIMITS", "on, or off for benchmarks", "on", settings.one_of(("on", "off"))),
    Variable(
        "LOGIN_MAX_PER_ACCOUNT", f"failed logins per email before guessing is slowed: {_COUNT[0]}", _SPEC, _COUNT[1]
    ),
    Variable(
        "SIGNUPS_BURST", f"registrations and guests that an IP address may make at once: {_COUNT[0]}", _SPEC, _COUNT[1]
    ),
    Variable(
        "SIGNUPS_PER_SECOND",
        f"registrations and guests that an IP address may make each second: {_COUNT[0]}",
        _SPEC,
        _COUNT[1],
    ),
    Variable("WRITES_BURST", f"writing requests that a user may send at once: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("WRITES_PER_SECOND", f"writing requests that a user may send each second: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("SIGNALLING_BURST", f"voice requests that a user may send at once: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable(
        "SIGNALLING_PER_SECOND", f"voice requests that a user may send each second: {_COUNT[0]}", _SPEC, _COUNT[1]
    ),
    Variable("READS_BURST", f"reading requests that an IP address may send at once: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable(
        "READS_PER_SECOND", f"reading requests that an IP address may send each second: {_COUNT[0]}", _SPEC, _COUNT[1]
    ),
    Variable("SOCKETS_PER_USER", f"open sockets of a user: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("ROOMS_PER_SOCKET", f"rooms that a socket may be in: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable("CHANNELS_PER_USER", f"channels that a user may have created: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable(
        "TRANSPORTS_PER_MINUTE",
        f"transports that a user may make in a channel each minute: {_COUNT[0]}",
        _SPEC,
        _COUNT[1],
    ),
    Variable("CONSUMERS_PER_CHANNEL", f"consumers that a user may have in a channel: {_COUNT[0]}", _SPEC, _COUNT[1]),
    Variable(
        "PRODUCER_BITS_PER_SECOND", f"bits of a producer that are forwarded each second: {_COUNT[0]}", _SPEC, _COUNT[1]
    ),
    Variable(
        "TRUSTED_PROXIES",
        "the proxies whose X-Forwarded-For is believed: addresses and networks such as 10.0.0.0/8, separated by commas",
        "none",
        settings.networks,
    ),
    Variable("MAX_CONNECTIONS", f"connections of REST and gateway together: {_COUNT[0]}", _ALLOWED, _COUNT[1]),
    Variable(
        "MAX_CONNECTIONS_PER_ADDRESS",
        f"connections of an IPv4 address, or an IPv6 /64, other than this machine's: {_COUNT[0]}",
        _QUARTER,
        _COUNT[1],
    ),
    Variable(
        "METRICS_FROM",
        "the addresses and networks that GET /metrics answers, such as 10.0.0.0/8, separated by commas, or none",
        "127.0.0.0/8, ::1",
        settings.networks,
    ),
    Variable("KEEP_ALIVE_S", f"seconds for which an idle connection of REST is kept: {_COUNT[0]}", "75", _COUNT[1]),
    Variable("ACCESS_TOKEN_TTL_S", f"seconds until an access token expires: {_COUNT[0]}", "900", _COUNT[1]),
    Variable("REFRESH_TOKEN_TTL_S", f"seconds until a refresh token expires: {_COUNT[0]}", "604800", _COUNT[1]),
    Variable(
        "LOG_LEVEL", "debug, info, warning or error", "info", settings.one_of(("debug", "info", "warning", "error"))
    ),
)


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration; its members are the variables of `hype serve --help`.

    The login_*, ws_rate_* and the numbers of amendment A13 are None where the specs' own numbers hold; `hype.limits`
    puts both together. The max_connections* are None where they follow from the limit of descriptors (see
    `hype.server`). generated_secrets: True when a token secret was missing and a random one was generated, so that no
    token outlives the process.
    """

    database_url: str
    jwt_access_secret: str
    jwt_refresh_secret: str
    host: str
    port: int
    ws_port: int
    mediasoup_min_port: int
    mediasoup_max_port: int
    announced_ip: str | None
    cors_origins: tuple[str, ...]
    profile: Literal["documented", "hardened"]
    env: Literal["development", "production", "test"]
    allow_documented: Literal["no", "yes"]
    login_max_per_email: int | None
    login_max_per_address: int | None
    login_window_s: int | None
    ws_rate_burst: int | None
    ws_rate_per_second: int | None
    limits: Literal["on", "off"]
    login_max_per_account: int | None
    signups_burst: int | None
    signups_per_second: int | None
    writes_burst: int | None
    writes_per_second: int | None
    signalling_burst: int | None
    signalling_per_second: int | None
    reads_burst: int | None
    reads_per_second: int | None
    sockets_per_user: int | None
    rooms_per_socket: int | None
    channels_per_user: int | None
    transports_per_minute: int | None
    consumers_per_channel: int | None
    producer_bits_per_second: int | None
    trusted_proxies: tuple[Network, ...]
    max_connections: int | None
    max_connections_per_address: int | None
    metrics_from: tuple[Network, ...]
    keep_alive_s: int
    access_token_ttl_s: int
    refresh_token_ttl_s: int
    log_level: str
    generated_secrets: bool

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None, dotenv_path: Path | None = None) -> Config:
        """Read the environment and a `.env` file. The environment outweighs the file, and blank values count as unset.

        environ: `os.environ` when None. dotenv_path: `.env` in the working directory when None; it need not exist.
        Raises ConfigError, a sentence that names the variable and what it takes.
        """
        given = _given(_dotenv(dotenv_path or Path(".env"))) | _given(os.environ if environ is None else environ)
        values = {variable.member: _value(variable, given) for variable in VARIABLES}
        _check_together(values)
        return cls(generated_secrets=_generate_secrets(values), **values)


def environment_table() -> str:
    """Return the variables with their values and defaults, as text for `hype serve --help`."""
    width = max(len(variable.name) for variable in VARIABLES) + 2
    indent = " " * (width + 2)
    lines = []
    for variable in VARIABLES:
        meaning = f"{variable.takes} [{variable.default or 'random at each start'}]"
        start = "  " + variable.name.ljust(width)
        lines.append(textwrap.fill(meaning, 100, initial_indent=start, subsequent_indent=indent, **_WHOLE_WORDS))
    return "\n".join(lines)


_WORKER_VARIABLES: Final = frozenset(
    {
        # The system: paths of programs and of the user's packages, language, time zone, temporary files.
        *("HOME", "LANG", "LANGUAGE", "LC_ALL", "LC_CTYPE", "LC_MESSAGES", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"),
        # Python: paths of modules, and options of the interpreter.
        *("PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH", "PYTHONPLATLIBDIR", "PYTHONSAFEPATH", "PYTHONUSERBASE"),
        *("PYTHONASYNCIODEBUG", "PYTHONDEVMODE", "PYTHONFAULTHANDLER", "PYTHONHASHSEED", "PYTHONOPTIMIZE"),
        *("PYTHONDONTWRITEBYTECODE", "PYTHONIOENCODING", "PYTHONMALLOC", "PYTHONPYCACHEPREFIX", "PYTHONTRACEMALLOC"),
        *("PYTHONUNBUFFERED", "PYTHONUTF8", "PYTHONWARNINGS"),
        # coverage.py: the switch that measures a process, and the path of its settings.
        *("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"),
    }
)


def worker_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the variables that a media worker may see: those that Python needs to start, and no secret.

    environ: `os.environ` when None. Hype's own variables are not among them; a worker gets what it needs as arguments.
    """
    source = os.environ if environ is None else environ
    return {name: value for name, value in source.items() if name in _WORKER_VARIABLES}


_WHOLE_WORDS: Final[dict[str, Any]] = {"break_long_words": False, "break_on_hyphens": False}


def _dotenv(path: Path) -> Mapping[str, str | None]:
    try:
        # No interpolation, because a secret may hold a dollar sign.
        return dotenv.dotenv_values(path, interpolate=False)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error


def _given(source: Mapping[str, str | None]) -> dict[str, str]:
    """Return those of Hype's variables that `source` sets."""
    stripped = {variable.name: (source.get(variable.name) or "").strip() for variable in VARIABLES}
    return {name: value for name, value in stripped.items() if value}


def _value(variable: Variable, given: Mapping[str, str]) -> Any:
    text = given.get(variable.name, variable.default)
    if text in ("", _SPEC, _ALLOWED, _QUARTER):
        return None
    try:
        return variable.parse(settings.text(text))
    except ValueError as problem:
        raise ConfigError(f"{variable.name} {problem}. It takes {variable.takes}.") from problem


def _check_together(values: Mapping[str, Any]) -> None:
    """Raise ConfigError for variables that contradict each other."""
    low, high = values["mediasoup_min_port"], values["mediasoup_max_port"]
    if low > high:
        raise ConfigError(f"MEDIASOUP_MIN_PORT ({low}) must not be above MEDIASOUP_MAX_PORT ({high}).")
    if values["port"] == values["ws_port"] != 0:
        raise ConfigError(f"PORT and WS_PORT are both {values['port']}; they must differ.")
    if values["limits"] == "off" and values["env"] == "production":
        raise ConfigError("HYPE_LIMITS must not be off when HYPE_ENV is production; set the numbers of single limits.")
    if values["jwt_access_secret"] is not None and values["jwt_access_secret"] == values["jwt_refresh_secret"]:
        raise ConfigError("JWT_ACCESS_SECRET and JWT_REFRESH_SECRET are the same; they must differ.")
    if values["env"] == "production":
        _check_production(values)


def _check_production(values: Mapping[str, Any]) -> None:
    """Raise ConfigError for what nobody should meet on the internet."""
    for name in ("jwt_access_secret", "jwt_refresh_secret"):
        if values[name] is not None and len(values[name].encode()) < _SECRET_BYTES:
            raise ConfigError(
                f"{name.upper()} has fewer than {_SECRET_BYTES} bytes, so it can be guessed (RFC 7518 section 3.2). "
                "HYPE_ENV is production: it must be longer."
            )
    if values["profile"] == "documented" and values["allow_documented"] != "yes":
        raise ConfigError(
            "HYPE_PROFILE is documented, in which anybody may change channels and act in another user's name. "
            "With HYPE_ENV=production it needs HYPE_ALLOW_DOCUMENTED=yes, too."
        )


def _generate_secrets(values: dict[str, Any]) -> bool:
    """Generate the token secrets that are missing, except in production (ruling R23); return whether any was."""
    missing = [name for name in ("jwt_access_secret", "jwt_refresh_secret") if values[name] is None]
    if missing and values["env"] == "production":
        names = " and ".join(name.upper() for name in missing)
        raise ConfigError(f"{names} must be set when HYPE_ENV is production; take a long random text for each.")
    values.update((name, secrets.token_urlsafe(48)) for name in missing)
    return bool(missing)
