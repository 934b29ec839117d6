"""The guide for contributors names files that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
_GUIDE = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
_PATHS = sorted(
    set(
        re.findall(
            r"`((?:hype|contract_tests|tests|\.ci|\.github|fixtures)/[^`]+|[a-zA-Z.]+\.(?:yaml|md|txt))`", _GUIDE
        )
    )
)


@pytest.mark.parametrize("path", _PATHS)
def test_a_path_of_the_guide_is_there(path: str) -> None:
    """A reader finds the file, or one that fits where the guide leaves a part open."""
    pattern = re.sub(r"<\w+>|NNNN_name", "*", path)
    assert list(ROOT.glob(pattern)), path
