"""The original backend where it differs from the document that describes it.

It breaks the contract, and the harness must say so once, and judge everything else all the same.
"""

from __future__ import annotations

from typing import Any, Final

from tests.mutants.changes import refusal
from tests.mutants.seams import Operation
from tests.strangers.deviations import Deviation

__all__ = ["ORIGINALS"]

_WANTED: Final = {"serverId", "createdById"}
_TYPES: Final = ("TEXT", "VOICE")


def _more_members(perform: Any, call: Any) -> Any:
    """Refuse a channel without the members that only this backend asks for, and a type in lower case."""
    if not call.body.keys() >= _WANTED or call.body["type"] not in _TYPES:
        raise refusal(400, "Invalid input")
    return perform(call)


ORIGINALS: Final = (
    Deviation(
        "original-channels",
        "It is not: its POST /api/channels wants serverId, createdById and an upper-case type.",
        (Operation("createChannel", _more_members),),
    ),
)
"""The deviations that were found when the original backend was judged."""
