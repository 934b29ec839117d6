"""The only place that makes a target's text fit to be written on a terminal, in a report or in a script.

The target chooses this text. Written unchanged, it could move the cursor, reverse the direction of the text beside it,
or begin a line with `verdict: conforms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# All controls (C0 with CR and LF, DEL, C1), separators of lines and paragraphs, characters that are invisible or change
# the direction of writing, and characters that neither XML nor UTF-8 can hold.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


def printable(value: Any) -> Any:
    r"""Return the same JSON value with each unprintable character in its strings as `\x1b`, `\n` or `\u202e`."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), value)
    if isinstance(value, list | tuple):
        return [printable(item) for item in value]
    if isinstance(value, Mapping):
        return {printable(name): printable(item) for name, item in value.items()}
    return value


def is_printable(text: str) -> bool:
    """Return whether `printable` changes nothing in `text`."""
    return _UNPRINTABLE.search(text) is None
