"""The errors that Hype raises. Each class knows its HTTP status and its gateway code.

    Exception
    ├── HypeError                a refusal for a client; the class has the status, the raiser gives the text
    │   ├── BadRequest           400 invalid_message
    │   │   ├── ValidationFailed 400 invalid_message   "Validation failed" and its issues
    │   │   └── InvalidJson      400 invalid_json
    │   ├── NotAuthenticated     401 unauthenticated   always with `WWW-Authenticate: Bearer`
    │   ├── Forbidden            403 forbidden
    │   ├── NotFound             404 not_found
    │   ├── MethodNotAllowed     405 invalid_message
    │   ├── RequestTimeout       408 invalid_message
    │   ├── Conflict             409 invalid_message
    │   ├── PayloadTooLarge      413 invalid_message
    │   ├── UnsupportedMediaType 415 invalid_message
    │   ├── TooManyRequests      429 rate_limited      with `Retry-After`
    │   ├── HeadTooLarge         431 invalid_message
    │   ├── ClientGone           400 invalid_message   no client is left to read it
    │   ├── Unavailable          503 unavailable       with `Retry-After`
    │   │   └── QueueFull        503 unavailable       because clients ask for too much at once
    │   └── InternalError        500 internal
    └── StartError               a failed start; its text is a sentence for the person at the terminal
        ├── ConfigError          a variable has a wrong value
        ├── SpecMismatch         the specs and the code disagree
        ├── PortBusy             the server cannot listen on a port
        └── DatabaseUnusable     the database cannot be reached or opened

The default texts are those of rulings R6, R7, R8, A12 and A19.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class HypeError(Exception):
    """A refusal for a client, in the failure envelope (ruling R1) or in an `error` frame (ruling R33).

    error: the text, the class's own default when None. details: zod-shaped issues (ruling R5). headers: response
    headers beside the usual ones; the gateway ignores them.
    """

    status: ClassVar[int] = 500
    gateway_code: ClassVar[str] = "internal"
    default: ClassVar[str] = "Internal server error"

    def __init__(
        self,
        error: str | None = None,
        *,
        details: Sequence[Mapping[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.error = self.default if error is None else error
        self.details = None if details is None else [dict(issue) for issue in details]
        self.headers = dict(headers or {})
        super().__init__(self.error)

    @property
    def document(self) -> dict[str, Any]:
        """The failure envelope (ruling R1)."""
        document: dict[str, Any] = {"success": False, "error": self.error}
        if self.details is not None:
            document["details"] = self.details
        return document


class BadRequest(HypeError):
    """A well-formed request that the rules do not allow."""

    status = 400
    gateway_code = "invalid_message"
    default = "Bad request"


class ValidationFailed(BadRequest):
    """A request that breaks the spec's schema; `details` says where (ruling R5)."""

    default = "Validation failed"


class InvalidJson(BadRequest):
    """A body or a frame that is not JSON (ruling R8)."""

    gateway_code = "invalid_json"
    default = "Invalid JSON"


class NotAuthenticated(HypeError):
    """A request without a valid identity (ruling R7)."""

    status = 401
    gateway_code = "unauthenticated"
    default = "Not authenticated"

    def __init__(self, error: str | None = None) -> None:
        super().__init__(error, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(HypeError):
    """A request that its user may not make."""

    status = 403
    gateway_code = "forbidden"
    default = "Forbidden"


class NotFound(HypeError):
    """An unknown path, or the name of something that does not exist."""

    status = 404
    gateway_code = "not_found"
    default = "Not found"


class MethodNotAllowed(HypeError):
    """A known path with another method (ruling R8).

    allow: the methods of the path, in the order in which to list them.
    """

    status = 405
    gateway_code = "invalid_message"
    default = "Method not allowed"

    def __init__(self, error: str | None = None, *, allow: Sequence[str] = ()) -> None:
        super().__init__(error, headers={"Allow": ", ".join(allow)})


class RequestTimeout(HypeError):
    """A request whose head or body does not come in time (ruling A19)."""

    status = 408
    gateway_code = "invalid_message"
    default = "Request timeout"


class Conflict(HypeError):
    """A request that the present state does not allow."""

    status = 409
    gateway_code = "invalid_message"
    default = "Conflict"


class PayloadTooLarge(HypeError):
    """A body larger than ruling R8 allows."""

    status = 413
    gateway_code = "invalid_message"
    default = "Payload too large"


class UnsupportedMediaType(HypeError):
    """A body that is not `application/json` (ruling R8)."""

    status = 415
    gateway_code = "invalid_message"
    default = "Unsupported media type"


class TooManyRequests(HypeError):
    """A request over a limit (rulings P9 and R31).

    retry_after_s: seconds; the client gets them rounded up, at least 1.
    """

    status = 429
    gateway_code = "rate_limited"
    default = "Too many requests"

    def __init__(self, error: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(error, headers=_retry_after(retry_after_s))


class HeadTooLarge(HypeError):
    """A request whose head, or trailer, has more bytes or fields than amendment A13 allows."""

    status = 431
    gateway_code = "invalid_message"
    default = "Request header fields too large"


class Unavailable(HypeError):
    """A request that needs a part which does not answer in time: the database, Redis or a media worker (ruling A12).

    Whether the request has changed something is unknown. retry_after_s: as for `TooManyRequests`.
    """

    status = 503
    gateway_code = "unavailable"
    default = "Service unavailable"

    def __init__(self, error: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(error, headers=_retry_after(retry_after_s))


class QueueFull(Unavailable):
    """A request that would have to wait for too many others. The server works, so its log says nothing."""


class ClientGone(HypeError):
    """A request whose client has disconnected; nobody reads the answer, and nothing is stored."""

    status = 400
    gateway_code = "invalid_message"
    default = "The client has disconnected"


class InternalError(HypeError):
    """The server's own failure; the client learns no more than that."""


class StartError(Exception):
    """A failed start: a sentence for the person at the terminal, never a traceback."""


class ConfigError(StartError):
    """An environment variable with a value that Hype cannot take."""


class SpecMismatch(StartError):
    """Specs and code that disagree about what exists."""


class PortBusy(StartError):
    """A port on which Hype cannot listen."""


class DatabaseUnusable(StartError):
    """A database, named by DATABASE_URL, that cannot be reached or opened."""


def _retry_after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, math.ceil(seconds)))}
