"""Tests of the sources of rules: what the requirements and the specs name exists, and fits the level (A1, A22)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from hype_contract.cases.registry import declared_requirements
from hype_contract.contract.rulings import clauses, rulings
from hype_contract.requirements.requirement import Level, Requirement

ROOT: Final = Path(__file__).parents[2]
SPECS: Final[dict[str, Any]] = {
    name: yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in ("openapi.yaml", "asyncapi.yaml")
}
SECTIONS: Final = (Path(__file__).parent / "seed_sections.txt").read_text(encoding="utf-8").splitlines()
"""The sections of the seed document by their headings and labels; two blanks more are one level deeper."""

_NUMBERED = re.compile(r"(?:ruling|amendment)s? ((?:[APR]\d+b?(?:, | and | to )?)+)")
_STANDARD = re.compile(r"RFC \d+|openapi\.yaml links")


def _is_section(path: str) -> bool:
    """Return whether the seed document has a section of this path. It may begin at any level and leave levels out."""
    names = path.split(" › ")
    at: list[str] = []
    for line in SECTIONS:
        name = line.strip()
        at = [*at[: (len(line) - len(line.lstrip())) // 2], name]
        if name == names[-1] and _in_order(names, at):
            return True
    return False


def _in_order(names: list[str], among: list[str]) -> bool:
    rest = iter(among)
    return all(name in rest for name in names)


def _is_place(source: str) -> bool:
    """Return whether the specs have the place: `<file>#<JSON pointer>`, and perhaps a heading of the text there."""
    address, _, heading = source.partition(" › ")
    file, _, pointer = address.partition("#")
    found = SPECS.get(file)
    for step in pointer.split("/")[1:]:
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, dict) else None
    return found is not None and (not heading or f"## {heading}\n" in str(found))


def _parts(source: str) -> list[str]:
    return [part for part in source.split("; ") if part]


def _numbered(part: str) -> bool:
    """Return whether the part names rulings and amendments, all of which are known."""
    found = _NUMBERED.fullmatch(part)
    return found is not None and set(re.findall(r"[APR]\d+b?", found[1])) <= set(rulings())


def _sources(node: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each `x-hype-source` below a node."""
    if isinstance(node, dict):
        for name, value in node.items():
            if name == "x-hype-source":
                yield at, value
            else:
                yield from _sources(value, f"{at}/{name}")
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from _sources(value, f"{at}/{index}")


def _of_level(level: Level) -> list[Requirement]:
    return [rule for rule in declared_requirements() if rule.level == level]


def test_each_documented_requirement_names_a_section_of_the_document() -> None:
    """The first source of a documented requirement is a section that the seed document has."""
    wrong = {rule.id: rule.source for rule in _of_level("documented") if not _is_section(_parts(rule.source)[0])}
    assert wrong == {}


def test_each_published_requirement_stands_in_the_specs() -> None:
    """A published requirement names a place in the specs, or a ruling that a place there names as its source."""
    ruled = {name for spec in SPECS.values() for _, source in _sources(spec) for name in clauses(source)}
    wrong = {
        rule.id: rule.source
        for rule in _of_level("published")
        if not any(map(_is_place, _parts(rule.source))) and not set(clauses(rule.source)) & ruled
    }
    assert wrong == {}


def test_every_source_of_a_requirement_exists() -> None:
    """Each part of a source is a section of the document, a place in the specs, known rulings, or a standard."""
    wrong = {
        f"{rule.id}: {part}"
        for rule in declared_requirements()
        for part in _parts(rule.source)
        if not (_is_section(part) or _is_place(part) or _numbered(part) or _STANDARD.match(part))
    }
    assert wrong == set()


@pytest.mark.parametrize("file", SPECS)
def test_every_source_in_the_specs_exists(file: str) -> None:
    """Each part of an `x-hype-source` is a section of the document, known rulings, or a standard."""
    wrong = {
        f"{at}: {part}"
        for at, source in _sources(SPECS[file])
        for part in _parts(source)
        if not (_is_section(part) or _numbered(part) or _STANDARD.match(part))
    }
    assert wrong == set()


@pytest.mark.parametrize(
    ("kind", "right", "wrong"),
    [
        (_is_section, "GET /auth/me › Ответ при ошибке (401)", "GET /auth/me › Ответ при ошибке (404)"),
        (_is_section, "Voice Events › new_producer", "Voice Events › old_producer"),
        (_is_place, "openapi.yaml#/paths/~1health/get", "openapi.yaml#/paths/~1nothing/get"),
        (_is_place, "asyncapi.yaml#/info/description › Frames", "asyncapi.yaml#/info/description › Nothing"),
        (_numbered, "rulings R1, R2 and A1b", "ruling R99"),
    ],
)
def test_a_source_that_does_not_exist_is_seen(kind: Callable[[str], bool], right: str, wrong: str) -> None:
    """A section, a place, a heading and a ruling that do not exist are no sources."""
    assert kind(right)
    assert not kind(wrong)
