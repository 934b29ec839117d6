"""The matrices of the page: operation x status, event x direction, event x audience. Each cell says its state in words,
too, for those who do not see its colour."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from hype_contract.reporting.markup import Html, el, join
from hype_contract.requirements.audience import WHO

Cell = Mapping[str, Any]
Columns = Mapping[str, Sequence[tuple[str, str]]]
"""Heading over a group ("": none) → the columns: a cell's `detail`, and the column's heading."""

_KINDS = {"passed": "good", "failed": "bad", "exercised": "odd", "not exercised": "none"}
_PAIRS = {
    "passed": "✓ {seen}",
    "failed": "✗ wrong",
    "exercised": "seen {seen}",
    "not exercised": "not seen",
    "not implemented": "n/a",
    "exempt": "exempt",
}
_HEARD = {
    ("passed", True): "✓ hears it",
    ("passed", False): "✓ kept out",
    ("failed", True): "✗ misses it",
    ("failed", False): "✗ overhears",
}
_CALLED = {"sender": "sender", "room": "others in room", "outsider": "outsider", "after-leaving": "after leaving"}
_AUDIENCES: Columns = {
    "the event, however it comes about": [(f"out {who}", _CALLED[who]) for who in WHO],
    "what comes of a client's own frame": [(f"in {who}", _CALLED[who]) for who in WHO],
}
_LEGEND = (
    "✓ n: seen n times, and right. ✗: seen, and wrong. seen: only in cases that did not pass. not seen: nothing made "
    "the target show it. n/a: not implemented. exempt: nobody need show it. (x): extension."
)


def matrices(coverage: Mapping[str, Any]) -> Html:
    """All three, with their numbers; a matrix without cells is left out."""
    operations, events, audiences = coverage["operations"], coverage["events"], coverage["audiences"]
    statuses = sorted({cell["detail"] for cell in operations["cells"]})
    doubt = "Only some requirements were judged, so much of this was not asked for." if coverage["partial"] else None
    return join(
        el("p", doubt, class_="note") if doubt else None,
        _section("Operations and statuses", operations, {"": [(one, one) for one in statuses]}, _pair),
        _section("Events and directions", events, {"": [("out", "to client"), ("in", "from client")]}, _pair),
        _section("Events and audiences", audiences, _AUDIENCES, _heard),
        el("p", _LEGEND, class_="legend"),
    )


def percentage(numbers: Mapping[str, Any]) -> str:
    """`132 of 132 exercised (100 %), 31 exempt`."""
    wanted = numbers["total"] - numbers["exempt"]
    exempt = f", {numbers['exempt']} exempt" if numbers["exempt"] else ""
    return f"{numbers['exercised']} of {wanted} exercised ({numbers['percent']:g} %){exempt}"


def _section(
    title: str, matrix: Mapping[str, Any], columns: Columns, show: Callable[[Cell], tuple[str, str]]
) -> Html | None:
    if not matrix["cells"]:
        return None
    extensions = matrix["extensions"]
    beside = f"; extensions: {percentage(extensions)}" if extensions["total"] else ""
    table = _table(title, matrix["cells"], columns, show)
    return el(
        "section",
        el("h3", title),
        el("p", percentage(matrix) + beside, class_="numbers"),
        el("div", table, class_="scroll", tabindex="0", role="region", aria_label=title),
        _exemptions(matrix["exemptions"]),
    )


def _table(title: str, cells: Sequence[Cell], columns: Columns, show: Callable[[Cell], tuple[str, str]]) -> Html:
    rows: dict[str, dict[str, Cell]] = {}
    for cell in cells:
        rows.setdefault(cell["name"], {})[cell["detail"]] = cell
    every = [column for group in columns.values() for column in group]
    body = [
        el("tr", el("th", name, scope="row"), *(_cell(row.get(column), show) for column, _ in every))
        for name, row in rows.items()
    ]
    caption = el("caption", title, class_="hidden")
    return el("table", caption, el("thead", *_head(columns)), el("tbody", *body), class_="matrix")


def _head(columns: Columns) -> Iterable[Html]:
    groups = [el("th", name, scope="colgroup", colspan=str(len(group))) for name, group in columns.items() if name]
    if groups:
        yield el("tr", el("td"), *groups)
    yield el("tr", el("td"), *(el("th", text, scope="col") for group in columns.values() for _, text in group))


def _cell(cell: Cell | None, show: Callable[[Cell], tuple[str, str]]) -> Html:
    if cell is None:
        return el("td")
    kind, text = show(cell)
    mark = " (x)" if cell["extension"] else ""
    return el("td", text + mark, class_=kind, title=cell["reason"] or cell.get("requirement"))


def _pair(cell: Cell) -> tuple[str, str]:
    state = cell["state"]
    return _KINDS.get(state, "grey"), _PAIRS[state].format(seen=cell["seen"])


def _heard(cell: Cell) -> tuple[str, str]:
    state = cell["state"]
    return _KINDS.get(state, "grey"), _HEARD.get((state, cell["receives"]), _PAIRS[state].format(seen=cell["seen"]))


def _exemptions(exemptions: Sequence[Mapping[str, Any]]) -> Html | None:
    if not exemptions:
        return None
    items = [
        el("li", el("strong", f"{one['count']}: {one['reason']}"), f": {', '.join(one['pairs'])}") for one in exemptions
    ]
    return el("details", el("summary", "Exemptions and their reasons"), el("ul", *items))
