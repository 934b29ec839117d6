"""One page for people: the verdict in a word first, then what is broken, then what was seen, then everything.

A single file that asks the network for nothing. It is made of the same document as report.json.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hype_contract.reporting.document import Document
from hype_contract.reporting.findings import broken, everything
from hype_contract.reporting.markup import Html, el, join
from hype_contract.reporting.matrices import matrices, percentage
from hype_contract.running.results import OUTCOMES

_MARKS = {"conforms": "✓", "does not conform": "✗", "incomplete": "…", "unusable": "?"}
_SENTENCES = {
    "conforms": "This server keeps every rule that it was judged by.",
    "does not conform": "This server breaks rules of the contract. Each is listed below, with a way to see it again.",
    "incomplete": "Nothing that counts is broken, but too little was seen to say that this server conforms.",
    "unusable": "The server could not be judged at all.",
}
_LEVELS = {
    "documented": "what the document says works today",
    "hardened": "what it plans: revocation, limits, ownership",
    "extension": "beyond the document; nobody must offer it",
}
_NO_NETWORK = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def render(document: Document) -> str:
    """The page of a report.json document."""
    verdict, coverage = document["verdict"], document["coverage"]
    title = f"{verdict['word']}: {document['target']['baseUrl']}, Hype contract"
    body = join(
        el("header", _verdict(document), class_=f"top {_kind(verdict['word'])}"),
        el(
            "main",
            _parts(verdict),
            _list("Why", "reasons", verdict["reasons"]),
            broken(document["requirements"]),
            _list("Notes", "notes", _notes(document)),
            el("section", el("h2", "What was seen"), matrices(coverage), id="coverage") if coverage else None,
            everything(document["requirements"]) if document["requirements"] else None,
            _basis(document),
        ),
        el("script", Html(_beside("page.js"))),
    )
    head = join(
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("meta", http_equiv="Content-Security-Policy", content=_NO_NETWORK),
        el("title", title),
        el("style", Html(_beside("page.css"))),
    )
    return f"<!doctype html>\n{el('html', el('head', head), el('body', body), lang='en')}\n"


def _verdict(document: Document) -> Html:
    target, verdict = document["target"], document["verdict"]
    coverage = document["coverage"]
    contract = f"{target['profile']} contract" if target["profile"] else "contract"
    return join(
        el("p", f"Hype, the {contract}", class_="eyebrow"),
        el("h1", el("span", _MARKS[verdict["word"]], class_="mark", aria_hidden="true"), verdict["word"].capitalize()),
        el("p", _SENTENCES[verdict["word"]], class_="sentence"),
        el("p", el("code", target["baseUrl"]), " ", el("code", target["wsUrl"]) if target["wsUrl"] else None),
        el(
            "p",
            f"{_counts(document)} in {document['seconds']:.0f} s on {_date(document)}",
            f". Answers: {percentage(coverage['operations'])}."
            if coverage and coverage["operations"]["cells"]
            else ".",
        ),
    )


def _counts(document: Document) -> str:
    """`1152 requirements: 1113 pass, 39 skipped,`."""
    outcomes = Counter(one["outcome"] for one in document["requirements"])
    told = ", ".join(f"{outcomes[one]} {one}" for one in OUTCOMES if outcomes[one])
    return f"{len(document['requirements'])} requirements: {told}," if told else "No requirement was judged,"


def _date(document: Document) -> str:
    day, _, time = document["began"].partition("T")
    return f"{day} at {time[:5]} UTC"


def _parts(verdict: Mapping[str, Any]) -> Html | None:
    if not verdict["levels"]:
        return None
    return el(
        "section",
        el("h2", "By level and area"),
        el("div", *(_card(name, part, _LEVELS[name]) for name, part in verdict["levels"].items()), class_="cards"),
        el("div", *(_card(name, part, None) for name, part in verdict["areas"].items()), class_="cards small"),
        id="parts",
    )


def _card(name: str, part: Mapping[str, Any], about: str | None) -> Html:
    word, counts = part["word"], part["counts"]
    bar = [el("span", class_=outcome, style=f"flex:{counts[outcome]}") for outcome in OUTCOMES if counts[outcome]]
    return el(
        "div",
        el("h3", name),
        el("p", about, class_="about") if about else None,
        el("p", f"{_MARKS[word]} {word}", class_="word"),
        el("div", *bar, class_="bar", aria_hidden="true"),
        el("p", ", ".join(f"{counts[one]} {one}" for one in OUTCOMES if counts[one]), class_="numbers"),
        class_=f"card {_kind(word)}",
    )


def _notes(document: Document) -> list[str]:
    return [
        *(f"{id} passed although it was expected to fail: take it off the list" for id in document["stale"]),
        *dict.fromkeys(document["target"]["lacking"].values()),
        *document["verdict"]["notes"],
    ]


def _list(title: str, id: str, sentences: Sequence[str]) -> Html | None:
    if not sentences:
        return None
    return el("section", el("h2", title), el("ul", *(el("li", one) for one in sentences)), id=id)


def _basis(document: Document) -> Html:
    target, asked, harness = document["target"], document["options"], document["harness"]
    given = [name for name in ("jwtAccessSecretGiven", "jwtRefreshSecretGiven") if asked[name]]
    why = f" ({target['why']})" if target["why"] else ""
    facts = {
        "Profile": (target["profile"] or "unknown") + why,
        "Areas": ", ".join(asked["areas"]),
        "Requirements": "all" if not asked["only"] else f"ids that begin with {', '.join(asked['only'])}",
        "Extensions": "count for the verdict" if asked["extensions"] else "reported only",
        "Mode": document["mode"],
        "Seed": str(document["seed"]),
        "Target's secrets": f"{len(given)} of 2 given: "
        + ("expiry and forged claims were judged" if given else "none"),
        "Expected failures": str(len(asked["expectedFailures"])),
        "Harness": f"{harness['name']} {harness['version']}",
    }
    rows = [join(el("dt", name), el("dd", fact)) for name, fact in facts.items()]
    return el("section", el("h2", "How it was judged"), el("dl", *rows, class_="facts"), id="basis")


def _kind(word: str) -> str:
    return {"conforms": "good", "does not conform": "bad", "incomplete": "odd"}.get(word, "grey")


def _beside(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
