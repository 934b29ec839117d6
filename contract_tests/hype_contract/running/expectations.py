"""The expected-failures file, with which a team adopts the contract step by step.

A line a requirement: its id, and behind a `#` the reason. Blank lines and lines that begin with `#` are passed over.

    # The frontend does not page users yet.
    R16.pages              # issue 17
    P9.limit
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from hype_contract.running.results import RequirementResult


class BadExpectations(Exception):
    """The file cannot be used; the text is a sentence for the person at the terminal."""


def read(path: Path, known: Collection[str]) -> dict[str, str]:
    """Requirement id → reason ("" for none). `known`: all ids. Raises `BadExpectations` for what is not there."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadExpectations(f"--expected-failures {path} cannot be read: {error}.") from error
    expected = {}
    for number, line in enumerate(lines, 1):
        id, _, reason = (part.strip() for part in line.partition("#"))
        if not id:
            continue
        if id not in known:
            raise BadExpectations(f"{path}:{number}: no requirement is called {id!r}: see `hype-contract list`.")
        expected[id] = reason
    return expected


def mark(judged: Iterable[RequirementResult], expected: Mapping[str, str]) -> list[RequirementResult]:
    """The same, each one that is expected to fail marked with the reason."""
    return [
        replace(one, expected_failure=expected[one.requirement.id]) if one.requirement.id in expected else one
        for one in judged
    ]


def stale(judged: Iterable[RequirementResult]) -> list[str]:
    """The ids of those that were expected to fail and passed: time to take them off the list."""
    return [one.requirement.id for one in judged if one.expected_failure is not None and one.outcome == "pass"]
