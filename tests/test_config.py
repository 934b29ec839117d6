"""The configuration as a whole: defaults, `.env`, errors, and the help text (ruling R23)."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import fields
from pathlib import Path

import pytest

from hype.config import VARIABLES, Config, environment_table, worker_environment
from hype.errors import ConfigError
from hype.spec import document

NOWHERE = Path("no such file")
SECRETS = {
    "JWT_ACCESS_SECRET": "one secret of 32 bytes or more...",
    "JWT_REFRESH_SECRET": "another secret of so many bytes.",
}
ROOT = Path(__file__).parents[1]

WRONG = {
    "DATABASE_URL": ["mysql://localhost/hype", "sqlite:///:memory:", "hype.db"],
    "HOST": ["http://localhost"],
    "PORT": ["-1", "65536", "http", "3001.0"],
    "WS_PORT": ["x"],
    "MEDIASOUP_MIN_PORT": ["0", "10101"],
    "MEDIASOUP_MAX_PORT": ["70000", "9999"],
    "ANNOUNCED_IP": ["example.com", "1.2.3"],
    "CORS_ORIGINS": ["*", "localhost", "https://a.example/"],
    "HYPE_PROFILE": ["soft", "1"],
    "HYPE_ENV": ["prod"],
    "HYPE_ALLOW_DOCUMENTED": ["1"],
    "LOGIN_MAX_PER_EMAIL": ["0", "many"],
    "LOGIN_MAX_PER_ADDRESS": ["-5"],
    "LOGIN_WINDOW_S": ["1.5"],
    "WS_RATE_BURST": ["0"],
    "WS_RATE_PER_SECOND": ["ten"],
    "HYPE_LIMITS": ["none", "0"],
    "LOGIN_MAX_PER_ACCOUNT": ["0"],
    "SIGNUPS_BURST": ["0"],
    "SIGNUPS_PER_SECOND": ["0.5"],
    "WRITES_BURST": ["-1"],
    "WRITES_PER_SECOND": ["thirty"],
    "SIGNALLING_BURST": ["0"],
    "SIGNALLING_PER_SECOND": ["0"],
    "READS_BURST": ["0"],
    "READS_PER_SECOND": ["unlimited"],
    "SOCKETS_PER_USER": ["0"],
    "ROOMS_PER_SOCKET": ["0"],
    "CHANNELS_PER_USER": ["0"],
    "TRANSPORTS_PER_MINUTE": ["0"],
    "CONSUMERS_PER_CHANNEL": ["0"],
    "PRODUCER_BITS_PER_SECOND": ["10M"],
    "TRUSTED_PROXIES": ["nginx", "10.0.0.1/8", "10.0.0.0/33"],
    "MAX_CONNECTIONS": ["0", "all"],
    "MAX_CONNECTIONS_PER_ADDRESS": ["0", "1.5"],
    "METRICS_FROM": ["everybody", "10.0.0.1/8"],
    "KEEP_ALIVE_S": ["0", "5s"],
    "ACCESS_TOKEN_TTL_S": ["0", "9999999999999"],
    "REFRESH_TOKEN_TTL_S": ["7d"],
    "LOG_LEVEL": ["loud"],
    "JWT_ACCESS_SECRET": [SECRETS["JWT_REFRESH_SECRET"], "\udcff"],
    "JWT_REFRESH_SECRET": [SECRETS["JWT_ACCESS_SECRET"], "\udcff"],
}


def test_defaults() -> None:
    """Without variables the server has the settings of the seed document, and generated secrets."""
    config = Config.load({}, NOWHERE)
    assert config.database_url == "sqlite:///hype.db"
    assert ipaddress.ip_address(config.host).is_unspecified
    assert (config.port, config.ws_port) == (3001, 8080)
    assert (config.mediasoup_min_port, config.mediasoup_max_port, config.announced_ip) == (10000, 10100, None)
    assert (config.profile, config.env, config.log_level) == ("hardened", "development", "info")
    assert config.cors_origins == tuple(document("openapi.yaml", "hardened")["x-hype-cors"]["origins"])
    assert (config.access_token_ttl_s, config.refresh_token_ttl_s) == (15 * 60, 7 * 24 * 3600)
    assert config.keep_alive_s > 60  # proxies keep idle connections for 60 s
    limits = (config.login_max_per_email, config.login_max_per_address, config.login_window_s)
    assert (*limits, config.ws_rate_burst, config.ws_rate_per_second) == (None,) * 5
    assert (config.max_connections, config.max_connections_per_address) == (None, None)
    assert [str(network) for network in config.metrics_from] == ["127.0.0.0/8", "::1/128"]
    assert (config.limits, config.writes_burst, config.reads_burst, config.trusted_proxies) == ("on", None, None, ())


def test_production_keeps_its_limits() -> None:
    """With HYPE_ENV=production the start refuses HYPE_LIMITS=off (amendment A13)."""
    assert Config.load({"HYPE_LIMITS": "off"}, NOWHERE).limits == "off"
    with pytest.raises(ConfigError, match=r"^HYPE_LIMITS must not be off"):
        Config.load({"HYPE_ENV": "production", "HYPE_LIMITS": "off", **SECRETS}, NOWHERE)


def test_missing_secrets_are_generated() -> None:
    """Each start has other secrets, the two differ, and the config says that they will not last."""
    first, second = Config.load({}, NOWHERE), Config.load({}, NOWHERE)
    secrets = {config.jwt_access_secret for config in (first, second)}
    secrets |= {config.jwt_refresh_secret for config in (first, second)}
    assert len(secrets) == 4
    assert min(map(len, secrets)) >= 32
    assert first.generated_secrets
    half = Config.load({"JWT_ACCESS_SECRET": "given"}, NOWHERE)
    assert (half.jwt_access_secret, half.generated_secrets) == ("given", True)
    assert not Config.load(SECRETS, NOWHERE).generated_secrets


@pytest.mark.parametrize("missing", [["JWT_ACCESS_SECRET"], ["JWT_REFRESH_SECRET"], list(SECRETS)], ids=str)
def test_production_needs_secrets(missing: list[str]) -> None:
    """With HYPE_ENV=production a missing secret stops the start with its name."""
    given = {name: value for name, value in SECRETS.items() if name not in missing}
    with pytest.raises(ConfigError, match=f"^{' and '.join(missing)} must be set"):
        Config.load({"HYPE_ENV": "production", **given}, NOWHERE)
    assert Config.load({"HYPE_ENV": "production", **SECRETS}, NOWHERE).env == "production"


@pytest.mark.parametrize("short", list(SECRETS))
def test_production_needs_long_secrets(short: str) -> None:
    """With HYPE_ENV=production a secret of 31 bytes stops the start with its name, and is not repeated."""
    given = {**SECRETS, short: "12 letters é" * 2 + "12345"}
    assert len(given[short].encode()) == 31
    with pytest.raises(ConfigError, match=f"^{short} has fewer than 32 bytes") as refusal:
        Config.load({"HYPE_ENV": "production", **given}, NOWHERE)
    assert given[short] not in str(refusal.value)
    Config.load({"HYPE_ENV": "production", **SECRETS, short: given[short] + "6"}, NOWHERE)
    Config.load(given, NOWHERE)


def test_production_in_the_documented_profile_is_said_twice() -> None:
    """With HYPE_ENV=production the documented profile needs a second word, and the sentence names it."""
    public = {**SECRETS, "HYPE_ENV": "production", "HYPE_PROFILE": "documented"}
    for said in ({}, {"HYPE_ALLOW_DOCUMENTED": "no"}):
        with pytest.raises(ConfigError, match=r"^HYPE_PROFILE is documented.*HYPE_ALLOW_DOCUMENTED=yes"):
            Config.load({**public, **said}, NOWHERE)
    assert Config.load({**public, "HYPE_ALLOW_DOCUMENTED": "yes"}, NOWHERE).profile == "documented"
    assert Config.load({"HYPE_PROFILE": "documented"}, NOWHERE).profile == "documented"


def test_every_variable_has_wrong_values() -> None:
    """A new variable needs wrong values in this file."""
    assert set(WRONG) == {variable.name for variable in VARIABLES}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in WRONG for value in WRONG[name]])
def test_a_wrong_value_is_named(name: str, value: str) -> None:
    """The start stops with a sentence about the variable and its values."""
    with pytest.raises(ConfigError, match=r"^[A-Z].*\.$") as refusal:
        Config.load({**SECRETS, name: value}, NOWHERE)
    assert re.search(rf"\b{name}\b", str(refusal.value))
    assert re.search("It takes |must not be above |must differ", str(refusal.value))


@pytest.mark.parametrize("name", [variable.name for variable in VARIABLES])
def test_blank_is_unset(name: str) -> None:
    """`NAME=` and `NAME=  ` mean the default, as in compose files."""
    known = {**SECRETS, "PORT": "1", "WS_PORT": "2"}
    without = Config.load({key: value for key, value in known.items() if key != name}, NOWHERE)
    blank = Config.load({**known, name: " \t"}, NOWHERE)
    secret = name.startswith("JWT_")
    assert blank.generated_secrets == without.generated_secrets == secret
    assert secret or blank == without


def test_the_environment_outweighs_dotenv(tmp_path: Path) -> None:
    """The seed document's own `.env` works, comments included; the environment goes before it."""
    path = tmp_path / ".env"
    path.write_text(
        'DATABASE_URL="postgresql://user:password@localhost:5432/hype"\n'
        'JWT_ACCESS_SECRET="a$ecret ${HOME} for access"\nJWT_REFRESH_SECRET="another"\n'
        "# Server\nPORT=4001\nWS_PORT=9090\nNOT_OURS=x\n"
        "ANNOUNCED_IP=null  # null for local development, set to public IP for production\n",
        encoding="utf-8",
    )
    config = Config.load({"WS_PORT": "7070", "PORT": ""}, path)
    assert config.database_url == "postgresql://user:password@localhost:5432/hype"
    assert config.jwt_access_secret == "a$ecret ${HOME} for access"
    assert (config.port, config.ws_port, config.announced_ip) == (4001, 7070, None)


