"""The texts of the rulings that sources name, so that a failure can quote the broken rule.

RULINGS.md publishes the rulings: a heading of level 3 is an id, and the text follows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

RULINGS: Final = Path(__file__).parents[1] / "RULINGS.md"

_NAME = re.compile(r"\b[APR]\d{1,2}b?\b")
_HEADING = re.compile(r"^#{2,4} .*$", re.MULTILINE)


def clauses(source: str) -> dict[str, str]:
    """Return ruling → text for each ruling that `source` names ("rulings R31 and P4"); seed sections have no text."""
    texts = rulings()
    return {name: texts[name] for name in dict.fromkeys(_NAME.findall(source)) if name in texts}


@cache
def rulings() -> Mapping[str, str]:
    """Return the text of each ruling (R1 to R40, P1 to P10 of the profiles) and amendment (A1 to A24)."""
    document = RULINGS.read_text(encoding="utf-8")
    headings = _HEADING.findall(document)
    texts = _HEADING.split(document)[1:]
    ids = ((heading.removeprefix("### "), text) for heading, text in zip(headings, texts, strict=True))
    return {name: " ".join(text.split()) for name, text in ids if _NAME.fullmatch(name)}
