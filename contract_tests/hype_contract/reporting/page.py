"""The page for people: the verdict first, then what failed, then the coverage, then every requirement.

It is a single file that loads nothing from the network, made of the same document as report.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hype_contract.contract.areas import AREAS
from hype_contract.reporting import templating
from hype_contract.reporting.closing import stale_note
from hype_contract.reporting.document import Document, edition_in
from hype_contract.reporting.entries import Entry, counted, headline, other_cases, tally
from hype_contract.reporting.matrices import matrices, percentage
from hype_contract.requirements.requirement import LEVELS
from hype_contract.running.results import OUTCOMES


class Finding(NamedTuple):
    """A thing that the page tells at one place: a cause, or an error. `shown`: the requirement whose case shows it."""

    title: str
    lead: Entry
    shown: Entry
    others: Sequence[Entry] = ()
    waiting: Sequence[Entry] = ()


class Section(NamedTuple):
    """Findings under one heading. `id`: of the section. `size`: how many there are, in words."""

    id: str
    title: str
    findings: Sequence[Finding]
    size: str
    remark: str = ""


def render(document: Document) -> str:
    """Return the page of a report.json document as HTML."""
    coverage = document["coverage"]
    return templating.fill(
        "page.html",
        document=document,
        target=document["target"],
        verdict=document["verdict"],
        requirements=document["requirements"],
        coverage=coverage,
        sections=_sections(document),
        matrices=matrices(coverage) if coverage else [],
        summary=_summary(document),
        answers=percentage(coverage["operations"]) if coverage and coverage["operations"]["cells"] else "",
        notes=_notes(document),
        settings=_settings(document),
        outcomes=OUTCOMES,
        levels=LEVELS,
        areas=AREAS,
        headline=headline,
        other_cases=other_cases,
        tally=tally,
    )


def _sections(document: Document) -> list[Section]:
    """Return the failures that count, by cause, then the errors that count, then what does not count."""
    entries: dict[str, Entry] = {entry["id"]: entry for entry in document["requirements"]}
    failures = [_finding(group, entries) for group in document["groups"] if group["counts"]]
    others = [_finding(group, entries) for group in document["groups"] if not group["counts"]]
    errors = [entry for entry in entries.values() if entry["outcome"] == "error"]
    others += [Finding(entry["title"], entry, entry) for entry in errors if not entry["counts"]]
    counted_errors = [Finding(entry["title"], entry, entry) for entry in errors if entry["counts"]]
    sections = [
        Section("failures", "What is wrong", failures, _size(failures)),
        Section(
            "errors",
            "Errors of the harness",
            counted_errors,
            str(len(counted_errors)),
            "The harness could not judge these requirements.",
        ),
        Section("reported", "Failures that do not count", others, _size(others), "They do not change the verdict."),
    ]
    return [section for section in sections if section.findings]


def _finding(group: Mapping[str, Any], entries: Mapping[str, Entry]) -> Finding:
    others, waiting = ([entries[id] for id in group[name]] for name in ("others", "waiting"))
    return Finding(group["title"], entries[group["lead"]], entries[group["shownBy"]], others, waiting)


def _size(findings: Sequence[Finding]) -> str:
    """Return how many causes and failed requirements there are: `3 causes, 68 failed requirements`."""
    failed = len(findings) + sum(len(finding.others) for finding in findings)
    return f"{counted(len(findings), 'cause')}, {counted(failed, 'failed requirement')}"


def _summary(document: Document) -> str:
    """Return the numbers of the run: `1253 requirements in 48 s, on 2026-11-30 at 05:06 UTC: 430 pass, 41 fail.`."""
    day, _, time = document["began"].partition("T")
    when = f"in {document['seconds']:.0f} s, on {day} at {time[:5]} UTC"
    outcomes = tally(Counter(entry["outcome"] for entry in document["requirements"]))
    if not outcomes:
        return f"No requirement was judged, {when}."
    return f"{len(document['requirements'])} requirements {when}: {outcomes}."


def _notes(document: Document) -> list[str]:
    return [
        *map(stale_note, document["stale"]),
        *dict.fromkeys(document["target"]["lacking"].values()),
        *document["verdict"]["notes"],
    ]


def _settings(document: Document) -> dict[str, Any]:
    """Return what the run was asked for, by name."""
    target, options, harness = document["target"], document["options"], document["harness"]
    secrets = [name for name in ("jwtAccessSecretGiven", "jwtRefreshSecretGiven") if options[name]]
    why = f" ({target['why']})" if target["why"] else ""
    return {
        "Profile": (target["profile"] or "unknown") + why,
        "Areas": ", ".join(options["areas"]),
        "Requirements": f"ids that begin with {', '.join(options['only'])}" if options["only"] else "all",
        "Extensions": "count for the verdict" if options["extensions"] else "are reported only",
        "Mode": document["mode"],
        "Seed": document["seed"],
        "Secrets of the target": f"{len(secrets)} of 2 given",
        "Expected failures": len(options["expectedFailures"]),
        "Harness": f"{harness['name']} {harness['version']}",
        "Contract": edition_in(document),
    }
