"""What the page says of single requirements: those that are not kept, each with all it takes to act on it, and all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hype_contract.contract.areas import AREAS
from hype_contract.reporting.failure import headline
from hype_contract.reporting.markup import Html, el, join
from hype_contract.requirements.requirement import LEVELS
from hype_contract.running.results import OUTCOMES

Entry = Mapping[str, Any]

_MARKS = {"pass": "✓", "fail": "✗", "error": "!", "skipped": "–", "unsupported": "∅"}


def broken(entries: Sequence[Entry]) -> Html:
    """Failures that count, then what the harness could not judge, then what is only reported."""
    counting = [one for one in entries if one["outcome"] == "fail" and one["counts"]]
    errors = [one for one in entries if one["outcome"] == "error" and one["counts"]]
    reported = [one for one in entries if one["outcome"] in ("fail", "error") and not one["counts"]]
    return join(
        _group(f"Broken rules ({len(counting)})", "failures", counting),
        _group(f"Could not be judged ({len(errors)})", "errors", errors),
        _group(f"Reported only ({len(reported)})", "reported", reported, "These do not count for the verdict."),
    )


def _group(title: str, id: str, entries: Sequence[Entry], remark: str | None = None) -> Html | None:
    if not entries:
        return None
    told = [_finding(one, first=number == 0) for number, one in enumerate(entries)]
    index = [el("li", el("a", one["title"], href=f"#finding-{one['id']}")) for one in entries]
    return el(
        "section",
        el("h2", title),
        el("p", remark, class_="note") if remark else None,
        el("ul", *index, class_="index") if len(entries) > 1 else None,
        *told,
        id=id,
    )


def _finding(entry: Entry, *, first: bool) -> Html:
    chips = [el("span", text, class_="chip") for text in (entry["level"], entry["area"], entry["strength"])]
    reason = entry["expectedFailure"]
    return el(
        "article",
        el("header", el("span", headline(entry).capitalize(), class_="word"), el("code", entry["id"]), *chips),
        el("h3", entry["title"]),
        el("p", f"Expected failure: {reason or 'no reason given'}", class_="note") if reason is not None else None,
        _said(entry),
        _clauses(entry),
        _again(entry, first=first),
        class_=f"finding {entry['outcome']} {'' if entry['counts'] else 'mild'}",
        id=f"finding-{entry['id']}",
    )


def _said(entry: Entry) -> Html:
    case = entry["cases"][0] if entry["cases"] else {}
    if not case.get("expected"):
        return el("p", entry["message"], class_="message")
    pairs = [(el("dt", "Expected"), el("dd", case["expected"])), (el("dt", "Got"), el("dd", case["got"], class_="got"))]
    return el("dl", *(join(*pair) for pair in pairs))


def _clauses(entry: Entry) -> Html:
    texts = [el("blockquote", el("strong", name), " ", _prose(text)) for name, text in entry["clauses"].items()]
    return join(el("p", f"Rule: {entry['source']}", class_="source"), *texts)


def _prose(text: str) -> Html:
    """Text with `code` in backticks."""
    return join(*(el("code", part) if number % 2 else part for number, part in enumerate(text.split("`"))))


def _again(entry: Entry, *, first: bool) -> Html | None:
    if not entry["reproduce"]:
        return None
    others = [case["name"] for case in entry["cases"][1:] if case["outcome"] == entry["outcome"]]
    script = "\n".join(entry["cases"][0]["script"])
    return join(
        el("p", f"Also in: {', '.join(others)}", class_="source") if others else None,
        el("p", "See it again:", class_="again"),
        _copyable(entry["reproduce"], f"command for {entry['id']}"),
        el(
            "details",
            el("summary", "What was sent, and what came"),
            _copyable(script, f"script for {entry['id']}"),
            open="" if first else None,
        )
        if script
        else None,
    )


def _copyable(text: str, what: str) -> Html:
    copy = el("button", "Copy", type="button", class_="copy", aria_label=f"Copy the {what}")
    return el("div", el("pre", text, tabindex="0"), copy, class_="copyable")


def everything(entries: Sequence[Entry]) -> Html:
    """A table of all requirements, with filters that work when scripts may run."""
    head = [el("th", text, scope="col") for text in ("Outcome", "Requirement", "Level", "Area", "Time")]
    return el(
        "section",
        el("h2", f"All requirements ({len(entries)})"),
        el(
            "form",
            el("label", "Find ", el("input", type="search", id="text", placeholder="id, rule or source")),
            _choice("Outcome", "outcome", OUTCOMES),
            _choice("Level", "level", LEVELS),
            _choice("Area", "area", AREAS),
            el("output", f"{len(entries)} shown", id="shown"),
            class_="filters",
            hidden="",
        ),
        el(
            "div",
            el("table", el("thead", el("tr", *head)), el("tbody", *map(_row, entries)), class_="all", id="all"),
            class_="scroll",
            tabindex="0",
            role="region",
            aria_label="All requirements",
        ),
        id="requirements",
    )


def _choice(label: str, name: str, values: Sequence[str]) -> Html:
    options = [el("option", "all", value=""), *(el("option", value, value=value) for value in values)]
    return el("label", f"{label} ", el("select", *options, name=name))


def _row(entry: Entry) -> Html:
    outcome = entry["outcome"]
    why = el("div", entry["message"], class_="why") if outcome != "pass" and entry["message"] else None
    return el(
        "tr",
        el("td", f"{_MARKS[outcome]} {headline(entry).lower()}", class_=f"outcome {outcome}"),
        el("td", el("code", entry["id"]), el("div", entry["title"]), why, el("div", entry["source"], class_="source")),
        el("td", entry["level"] + (" (should)" if entry["strength"] == "should" else "")),
        el("td", entry["area"]),
        el("td", f"{entry['seconds']:.1f} s" if entry["seconds"] else "", class_="time"),
        data_outcome=outcome,
        data_level=entry["level"],
        data_area=entry["area"],
    )
