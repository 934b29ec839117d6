"""The operations of the API: one plain function per `operationId`, named like it in snake case.

An operation takes a `Call` (a request that is already validated), raises an error of `hype.errors` or returns an
`Answer`. It is synchronous and runs in a greenlet on the event loop's thread, as one unit of work of the database: its
first write begins a transaction, its return commits it, an error undoes it. What waits for other things (a password's
hash, a media worker) comes before the first write. REST and gateway both call operations through `perform` or
`perform_as`, so a rule holds on both sides or on neither.
"""

from hype.operations.call import Answer, Call, Function, Services, ok
from hype.operations.media import Announcer, Media
from hype.operations.performing import perform, perform_as
from hype.operations.quota import Quota
from hype.operations.registry import by_operation_id

__all__ = [
    "Announcer",
    "Answer",
    "Call",
    "Function",
    "Media",
    "Quota",
    "Services",
    "by_operation_id",
    "ok",
    "perform",
    "perform_as",
]
