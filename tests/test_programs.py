"""Tests whose program is missing: a person's run skips them, and CI's run fails."""

from __future__ import annotations

import pytest

from tests.programs import program


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason names the program and the tests that need it."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="tests of nothing need no-such-program"):
        program("no-such-program", why="tests of nothing")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="tests of nothing need no-such-program"):
        program("no-such-program", why="tests of nothing")


def test_a_program_may_have_other_names() -> None:
    """The first name that is installed counts."""
    assert program("no-such-program", "sh", why="tests of nothing").endswith("/sh")
