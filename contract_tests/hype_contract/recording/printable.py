"""The one place that makes a target's text fit to be written: on a terminal, in a report, in a script.

A target that is judged chooses this text. Written as it is, it could move the cursor, reverse what stands beside it, or
begin a line with `verdict: conforms`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# All controls (C0 with CR and LF, DEL, C1), the separators of lines and paragraphs, what is invisible or changes the
# direction of writing, and what neither XML nor UTF-8 can hold.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\ufffe\uffff\U000e0000-\U000e007f]"
)


def printable(value: Any) -> Any:
    """The same JSON value; what cannot be printed in its strings stands there as `\\x1b`, `\\n`, `\\u202e`."""
    if isinstance(value, str):
        return _UNPRINTABLE.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), value)
    if isinstance(value, list | tuple):
        return [printable(item) for item in value]
    if isinstance(value, Mapping):
        return {printable(name): printable(item) for name, item in value.items()}
    return value


def is_printable(text: str) -> bool:
    """Whether `printable` changes nothing."""
    return _UNPRINTABLE.search(text) is None
