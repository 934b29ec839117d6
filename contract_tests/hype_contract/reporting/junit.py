"""JUnit XML, which CI servers read: a test case per requirement, a test suite per area.

A build is broken by `failure` and `error` alone, so only what counts for the verdict is one. A recommendation, an
expected failure or an extension that is not kept is `skipped`, with the whole story in `system-out`. Where nothing
failed and yet the verdict is not `conforms` (incomplete, unusable), a suite of its own carries that as an `error`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from hype_contract.contract.areas import AREAS
from hype_contract.reporting.document import Document
from hype_contract.reporting.failure import headline, lines

_NAME = "hype contract"


def render(document: Document) -> str:
    """The XML of a report.json document."""
    cases = {area: [one for one in document["requirements"] if one["area"] == area] for area in AREAS}
    suites = [_suite(document, area, some) for area, some in cases.items() if some]
    if document["verdict"]["word"] in ("incomplete", "unusable"):
        suites.append(_verdict(document))
    root = Element("testsuites", name=_NAME)
    root.extend(suites)
    for count in ("tests", "failures", "errors", "skipped"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.set("time", _seconds(document["seconds"]))
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _suite(document: Document, area: str, entries: Sequence[Mapping[str, Any]]) -> Element:
    suite = _empty(document, area)
    for entry in entries:
        suite.append(_case(entry))
    return _counted(suite, sum(entry["seconds"] for entry in entries))


def _verdict(document: Document) -> Element:
    """What no single requirement says: that too little was seen, or nothing."""
    verdict = document["verdict"]
    suite = _empty(document, "verdict")
    case = SubElement(suite, "testcase", classname="hype.verdict", name="verdict", time="0.000")
    text = "; ".join(verdict["reasons"])
    SubElement(case, "error", message=f"{verdict['word']}: {text}", type=verdict["word"]).text = "\n".join(
        verdict["reasons"]
    )
    return _counted(suite, 0.0)


def _empty(document: Document, name: str) -> Element:
    suite = Element("testsuite", name=f"hype.{name}")
    # ISO 8601 without a zone, as the usual schema wants it; it is UTC.
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
        "verdict": verdict["word"],
    }


def _counted(suite: Element, seconds: float) -> Element:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        suite.set(attribute, str(sum(case.find(tag) is not None for case in cases)))
    suite.set("time", _seconds(seconds))
    return suite


def _case(entry: Mapping[str, Any]) -> Element:
    case = Element("testcase", classname=f"hype.{entry['area']}.{entry['level']}", name=entry["id"])
    case.set("time", _seconds(entry["seconds"]))
    outcome = entry["outcome"]
    if outcome == "pass":
        return case
    story = "\n".join(lines(entry))
    if outcome in ("fail", "error") and entry["counts"]:
        tag = "failure" if outcome == "fail" else "error"
        SubElement(case, tag, message=_in_a_line(entry), type=outcome).text = story
        return case
    why = entry["message"] if outcome == "skipped" else f"{headline(entry).lower()}: {_in_a_line(entry)}"
    SubElement(case, "skipped", message=why)
    if outcome in ("fail", "error"):
        SubElement(case, "system-out").text = story
    return case


def _in_a_line(entry: Mapping[str, Any]) -> str:
    reason = entry["expectedFailure"]
    return " ".join(f"{entry['title']}: {entry['message']}{f' ({reason})' if reason else ''}".split())


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
