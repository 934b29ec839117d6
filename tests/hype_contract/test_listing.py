"""Tests of `hype-contract list`."""

from __future__ import annotations

import subprocess
import sys

import pytest

from hype_contract.__main__ import main
from hype_contract.contract.rulings import clauses, rulings


def test_every_requirement_is_listed_with_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    """The list names level, source and way of judging of each requirement, without a target."""
    assert main(["list", "--only", "R18", "--only", "answer.getMessage", "--only", "P9"]) == 0
    lines = {line.split()[0]: line for line in capsys.readouterr().out.splitlines()}
    assert "[openapi.yaml#/paths/~1api~1messages/get; ruling R18]" in lines["R18.newest-first"]
    assert "published" in lines["R18.newest-first"]
    assert "documented" in lines["R18.default-limit"]
    assert "hardened" in lines["P9.limit"]
    assert "coverage" in lines["answer.getMessage.404"]
    assert "exempt" in lines["answer.getMessage.500"]
    assert "exempt" in lines["answer.getMessage.503"]
    assert "[ruling A12]" in lines["answer.getMessage.503"]


def test_the_list_can_be_narrowed(capsys: pytest.CaptureFixture[str]) -> None:
    """The list contains only the requirements of the given area and profile."""
    assert main(["list", "--area", "gateway", "--profile", "documented"]) == 0
    out = capsys.readouterr().out
    assert "P4.claim " in out
    assert "R18.newest-first" not in out
    assert "P5.unlimited" in out
    assert "R31.auth-timeout" not in out


def test_the_list_has_a_level(capsys: pytest.CaptureFixture[str]) -> None:
    """`--level documented` lists what the words of the document demand, and the last line counts it."""
    assert main(["list", "--level", "documented"]) == 0
    *lines, summary, _ = capsys.readouterr().out.splitlines()
    assert {line.split()[1] for line in lines} == {"documented"}
    assert summary == f"{len(lines)} requirements in the hardened profile: {len(lines)} documented"


def test_an_empty_list_is_not_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    """The command fails if no requirement matches, since the id may be a typing error."""
    assert main(["list", "--only", "R99"]) == 3
    assert "0 requirements" in capsys.readouterr().out


def test_a_terminal_of_a_legacy_code_page_can_show_the_list() -> None:
    """It shows `?` for a character that the page does not have."""
    command = [sys.executable, "-m", "hype_contract", "list", "--only", "R18"]
    environment = {"PYTHONIOENCODING": "cp1252"}
    told = subprocess.run(command, env=environment, capture_output=True, timeout=60, check=False)
    assert (told.returncode, told.stderr) == (0, b"")
    assert b"R18.newest-first" in told.stdout


def test_every_ruling_can_be_quoted() -> None:
    """R1 to R40, P1 to P10, A1 to A25 with A1b have a text, and a source may name several."""
    numbers = {"R": 40, "P": 10, "A": 25}
    known = {f"{letter}{number + 1}" for letter, most in numbers.items() for number in range(most)}
    assert set(rulings()) == known | {"A1b"}
    assert list(clauses("rulings R31, P4 and R31; seed; amendment A21")) == ["R31", "P4", "A21"]
