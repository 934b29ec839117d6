"""The subject of a failure, without the names, ids and values of its case: failures that agree in it have one cause."""

from __future__ import annotations

import re
from typing import NamedTuple

from hype_contract.contract.specs import Pair
from hype_contract.running.results import CaseResult

_REQUEST = re.compile(r"\b(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /\S*")
_QUERY = re.compile(r"(\b[A-Z]{3,7} /[^\s?]*)\?\S*")
_NAMED = re.compile(r"^(?:the (?:next )?frame to )?[a-z]+(?:-[a-z]+)*(?:/\d+)?(?= to |, (?:a socket|which) )")
_VALUES = (
    (re.compile(r"\$[A-Z][A-Z0-9_]*|<a token>"), "TOKEN"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT[\d:.]+Z?"), "TIME"),
    (re.compile(r"\b(?:[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|c[a-z0-9]{20,30})\b"), "ID"),
    (re.compile(r"\b[\w-]{1,16}-[0-9a-f]{12}\b"), "NAME"),
)
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"|\b\d+(?:\.\d+)?\b")
# The value that a sentence of jsonschema begins with. `'topic' is a required property` begins with a member's name.
_WRONG_VALUE = re.compile(r"^.* (?=(?:is not|does not|is too|is blank|is invisible|is less|is greater|was expected)\b)")
FRAME_TYPE = re.compile(r"""["']type["']: ["'](\w+)["']""")
"""The type of a frame in a report."""

BOUND = re.compile(r"'s status for .* as (?P<member>\w+) \((?P<keyword>\S+)\) to be (?P<status>\d{3})$", re.DOTALL)
"""The expectation of a case about a value of a member, such as one at a bound."""

_REFUSED_AT_RANDOM = "positive_data_acceptance"
_PATH_OF_ISSUE = re.compile(r'"path": ?\["(\w+)"')
_LISTED = re.compile(r"^the (?:ids|contents|messages|stored messages)\b|\border\b")
_STRAY = " to hear nothing of a room that it is not in"
_EXTRA_FRAME = re.compile(
    r"^the next frame to | to get no | to hear no(?:thing)?\b| to hear \w+ (?:once|never|\{.*\} now)$"
    r"|^the (?:frames|events) .* to be \[\]$|^the (?:number of )?events that \S+ heard "
)
_OF_THE_MODEL = re.compile(r"^\S+ to hear (?P<due>[a-z_]+) \{.*\}(?P<now> now)?$", re.DOTALL)
_OF_A_SOCKET = re.compile(r"^\S+ to receive (?P<due>[a-z_]+)\b")
_AT_ONCE = re.compile(r"^the next frame to \S+ to be (?P<due>[a-z_]+)\b")
_IN_ITS_PLACE = re.compile(r"^next (?P<due>\w+), not ")
_FRAME_OF_THE_MODEL = re.compile(r"^(\w+) \{")
_STATUS = re.compile(r"^\d{3}\b")
_STATUS_DEMANDED = re.compile(r" to answer \d|'s status for .* to be \d{3}$")


class Difference(NamedTuple):
    """The breach (`what`), and the operation or event (`where`)."""

    where: str
    what: str


def difference_of(result: CaseResult) -> Difference:
    """Return the difference that a case has shown, which failed or was blocked."""
    return (
        _member(result)
        or _due(result)
        or Difference(_where(result.pair, result.expected), _what(result.expected or result.message, result.got))
    )


def _member(result: CaseResult) -> Difference | None:
    """Return the member whose values are judged otherwise than its schema says, in whichever operation."""
    if _REFUSED_AT_RANDOM in result.expected and (found := _PATH_OF_ISSUE.search(result.got)):
        return Difference(f"member {found[1]}", "refused")
    found = BOUND.search(result.expected)
    if found is None:
        return None
    refused = found["status"].startswith("2")
    return Difference(f"member {found['member']}", "refused" if refused else f"{found['keyword']} not refused")


def _due(result: CaseResult) -> Difference | None:
    """Return the event that was due, if it did not come, or if another one came in its place."""
    if found := _OF_A_SOCKET.match(result.expected):
        return never_came(found["due"])
    if found := _AT_ONCE.match(result.expected):
        return _out_of_turn(found["due"], FRAME_TYPE.search(result.got))
    if found := _OF_THE_MODEL.match(result.expected):
        instead = found["now"] is not None
        return (
            _out_of_turn(found["due"], _FRAME_OF_THE_MODEL.match(result.got)) if instead else never_came(found["due"])
        )
    return None


def never_came(event: str) -> Difference:
    """Return the difference of the cases that waited for an event in vain."""
    return Difference(f"event {event}", f"receive {event}")


def due_at_once(cause: tuple[object, ...]) -> str:
    """Return the event in whose place another one came, if this is such a difference; "" otherwise."""
    found = _IN_ITS_PLACE.match(str(cause[-1]))
    return found["due"] if found else ""


def _out_of_turn(due: str, came: re.Match[str] | None) -> Difference:
    return Difference(f"event {due}", f"next {due}, not {came[1] if came else 'it'}")


def is_about_order(result: CaseResult) -> bool:
    """Return whether the case compared a list, whose order is a part of it."""
    return bool(_LISTED.search(result.expected))


def wrong_status(result: CaseResult) -> Difference | None:
    """Return the operation and the status that came, if the case demanded another status; None otherwise."""
    status = _STATUS.search(result.got)
    if result.pair is None or status is None or not _STATUS_DEMANDED.search(result.expected):
        return None
    return Difference(_where(result.pair, result.expected), status[0])


def strays(result: CaseResult) -> bool:
    """Return whether a socket heard of a room that it was not in."""
    return result.expected.endswith(_STRAY)


def is_extra_frame(result: CaseResult) -> bool:
    """Return whether the case got a frame that it should not have got, or another one than the next one due."""
    return bool(_EXTRA_FRAME.search(result.expected)) and "nothing" not in result.got[:8]


def path_of(request: str) -> str:
    """Return a request without its query, and with words in place of ids: `GET /api/users/ID`."""
    return _plain(request.partition("?")[0])


def _where(pair: Pair | None, expected: str) -> str:
    if expected.endswith(_STRAY):
        return "audience"
    if pair is not None:
        return f"{pair.kind} {pair.name}"
    request = _REQUEST.search(expected)
    return path_of(request[0]) if request else ""


def _what(expected: str, got: str) -> str:
    expected = _QUERY.sub(r"\1", expected)
    if expected.startswith("the answer to "):
        return _problems(got.partition(": ")[2])
    if expected.startswith("the frame to "):
        return _problems(got.partition(": {")[0])
    request = _REQUEST.search(expected)
    if request and expected.startswith(request[0]):
        # The status that came says more than the words beside it, which name the case's own values.
        status = _STATUS.search(got)
        return f"{expected[request.end() :]}, not {status[0] if status else _plain(got)}"
    return _LITERAL.sub("…", _plain(_NAMED.sub("", expected)))


def _problems(sentences: str) -> str:
    return "; ".join(sorted({_problem(sentence) for sentence in sentences.split("; ")}))


def _problem(sentence: str) -> str:
    where, _, what = sentence.partition(": ")
    if not what:
        return _plain(sentence)
    return re.sub(r"\[\d+\]", "[]", where) + ": " + _WRONG_VALUE.sub("", _plain(what))


def _plain(text: str) -> str:
    """Return the text with a word in place of each value that another run would not have."""
    for pattern, word in _VALUES:
        text = pattern.sub(word, text)
    return text
