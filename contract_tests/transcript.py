"""What one case said and heard, as a script that a person can replay, with every secret replaced by a name."""

from __future__ import annotations

import re
import shlex
import threading
from collections.abc import Iterable, Sequence

OPEN_BY_HAND = "python -m websockets"
"""The command that opens a WebSocket in a terminal: what is typed is sent, what comes is shown."""

_LONGEST_BODY = 3000
_SHORTEST_KEY = 8  # `?version=2` is no secret, and hiding every 2 would spoil the report
_LOGIN = re.compile(r"((?:[a-z]+://)?)([^/?#]*)@", re.IGNORECASE)
# Also what is left of a token that was cut: a report shows the beginning and the end of what is long.
_JWT = re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*){0,2}")
# Whatever its shape: also the token of somebody whom no name was given to.
_BEARER = re.compile(r"(Bearer )[\w.~+/=-]{16,}")
# As JSON writes it and as Python does; not what is a name already.
_SECRET_MEMBER = re.compile(
    r"""((["'])(?:password|accessToken|refreshToken|token)\2\s*:\s*)"""
    r"""(?:"(?!\$|'")(?:[^"\\]|\\.)*"|'(?!\$)(?:[^'\\]|\\.)*')"""
)


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

    def hide(self, text: str, *, for_shell: bool = False) -> str:
        """`text` without secrets. `for_shell`: leave single quotes around a name so that a shell fills it in."""
        if not text:
            return text
        with self._lock:
            if self._longest_first is None:
                self._longest_first = sorted(self._names.items(), key=lambda item: -len(item[0]))
            known = self._longest_first
        for value, name in known:
            text = text.replace(value, f"'\"${name}\"'" if for_shell else f"${name}")
        text = _BEARER.sub(r"\1<a token>", _JWT.sub("<a token>", text))
        return _SECRET_MEMBER.sub(r"\1\2<hidden>\2", text)


class Transcript:
    """The lines of one case, in order. Clients of several threads may add to it.

    Secrets are hidden when the lines are asked for, which few cases come to.
    """

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets
        self._lines: list[tuple[str, bool]] = []
        self._included: set[int] = set()
        self._ended = False
        self._lock = threading.Lock()

    def http(self, method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes | None, answer: str) -> None:
        """One exchange as a curl line, and what came back as a comment."""
        self._add(curl(method, url, headers, body), for_shell=True)
        self._add("#   → " + _cut(answer))

    def socket(self, line: str) -> None:
        """One step of a WebSocket session, already in words."""
        self._add(_cut(line))

    def opening(self, name: str, url: str) -> None:
        """A WebSocket is opened: a command that opens the same one, for a terminal of its own."""
        self._add(f"{name}: {OPEN_BY_HAND} {_quote(url)}", for_shell=True)

    def note(self, line: str) -> None:
        """A line in somebody else's words."""
        self._add(_cut(" ".join(line.split())))

    def include(self, other: Transcript) -> None:
        """What happened there belongs to this story too; told once, where it is first needed."""
        with self._lock:
            if self._ended or id(other) in self._included:
                return
            self._included.add(id(other))
            self._lines += other._lines

    def end(self) -> None:
        """What follows is tidying up, which no one needs to replay."""
        self._ended = True

    def lines(self, last: int | None = None) -> Sequence[str]:
        """All lines, or the `last` ones with a note of how many were left out."""
        with self._lock:
            lines = list(self._lines)
        shown = [self.secrets.hide(line, for_shell=for_shell) for line, for_shell in lines[-last if last else 0 :]]
        left_out = len(lines) - len(shown)
        return [f"# … {left_out} earlier lines left out …", *shown] if left_out else shown

    def _add(self, line: str, *, for_shell: bool = False) -> None:
        with self._lock:
            if not self._ended:
                self._lines.append((line, for_shell))


def credentials(url: str) -> list[str]:
    """What is secret in a URL, or in what was meant as one: `user:password`, and the longer values of its query."""
    login = _LOGIN.match(url)
    values = [part.partition("=")[2] for part in url.partition("#")[0].partition("?")[2].split("&")]
    return ([login[2]] if login and ":" in login[2] else []) + [one for one in values if len(one) >= _SHORTEST_KEY]


def without_credentials(url: str) -> str:
    """The same without its login; a query that holds a secret becomes `?…`."""
    address, mark, query = _LOGIN.sub(r"\1", url).partition("?")
    return address + mark + ("…" if credentials(f"?{query}") else query)


def curl(method: str, url: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> str:
    """A command that sends the same request. `url` may hold an unexpanded `$BASE`-like prefix only unquoted."""
    address = _quote(url) if "@" in url else shlex.quote(url)  # a hidden password needs the quotes
    parts = ["curl", "-sS", "-i", "-g", "--path-as-is", "-X", method, address]
    for name, value in headers:
        parts += ["-H", _quote(f"{name}: {value}")]
    if body is None:
        return " ".join(parts)
    if len(body) > _LONGEST_BODY:
        return " ".join([*parts, "--data-binary", "@body"]) + f"  # body: {len(body)} bytes, {body[:80]!r} …"
    text = body.decode("ascii", "replace")
    if "\ufffd" not in text and "\x00" not in text:
        return " ".join([*parts, "--data-binary", _quote(text)])
    octal = "".join(f"\\{byte:03o}" for byte in body)
    return f"printf '{octal}' | " + " ".join([*parts, "--data-binary", "@-"])


def _quote(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _cut(text: str) -> str:
    return text if len(text) <= 1200 else f"{text[:900]} … ({len(text)} characters) … {text[-200:]}"
