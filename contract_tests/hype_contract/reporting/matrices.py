"""The matrices of the page: operation x status, event x direction, event x audience.

Each cell states its result in words, so that the page does not depend on colours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from hype_contract.requirements.audience import WHO

Cell = Mapping[str, Any]
"""A cell in report.json (see report.schema.json)."""

_KINDS = {"passed": "good", "failed": "bad", "exercised": "odd", "not exercised": "none"}
_STATES = {
    "passed": "✓ {seen}",
    "failed": "✗ wrong",
    "exercised": "seen {seen}",
    "not exercised": "not seen",
    "not implemented": "n/i",
    "exempt": "exempt",
}
_DELIVERIES = {
    ("passed", True): "✓ received",
    ("passed", False): "✓ not received",
    ("failed", True): "✗ not received",
    ("failed", False): "✗ received",
}
_AUDIENCES = {"sender": "sender", "room": "others in room", "outsider": "outsider", "after-leaving": "after leaving"}


class ShownCell(NamedTuple):
    """A cell as the page shows it. `kind`: its CSS class; `hint`: the tooltip, "" for none."""

    kind: str
    text: str
    hint: str = ""


class Column(NamedTuple):
    """A column. `detail`: of the cells in it."""

    detail: str
    heading: str


class Matrix(NamedTuple):
    """A table.

    `numbers`: the coverage in words. `spans`: headings over several columns, each with their number. `rows`: name → a
    cell per column, None where the contract has no such pair. `exemptions`: as report.json has them.
    """

    title: str
    numbers: str
    spans: Sequence[tuple[str, int]]
    columns: Sequence[Column]
    rows: Mapping[str, Sequence[ShownCell | None]]
    exemptions: Sequence[Mapping[str, Any]]


def matrices(coverage: Mapping[str, Any]) -> list[Matrix]:
    """Return the matrices of `coverage` (of report.json) that have cells."""
    statuses = sorted({cell["detail"] for cell in coverage["operations"]["cells"]})
    spans = [("after any cause", len(WHO)), ("after a client's frame of that name", len(WHO))]
    audiences = [Column(f"{direction} {who}", _AUDIENCES[who]) for direction in ("out", "in") for who in WHO]
    directions = [Column("out", "to client"), Column("in", "from client")]
    made = [
        _matrix(
            "Operations and statuses", coverage["operations"], [], [Column(code, code) for code in statuses], _by_state
        ),
        _matrix("Events and directions", coverage["events"], [], directions, _by_state),
        _matrix("Events and audiences", coverage["audiences"], spans, audiences, _by_delivery),
    ]
    return [matrix for matrix in made if matrix.rows]


def percentage(numbers: Mapping[str, Any]) -> str:
    """Return the coverage in words: `132 of 132 exercised (100 %), 31 exempt`."""
    required = numbers["total"] - numbers["exempt"]
    exempt = f", {numbers['exempt']} exempt" if numbers["exempt"] else ""
    return f"{numbers['exercised']} of {required} exercised ({numbers['percent']:g} %){exempt}"


def _matrix(
    title: str,
    data: Mapping[str, Any],
    spans: Sequence[tuple[str, int]],
    columns: Sequence[Column],
    text_of: Callable[[Cell], str],
) -> Matrix:
    extensions = data["extensions"]
    beside = f"; extensions: {percentage(extensions)}" if extensions["total"] else ""
    cells: dict[str, dict[str, Cell]] = {}
    for cell in data["cells"]:
        cells.setdefault(cell["name"], {})[cell["detail"]] = cell
    rows = {
        name: [_shown(row[column.detail], text_of) if column.detail in row else None for column in columns]
        for name, row in cells.items()
    }
    return Matrix(title, percentage(data) + beside, spans, columns, rows, data["exemptions"])


def _shown(cell: Cell, text_of: Callable[[Cell], str]) -> ShownCell:
    extension = " (x)" if cell["extension"] else ""
    hint = cell["reason"] or cell.get("requirement", "")
    return ShownCell(_KINDS.get(cell["state"], "grey"), text_of(cell) + extension, hint)


def _by_state(cell: Cell) -> str:
    return _STATES[cell["state"]].format(seen=cell["seen"])


def _by_delivery(cell: Cell) -> str:
    return _DELIVERIES.get((cell["state"], cell["receives"])) or _by_state(cell)
