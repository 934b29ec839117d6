"""The values of environment variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hype import settings

ACCEPTED: list[tuple[Callable[[str], Any], str, Any]] = [
    (settings.number(0, 65535), "0", 0),
    (settings.number(0, 65535), "65535", 65535),
    (settings.number(0, 65535), "08080", 8080),
    (settings.one_of(["hardened", "documented"]), "Documented", "documented"),
    (settings.ip_or_null, "null", None),
    (settings.ip_or_null, "203.0.113.7", "203.0.113.7"),
    (settings.ip_or_null, "2001:DB8::1", "2001:db8::1"),
    (settings.host, "127.0.0.1", "127.0.0.1"),
    (settings.host, "::", "::"),
    (settings.host, "localhost", "localhost"),
    (settings.origins, "http://localhost:5173", ("http://localhost:5173",)),
    (settings.origins, "https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
    (settings.origins, "https://a.example,https://a.example", ("https://a.example",)),
    (settings.origins, "HTTPS://Chat.Example:443", ("https://chat.example",)),
    (settings.origins, "http://[::1]:5173", ("http://[::1]:5173",)),
    (settings.origins, "tauri://localhost", ("tauri://localhost",)),
    (settings.database_url, "sqlite:///hype.db", "sqlite:///hype.db"),
    (settings.database_url, "sqlite:////var/lib/hype.db", "sqlite:////var/lib/hype.db"),
    (settings.database_url, "postgresql://u:p@localhost:5432/hype", "postgresql://u:p@localhost:5432/hype"),
    (settings.database_url, "postgres://localhost/hype", "postgres://localhost/hype"),
    (settings.database_url, "postgresql:///hype?host=/run", "postgresql:///hype?host=/run"),
    (settings.database_url, "postgresql://h/hype?schema=public", "postgresql://h/hype?schema=public"),
    (settings.text, "any täxt", "any täxt"),
]
REFUSED: list[tuple[Callable[[str], Any], str, str]] = [
    (settings.number(0, 65535), "-1", "not a whole number"),
    (settings.number(0, 65535), "80.5", "not a whole number"),
    (settings.number(0, 65535), "0x50", "not a whole number"),
    (settings.number(0, 65535), "８０", "not a whole number"),
    (settings.number(0, 65535), "9" * 5000, "not a whole number"),
    (settings.number(0, 65535), "65536", "not from 0 to 65535"),
    (settings.number(1, 65535), "0", "not from 1 to 65535"),
    (settings.one_of(["hardened", "documented"]), "soft", "is 'soft'"),
    (settings.ip_or_null, "example.com", "not an IP address"),
    (settings.ip_or_null, "256.1.1.1", "not an IP address"),
    (settings.host, "http://localhost", "is 'http://localhost'"),
    (settings.host, "a b", "is 'a b'"),
    (settings.origins, "*", "every site"),
    (settings.origins, "https://a.example,*", "every site"),
    (settings.origins, ",", "names no origin"),
    (settings.origins, "localhost:5173", "not an origin"),
    (settings.origins, "https://", "not an origin"),
    (settings.origins, "https://me@a.example", "not an origin"),
    (settings.origins, "https://a.example/", "without even a slash"),
    (settings.origins, "https://a.example/chat", "without even a slash"),
    (settings.origins, "https://a.example?x", "without even a slash"),
    (settings.origins, "https://a.example#x", "without even a slash"),
    (settings.origins, "https://a.example:http", "not a URL"),
    (settings.origins, "https://[::1", "not a URL"),
    (settings.database_url, "mysql://localhost/hype", "not the URL"),
    (settings.database_url, "hype.db", "not the URL"),
    (settings.database_url, "sqlite://hype.db", "three slashes"),
    (settings.database_url, "sqlite:///", "three slashes"),
    (settings.database_url, "sqlite:///:memory:", "is :memory:"),
    (settings.database_url, "sqlite:///a%00b", "not UTF-8"),
    (settings.database_url, "postgresql://localhost", "no database"),
    (settings.database_url, "postgresql://localhost/", "no database"),
    (settings.database_url, "postgresql:hype", "no database"),
    (settings.database_url, "postgresql://u:p@localhost:x/hype", "not a URL"),
    (settings.database_url, "postgresql://u:p@[localhost/hype", "not a URL"),
    (settings.database_url, "postgresql://u:p%2@localhost/hype", "written %25"),
    (settings.database_url, "postgresql://u:p%zz@localhost/hype", "written %25"),
    (settings.database_url, "postgresql://u:p@localhost/hype?password=p%00", "written %25"),
    (settings.database_url, "postgresql://u:p@ss@localhost/hype", "written %40"),
    (settings.text, "a\0b", "not UTF-8"),
    (settings.text, "a\udcffb", "not UTF-8"),
]


@pytest.mark.parametrize(("parse", "value", "expected"), ACCEPTED)
def test_a_valid_value_is_parsed(parse: Callable[[str], Any], value: str, expected: object) -> None:
    """Each form in the help text is accepted, and brought to the one form that the code uses."""
    assert parse(value) == expected


@pytest.mark.parametrize(("parse", "value", "problem"), REFUSED)
def test_a_wrong_value_is_refused(parse: Callable[[str], Any], value: str, problem: str) -> None:
    """Every other value is refused with the problem in words."""
    with pytest.raises(ValueError, match=problem) as refusal:
        parse(value)
    assert "u:p@" not in str(refusal.value)
