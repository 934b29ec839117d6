"""Programs that some tests need and pip does not install."""

from __future__ import annotations

import os
import shutil

import pytest

__all__ = ["program"]

# Debian keeps daemons there, and not every user's PATH has it.
_PLACES = os.pathsep.join([*os.get_exec_path(), "/usr/sbin"])


def program(name: str, *others: str, why: str) -> str:
    """Return the path of a program, under any of its names. Without it a person's run skips the test, and CI's fails.

    why: the test that needs it, as the subject of a sentence.
    """
    found = next(filter(None, (shutil.which(each, path=_PLACES) for each in (name, *others))), None)
    if found is None:
        reason = f"{why} need {name}"
        if os.environ.get("CI"):  # noqa: TID251 - whether a missing program is a failure
            pytest.fail(reason)
        pytest.skip(reason)
    return found
