"""The text of the rulings that sources name, so that a failure can quote the rule that was broken."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import yaml

_NAME = re.compile(r"\b[APR]\d{1,2}b?\b")


def clauses(source: str) -> dict[str, str]:
    """Ruling → its text, for each ruling that `source` names ("rulings R31 and P4"); seed sections have none here."""
    texts = rulings()
    return {name: texts[name] for name in dict.fromkeys(_NAME.findall(source)) if name in texts}


@cache
def rulings() -> Mapping[str, str]:
    """Return the text of each ruling (R1 to R40), row of the table of profiles (P1 to P9) and amendment (A1 to A24)."""
    loaded: dict[str, str] = yaml.safe_load((Path(__file__).parent / "clauses.yaml").read_text(encoding="utf-8"))
    return loaded
