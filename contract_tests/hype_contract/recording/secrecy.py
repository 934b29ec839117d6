"""What no report may say, and the names that stand in its place."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

_SHORTEST_KEY = 8  # `?version=2` is no secret, and hiding every 2 would spoil the report
_LOGIN = re.compile(r"((?:[a-z]+://)?)([^/?#]*)@", re.IGNORECASE)
# Also what is left of a token that was cut: a report shows the beginning and the end of what is long.
_JWT = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}")
# Whatever its shape: also the token of somebody whom no name was given to.
_BEARER = re.compile(r"(Bearer )[\w.~+/=-]{16,}")
# As JSON writes it and as Python does; not what is a name already.
_SECRET_MEMBER = re.compile(
    r"""((["'])(?:password|accessToken|refreshToken|token)\2\s*:\s*)"""
    r"""(?:"(?!\$|'|\x01)(?:[^"\\]|\\.)*"|'(?!\$|\x01)(?:[^'\\]|\\.)*')"""
)
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Around a name while a text is worked on; no text that is shown holds them.
_MARKED = re.compile("\x01(\\w+)\x02")


class Secrets:
    """Knows the tokens and passwords of this run by name, so that reports can hide them. Thread-safe."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._longest_first: list[tuple[str, str]] | None = None
        self._lock = threading.Lock()

    def keep(self, value: str, name: str) -> None:
        """From now on `value` appears as `$name`."""
        with self._lock:
            self._names.setdefault(value, name)
            self._longest_first = None

    def name(self, value: str) -> str | None:
        """What stands for `value`, if that is secret."""
        return self._names.get(value)

    def hide(self, text: str, *, in_quotes: bool = False) -> str:
        """`text` with `$name` for each secret. `in_quotes`: it is bash and they stand in single quotes: leave these
        around the name, so that bash fills it in."""
        form = r"""'"$\1"'""" if in_quotes else r"$\1"
        return _MARKED.sub(form, self._marked(text)) if text else text

    def word(self, text: str, more: Mapping[str, str], renewed: tuple[re.Pattern[str], str]) -> str:
        """`text` as one word of bash, filled in with what the names stand for.

        `more`: other values, and their names. `renewed`: what else is replaced, in which `mark` makes a name.
        """
        marked = self._marked(text)
        for value, name in sorted(more.items(), key=lambda item: -len(item[0])):
            marked = marked.replace(value, mark(name))
        pieces = _MARKED.split(renewed[0].sub(renewed[1], marked))
        words = [f'"${piece}"' if number % 2 else piece and quote(piece) for number, piece in enumerate(pieces)]
        return "".join(words) or "''"

    def _marked(self, text: str) -> str:
        with self._lock:
            if self._longest_first is None:
                self._longest_first = sorted(self._names.items(), key=lambda item: -len(item[0]))
            known = self._longest_first
        text = text.replace("\x01", "\\x01")
        for value, name in known:
            text = text.replace(value, mark(name))
        text = _BEARER.sub(r"\1<a token>", _JWT.sub("<a token>", text))
        return _SECRET_MEMBER.sub(r"\1\2<hidden>\2", text)


def mark(name: str) -> str:
    """A name where it will be filled in."""
    return f"\x01{name}\x02"


def quote(text: str) -> str:
    """`text` as one word of bash."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def credentials(url: str) -> list[str]:
    """What is secret in a URL, or in what was meant as one: `user:password`, and the longer values of its query."""
    login = _LOGIN.match(url)
    values = [part.partition("=")[2] for part in url.partition("#")[0].partition("?")[2].split("&")]
    return ([login[2]] if login and ":" in login[2] else []) + [one for one in values if len(one) >= _SHORTEST_KEY]


def without_credentials(url: str) -> str:
    """The same without its login; a query that holds a secret becomes `?…`."""
    address, sign, query = _LOGIN.sub(r"\1", url).partition("?")
    return address + sign + ("…" if credentials(f"?{query}") else query)
