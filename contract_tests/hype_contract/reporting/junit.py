"""The report as JUnit XML, which CI servers read: a test case per requirement, a test suite per area.

A `failure` or an `error` breaks a build, so only a requirement that counts for the verdict becomes one. A failed
recommendation, expected failure or extension is `skipped`, with its description in `system-out`. If the verdict is
`incomplete`, `unusable` or `interrupted`, a separate suite `verdict` carries it as an `error`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hype_contract.contract.areas import AREAS
from hype_contract.reporting.document import Document, edition_in
from hype_contract.reporting.entries import describe, headline

_NAME = "hype contract"


def render(document: Document) -> str:
    """Return the XML of a report.json document."""
    entries = {area: [entry for entry in document["requirements"] if entry["area"] == area] for area in AREAS}
    titles = {id: group["title"] for group in document["groups"] for id in (group["lead"], *group["others"])}
    suites = [_suite(document, area, some, titles) for area, some in entries.items() if some]
    if document["verdict"]["word"] in ("incomplete", "unusable", "interrupted"):
        suites.append(_verdict(document))
    root = Element("testsuites", name=_NAME)
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", _seconds(document["seconds"]))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(document: Document, area: str, entries: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Element:
    """Return the suite of an area. titles: id of a requirement → what its group of failures is called."""
    suite = _empty(document, area)
    for entry in entries:
        suite.append(_case(entry, titles.get(entry["id"], "")))
    return _counted(suite, sum(entry["seconds"] for entry in entries))


def _verdict(document: Document) -> Element:
    """Return the suite of a verdict that no single requirement explains."""
    verdict = document["verdict"]
    suite = _empty(document, "verdict")
    case = SubElement(suite, "testcase", classname="hype.verdict", name="verdict", time="0.000")
    message = f"{verdict['word']}: {'; '.join(verdict['reasons'])}"
    SubElement(case, "error", message=message, type=verdict["word"]).text = "\n".join(verdict["reasons"])
    return _counted(suite, 0.0)


def _empty(document: Document, name: str) -> Element:
    suite = Element("testsuite", name=f"hype.{name}")
    # The usual schema of JUnit allows no time zone in ISO 8601; this is UTC.
    suite.set("timestamp", document["began"].partition(".")[0])
    suite.set("hostname", "localhost")
    properties = SubElement(suite, "properties")
    for key, value in _properties(document).items():
        SubElement(properties, "property", name=key, value=str(value))
    return suite


def _properties(document: Document) -> dict[str, Any]:
    target, verdict = document["target"], document["verdict"]
    return {
        "target": target["baseUrl"],
        "gateway": target["wsUrl"],
        "profile": target["profile"] or "unknown",
        "seed": document["seed"],
        "mode": document["mode"],
        "harness": f"{document['harness']['name']} {document['harness']['version']}",
        "contract": edition_in(document),
        "verdict": verdict["word"],
        "levels": verdict["sentence"],
    }


def _counted(suite: Element, seconds: float) -> Element:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(seconds))
    return suite


def _case(entry: Mapping[str, Any], cause: str) -> Element:
    """Return the test case of a requirement. cause: what its group of failures is called."""
    case = Element("testcase", classname=f"hype.{entry['area']}.{entry['level']}", name=entry["id"])
    case.set("time", _seconds(entry["seconds"]))
    outcome = entry["outcome"]
    if outcome == "pass":
        return case
    description = "\n".join(describe(entry))
    if outcome in ("fail", "error") and entry["counts"]:
        tag = "failure" if outcome == "fail" else "error"
        SubElement(case, tag, message=_summary(entry, cause), type=outcome).text = description
        return case
    reason = (
        entry["message"]
        if outcome in ("skipped", "blocked")
        else f"{headline(entry).lower()}: {_summary(entry, cause)}"
    )
    SubElement(case, "skipped", message=reason)
    if outcome in ("fail", "error"):
        SubElement(case, "system-out").text = description
    return case


def _summary(entry: Mapping[str, Any], cause: str) -> str:
    """Return the cause, if the title does not name it, the rule that is broken, and how."""
    first = f"{cause}: " if cause not in ("", entry["title"]) else ""
    reason = entry["expectedFailure"]
    return " ".join(f"{first}{entry['title']}: {entry['message']}{f' ({reason})' if reason else ''}".split())


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
