"""The expected-failures file, with which a team adopts the contract step by step.

Each line holds the id of a requirement and, after a `#`, the reason. Blank lines and lines that begin with `#` are
ignored, and so is a byte order mark.

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
    """Return requirement id → reason ("" for none). `known`: all ids.

    Raises `BadExpectations` if the file cannot be read or names an unknown id.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
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


def mark(results: Iterable[RequirementResult], expected: Mapping[str, str]) -> list[RequirementResult]:
    """Return the results, those of expected failures marked with the reason. `expected`: requirement id → reason."""
    return [
        replace(result, expected_failure=expected[result.requirement.id])
        if result.requirement.id in expected
        else result
        for result in results
    ]


def stale(results: Iterable[RequirementResult]) -> list[str]:
    """Return the ids that were expected to fail and passed; the file should no longer list them."""
    return [
        result.requirement.id for result in results if result.expected_failure is not None and result.outcome == "pass"
    ]
