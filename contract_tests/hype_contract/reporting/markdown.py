"""The report as Markdown, for the summary of a CI job: the verdict, the levels, and the failures by cause."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hype_contract.reporting.document import Document
from hype_contract.reporting.entries import tally

_MOST_GROUPS = 20
_MOST_NAMED = 10
_SIGNS = {"conforms": "\u2705", "does not conform": "\u274c"}


def render(document: Document) -> str:
    """Return the text of the file."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Document) -> Iterator[str]:
    verdict, target, contract = document["verdict"], document["target"], document["contract"]
    yield f"## {_SIGNS.get(verdict['word'], chr(0x26A0))} Hype contract: {verdict['word']}"
    yield ""
    profile = target["profile"] or "unknown"
    edition = f"contract {contract['version']} (`{contract['digest'][:12]}`)"
    yield f"{_code(target['baseUrl'])}, {profile} profile, {edition}, seed {document['seed']}, mode {document['mode']}"
    yield ""
    if sentence := verdict["sentence"]:
        yield from (f"{sentence[0].upper()}{sentence[1:]}.", "")
    yield from (f"- {_text(reason)}" for reason in verdict["reasons"])
    if verdict["levels"]:
        yield from ("", "| level | verdict | requirements |", "|---|---|---|")
    for level, part in verdict["levels"].items():
        yield f"| {level} | {part['word']} | {tally(part['counts'])} |"
    yield from _groups(document)


def _groups(document: Document) -> Iterator[str]:
    """Yield the causes of the failures, those that count for the verdict first."""
    entries = {entry["id"]: entry for entry in document["requirements"]}
    groups = sorted(document["groups"], key=lambda group: not group["counts"])
    if groups:
        yield from ("", "### Causes", "")
    for group in groups[:_MOST_GROUPS]:
        yield from _group(group, entries)
    if len(groups) > _MOST_GROUPS:
        yield f"… and {len(groups) - _MOST_GROUPS} more causes: see the other reports."


def _group(group: dict[str, Any], entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    lead, shown = entries[group["lead"]], entries[group["shownBy"]]
    aside = "" if group["counts"] else " (does not count)"
    yield f"- **{_code(lead['id'])}**{aside} {_text(group['title'])}"
    if group["title"] != lead["title"]:
        yield f"  - rule: {_text(lead['title'])}"
    if shown["cases"]:
        case = shown["cases"][0]
        yield f"  - expected: {_text(case['expected'] or case['message'])}"
        if case["got"]:
            yield f"  - got: {_text(case['got'])}"
    for word, ids in (("the same", group["others"]), ("wait for it", group["waiting"])):
        if ids:
            more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
            yield f"  - {word}: {', '.join(map(_code, ids[:_MOST_NAMED]))}{more}"
    yield f"  - again: {_code(shown['reproduce'])}"


def _code(text: str) -> str:
    """Return a text of one line as code. No text of a target can end it."""
    return "`" + text.replace("`", "'").replace("\n", " ") + "`"


def _text(text: str, longest: int = 300) -> str:
    """Return a text of a target as code, cut to `longest` characters."""
    return _code(text if len(text) <= longest else text[:longest] + "…")
