"""The comparison of a run with an earlier one, by the report.json of that run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hype_contract.reporting.document import FORMAT, Document

_MOST_NAMED = 20
_BROKEN = ("fail", "error", "blocked")


class CannotCompare(Exception):
    """A file is no report to compare with; the text is a sentence for the person at the terminal."""


def read(path: Path) -> Document:
    """Return the report.json of an earlier run. Raises `CannotCompare`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["format"] != FORMAT or not isinstance(document["requirements"], list):
            raise ValueError(f"its format is {document['format']}, not {FORMAT}")
        _outcomes(document)
        made: Document = document
        return made
    except OSError as error:
        raise CannotCompare(f"--compare {path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CannotCompare(f"--compare {path} is no report.json of hype-contract ({error}).") from error


def changes(old: Document, new: Document) -> list[str]:
    """Return what has changed since the run `old`, in lines; the last line counts."""
    before, after = _outcomes(old), _outcomes(new)
    worse = [id for id in after if after[id] in _BROKEN and before.get(id) not in _BROKEN]
    better = [id for id in after if after[id] == "pass" and before.get(id) in _BROKEN]
    lines = [*_about(old, new)]
    lines += _named("fails now", worse, before)
    lines += _named("passes now", better, before)
    gone = sorted(set(before) - set(after))
    count = (
        f"{len(worse)} fail now, {len(better)} pass now, {len(set(after) - set(before))} are new, {len(gone)} are gone"
    )
    return [*lines, f"since {old['began']}: {count}"]


def _about(old: Document, new: Document) -> Iterator[str]:
    """Yield what else differs, so that a change may not be the target's."""
    if old.get("contract") != new["contract"]:
        version = (old.get("contract") or {}).get("version", "unknown")
        yield f"change: the contract is another edition: {version} before, {new['contract']['version']} now"
    for what, before, after in (
        ("profile", old["target"]["profile"], new["target"]["profile"]),
        ("mode", old["mode"], new["mode"]),
        ("areas", old["options"]["areas"], new["options"]["areas"]),
    ):
        if before != after:
            yield f"change: the {what} was {before}, and is {after}"


def _named(what: str, ids: list[str], before: Mapping[str, str]) -> list[str]:
    lines = [f"change: {id} {what} (before: {before.get(id, 'not judged')})" for id in ids[:_MOST_NAMED]]
    hidden = len(ids) - _MOST_NAMED
    return [*lines, f"change: and {hidden} more {what}"] if hidden > 0 else lines


def _outcomes(document: Document) -> dict[str, str]:
    """Return requirement id → outcome."""
    entries: list[dict[str, Any]] = document["requirements"]
    return {str(entry["id"]): str(entry["outcome"]) for entry in entries}