def test_dotenv_is_read_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process reads its own environment and the `.env` of its working directory by default."""
    (tmp_path / ".env").write_text("PORT=4001\nWS_PORT=4002\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PORT", raising=False)
    monkeypatch.setenv("WS_PORT", "4003")
    config = Config.load()
    assert (config.port, config.ws_port) == (4001, 4003)


def test_an_unreadable_dotenv_stops_the_start(tmp_path: Path) -> None:
    """A `.env` that is not text stops the start with its path."""
    path = tmp_path / ".env"
    path.write_bytes(b"PORT=\xff\xfe")
    with pytest.raises(ConfigError, match=re.escape(str(path))):
        Config.load({}, path)


def test_passwords_are_not_repeated() -> None:
    """An error contains neither a database password nor a secret."""
    for environ in ({"DATABASE_URL": "postgresql://u:hunter2@h:x/d"}, dict.fromkeys(SECRETS, "hunter2")):
        with pytest.raises(ConfigError) as refusal:
            Config.load(environ, NOWHERE)
        assert "hunter2" not in str(refusal.value)


def test_ports_must_differ_unless_they_are_zero() -> None:
    """Both ports can be 0, which never is the same port twice."""
    assert Config.load({"PORT": "0", "WS_PORT": "0"}, NOWHERE).port == 0
    with pytest.raises(ConfigError, match=r"^PORT and WS_PORT are both 8080"):
        Config.load({"PORT": "8080"}, NOWHERE)


def test_the_table_lists_every_variable() -> None:
    """`hype serve --help` shows each name once with its default, and Config has a member for each."""
    table = environment_table()
    assert [line.split()[0] for line in table.splitlines() if line[2] != " "] == [v.name for v in VARIABLES]
    assert all(f"[{variable.default}]" in " ".join(table.split()) for variable in VARIABLES if variable.default)
    members = [variable.member for variable in VARIABLES]
    assert [*members, "generated_secrets"] == [field.name for field in fields(Config)]


def test_the_example_file_is_up_to_date() -> None:
    """`.env.example` names known variables only, and its values are valid."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = dict(line.lstrip("#").split("=", 1) for line in lines if re.match("#?[A-Z_]+=", line))
    assert set(named) <= {variable.name for variable in VARIABLES}
    Config.load(named, NOWHERE)


def test_a_worker_gets_no_variable_of_hype() -> None:
    """Hype's variables, and those that Hype does not know, stay with the server."""
    own = {variable.name: "x" for variable in VARIABLES}
    foreign = {"AWS_SECRET_ACCESS_KEY": "x", "PYTHON_TOKEN": "x", "PATH_TO_KEY": "x"}
    needed = {"PATH": "/bin", "PYTHONPATH": "/lib", "LANG": "C"}
    assert worker_environment({**own, **foreign, **needed}) == needed
