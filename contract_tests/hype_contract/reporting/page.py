"""The page for people: the verdict first, then what failed, then the coverage, then every requirement.

It is a single file that loads nothing from the network, made of the same document as report.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from hype_contract.contract.areas import AREAS
from hype_contract.reporting import templating
from hype_contract.reporting.closing import stale_note
from hype_contract.reporting.document import Document
from hype_contract.reporting.entries import Entry, headline, tally
from hype_contract.reporting.matrices import matrices, percentage
from hype_contract.requirements.requirement import LEVELS
from hype_contract.running.results import OUTCOMES


class Group(NamedTuple):
    """Requirements that failed, under one heading. `id`: of the section."""

    id: str
    title: str
    entries: Sequence[Entry]
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
        groups=_groups(document["requirements"]),
        matrices=matrices(coverage) if coverage else [],
        summary=_summary(document),
        answers=percentage(coverage["operations"]) if coverage and coverage["operations"]["cells"] else "",
        notes=_notes(document),
        settings=_settings(document),
        outcomes=OUTCOMES,
        levels=LEVELS,
        areas=AREAS,
        headline=headline,
        tally=tally,
    )


def _groups(entries: Sequence[Entry]) -> list[Group]:
    """Return the failures that count, then the errors that count, then what does not count for the verdict."""
    failures = [entry for entry in entries if entry["outcome"] == "fail" and entry["counts"]]
    errors = [entry for entry in entries if entry["outcome"] == "error" and entry["counts"]]
    others = [entry for entry in entries if entry["outcome"] in ("fail", "error") and not entry["counts"]]
    groups = [
        Group("failures", "Failed requirements", failures),
        Group("errors", "Errors of the harness", errors, "The harness could not judge these requirements."),
        Group("reported", "Failures that do not count", others, "They do not change the verdict."),
    ]
    return [group for group in groups if group.entries]


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
    }
