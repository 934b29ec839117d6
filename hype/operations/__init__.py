"""The operations of the API: one plain function per `operationId`, named like it in snake case.

An operation takes a `Call` (a request that is already validated), raises an error of `hype.errors` or returns an
`Answer`. It is synchronous and runs in a worker thread, inside one database transaction, unless it is marked
`@manages_transactions`. REST and gateway both call operations through `perform` or `perform_as`, so a rule holds on
both sides or on neither.
"""

from hype.operations.call import Answer, Call, Function, Services, manages_transactions, ok
from hype.operations.media import Announcer, MediaBridge
from hype.operations.performing import perform, perform_as
from hype.operations.registry import by_operation_id

__all__ = [
    "Announcer",
    "Answer",
    "Call",
    "Function",
    "MediaBridge",
    "Services",
    "by_operation_id",
    "manages_transactions",
    "ok",
    "perform",
    "perform_as",
]
