"""The secrets of a run, and the names that replace them in every report."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

SHORTEST_SECRET_VALUE = 8  # `?version=2` is no secret, and hiding every 2 would make the report unreadable
_LOGIN = re.compile(r"((?:[a-z]+://)?)([^/?#]*)@", re.IGNORECASE)
# Also the rest of a token that was cut: a report shows the beginning and the end of a long text.
_JWT = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}")
# A token of any form, also of a user that has no name in the report.
_BEARER = re.compile(r"(Bearer )[\w.~+/=-]{16,}")
# A member as JSON or Python writes it, unless its value is a name already.
_SECRET_MEMBER = re.compile(
    r"""((["'])(?:password|accessToken|refreshToken|token)\2\s*:\s*)"""
    r"""(?:"(?!\$|'|\x01)(?:[^"\\]|\\.)*"|'(?!\$|\x01)(?:[^'\\]|\\.)*')"""
)
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")
# Two controls surround a name until it is written out. `_marked` escapes the first one where a text contains it.
_PLACEHOLDER = re.compile("\x01(\\w+)\x02")


class Secrets:
    """The tokens and passwords of a run, or of one case, each with its name. Thread-safe."""

    def __init__(self, of_run: Secrets | None = None) -> None:
        """Know no secret of one's own yet.

        of_run: the secrets of the run, for those of one case. The case's own names come before those of the run, since
        two cases may call one user by different names.
        """
        self._of_run = of_run
        self._names: dict[str, str] = {}
        self._longest_first: list[tuple[str, str]] = []
        self._lock = threading.Lock()

    def keep(self, value: str, name: str) -> None:
        """Replace `value` by `$name` from now on, also in what shows the whole run."""
        with self._lock:
            self._names.setdefault(value, name)
        if self._of_run:
            self._of_run.keep(value, name)

    def name_of(self, value: str) -> str | None:
        """Return the name of a secret, or None if `value` is not secret."""
        return self._names.get(value) or (self._of_run.name_of(value) if self._of_run else None)

    def hide(self, text: str, *, in_quotes: bool = False) -> str:
        """Return `text` with `$name` in place of each secret.

        `in_quotes`: the text is bash, and the secrets are in single quotes. Then the name closes the quotes and opens
        them again, so that bash expands it.
        """
        form = r"""'"$\1"'""" if in_quotes else r"$\1"
        return _PLACEHOLDER.sub(form, self._marked(text)) if text else text

    def shell_word(self, text: str, more: Mapping[str, str], renewed: tuple[re.Pattern[str], str]) -> str:
        """Return `text` as one word of bash, with a variable in place of each secret.

        `more`: value → name of further variables. `renewed`: a pattern and its replacement, which may contain a
        `placeholder`.
        """
        marked = self._marked(text)
        for value, name in sorted(more.items(), key=lambda item: -len(item[0])):
            marked = marked.replace(value, placeholder(name))
        pieces = _PLACEHOLDER.split(renewed[0].sub(renewed[1], marked))
        words = [f'"${piece}"' if number % 2 else piece and quote(piece) for number, piece in enumerate(pieces)]
        return "".join(words) or "''"

    def names_in(self, text: str) -> list[str]:
        """Return the names of the secrets in `text`, in order."""
        return _PLACEHOLDER.findall(self._marked(text))

    def _marked(self, text: str) -> str:
        text = text.replace("\x01", "\\x01")
        for value, name in self._known():
            text = text.replace(value, placeholder(name))
        text = _BEARER.sub(r"\1<a token>", _JWT.sub("<a token>", text))
        return _SECRET_MEMBER.sub(r"\1\2<hidden>\2", text)

    def _known(self) -> list[tuple[str, str]]:
        """Return every secret with its name, the longest first. Names are added, and never changed."""
        more = self._of_run._known() if self._of_run else []
        with self._lock:
            every = {**dict(more), **self._names}
            if len(every) != len(self._longest_first):
                self._longest_first = sorted(every.items(), key=lambda item: -len(item[0]))
            return self._longest_first


def header_variable(name: str) -> str:
    """Return the name by which scripts and commands call a secret header, its name and its value."""
    return re.sub(r"\W", "_", f"{name.upper()}_HEADER")


def placeholder(name: str) -> str:
    """Return the mark of a name in a text that is not written out yet."""
    return f"\x01{name}\x02"


def quote(text: str) -> str:
    """Return `text` as one word of bash."""
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def credentials(url: str) -> list[str]:
    """Return the secrets in a URL, also in an invalid one: `user:password`, and the longer values of its query."""
    login = _LOGIN.match(url)
    values = [part.partition("=")[2] for part in url.partition("#")[0].partition("?")[2].split("&")]
    return ([login[2]] if login and ":" in login[2] else []) + [
        value for value in values if len(value) >= SHORTEST_SECRET_VALUE
    ]


def without_credentials(url: str) -> str:
    """Return the URL without its login. A query that contains a secret becomes `?…`."""
    address, sign, query = _LOGIN.sub(r"\1", url).partition("?")
    return address + sign + ("…" if credentials(f"?{query}") else query)
