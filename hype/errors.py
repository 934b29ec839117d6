"""Everything that Hype itself raises. Each class knows its HTTP status and its gateway code.

    Exception
    ├── HypeError                what a client is told; the status stands here, the text where it is raised
    │   ├── BadRequest           400 invalid_message
    │   │   ├── ValidationFailed 400 invalid_message   "Validation failed" and its issues
    │   │   └── InvalidJson      400 invalid_json
    │   ├── NotAuthenticated     401 unauthenticated   always with `WWW-Authenticate: Bearer`
    │   ├── Forbidden            403 forbidden
    │   ├── NotFound             404 not_found
    │   ├── MethodNotAllowed     405 invalid_message
    │   ├── Conflict             409 invalid_message
    │   ├── PayloadTooLarge      413 invalid_message
    │   ├── UnsupportedMediaType 415 invalid_message
    │   ├── TooManyRequests      429 rate_limited      with `Retry-After`
    │   └── InternalError        500 internal
    └── StartError               what stops the start; its text is a sentence for the person at the terminal
        ├── ConfigError          a variable has a wrong value
        ├── SpecMismatch         the specs and the code disagree
        ├── PortBusy             somebody else listens there
        └── DatabaseUnusable     the database cannot be reached or opened

The default texts are those of rulings R6, R7 and R8.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar


class HypeError(Exception):
    """A refusal that a client is told, in the failure envelope (ruling R1) or an `error` frame (ruling R33).

    error: the text, the class's own default when None. details: zod-shaped issues (ruling R5).
    headers: response headers beside the usual ones; the gateway ignores them.
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


class BadRequest(HypeError):
    """The request is well-formed but asks for what the rules do not allow."""

    status = 400
    gateway_code = "invalid_message"
    default = "Bad request"


class ValidationFailed(BadRequest):
    """The request breaks the spec's schema; `details` says where (ruling R5)."""

    default = "Validation failed"


class InvalidJson(BadRequest):
    """The body or the frame is not JSON (ruling R8)."""

    gateway_code = "invalid_json"
    default = "Invalid JSON"


class NotAuthenticated(HypeError):
    """Nobody knows who is asking (ruling R7)."""

    status = 401
    gateway_code = "unauthenticated"
    default = "Not authenticated"

    def __init__(self, error: str | None = None) -> None:
        super().__init__(error, headers={"WWW-Authenticate": "Bearer"})


class Forbidden(HypeError):
    """It is known who is asking, and they may not."""

    status = 403
    gateway_code = "forbidden"
    default = "Forbidden"


class NotFound(HypeError):
    """No such path, or the thing named is not there."""

    status = 404
    gateway_code = "not_found"
    default = "Not found"


class MethodNotAllowed(HypeError):
    """The path is known, with other methods: `allow`, in the order in which to list them (ruling R8)."""

    status = 405
    gateway_code = "invalid_message"
    default = "Method not allowed"

    def __init__(self, error: str | None = None, *, allow: Sequence[str] = ()) -> None:
        super().__init__(error, headers={"Allow": ", ".join(allow)})


class Conflict(HypeError):
    """The state of things does not allow it now."""

    status = 409
    gateway_code = "invalid_message"
    default = "Conflict"


class PayloadTooLarge(HypeError):
    """The body is larger than ruling R8 allows."""

    status = 413
    gateway_code = "invalid_message"
    default = "Payload too large"


class UnsupportedMediaType(HypeError):
    """The body is not `application/json` (ruling R8)."""

    status = 415
    gateway_code = "invalid_message"
    default = "Unsupported media type"


class TooManyRequests(HypeError):
    """A limit is used up (rulings P9 and R31). retry_after_s: seconds, told rounded up and at least 1."""

    status = 429
    gateway_code = "rate_limited"
    default = "Too many requests"

    def __init__(self, error: str | None = None, *, retry_after_s: float = 1.0) -> None:
        super().__init__(error, headers={"Retry-After": str(max(1, math.ceil(retry_after_s)))})


class InternalError(HypeError):
    """Our fault; the client learns nothing but that."""


class StartError(Exception):
    """What stops the start: a sentence for the person at the terminal, never a traceback."""


class ConfigError(StartError):
    """An environment variable has a value that Hype cannot take."""


class SpecMismatch(StartError):
    """The specs and the code disagree about what exists."""


class PortBusy(StartError):
    """A port that Hype wants is taken."""


class DatabaseUnusable(StartError):
    """The database that DATABASE_URL names cannot be reached or opened."""
