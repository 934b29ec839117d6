"""The parts of a log that may hold a user's secret: what errors quote, tokens, hashes, addresses.

An error of a library quotes what it could not take: a row, a statement, a body. So of its text only the first line is
shown, without what stands in quotes.
"""

from __future__ import annotations

import re
import traceback
from typing import Final

__all__ = ["redacted", "stack", "summary", "without_secrets"]

_MOST: Final = 200  # characters of an error's text
_QUOTED: Final = re.compile(r"\"[^\"]*(\"|$)|'[^']*('|$)|=\([^)]*(\)|$)")
_SECRET: Final = re.compile(
    r"eyJ[\w-]+\.[\w-]*\.?[\w-]*"  # a JSON web token
    r"|\$(2[abxy]|bcrypt-sha256)\$[^\s,;]+"  # a password's hash
    r"|[^\s@:/]+(:[^\s@]+)?@[^\s@]+"  # an email address, and the password in a URL
)


def redacted(text: str) -> str:
    """Return a text without what it quotes."""
    return _QUOTED.sub("'…'", text)


def without_secrets(text: str) -> str:
    """Return a text without what has the form of a token, of a password's hash or of an email address."""
    return _SECRET.sub("…", text) if "@" in text or "eyJ" in text or "$" in text else text


def summary(error: BaseException) -> str:
    """Return an error's class and what may be shown of its text, in one line."""
    text = redacted(next(iter(str(error).splitlines()), ""))[:_MOST]
    name = type(error).__qualname__ if type(error).__module__ == "builtins" else _full_name(type(error))
    return f"{name}: {without_secrets(text)}" if text else name


def stack(error: BaseException) -> str:
    """Return the traceback of an error and of those behind it, with a summary of each in place of its text."""
    parts: list[str] = []
    known: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in known:
        known.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"Traceback (most recent call last):\n{frames}{summary(current)}")
        suppressed = current.__suppress_context__
        current = current.__cause__ or (None if suppressed else current.__context__)
    return "\n\nThe error above led to this one:\n\n".join(reversed(parts))


def _full_name(kind: type[BaseException]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
