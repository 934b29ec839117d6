"""The JSON body of a request (rulings R4, R5 and R8).

`receive` takes the body off the wire. The operation's greenlet reads it, after authentication (ruling R10).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import falcon
import falcon.asgi

from hype import jsontext
from hype.errors import InvalidJson, UnsupportedMediaType
from hype.issues import MISSING
from hype.spec import Rule

__all__ = ["LIMIT_BYTES", "NONE", "Content", "read", "receive"]

LIMIT_BYTES: Final = 102_400
"""The largest body (ruling R8). `hype.http1` takes no larger one off the wire."""

_LONGEST_MEDIA_TYPE: Final = 255  # characters; the time of Falcon's parser grows with their square


@dataclass(frozen=True)
class Content:
    """A body as it was received.

    media_type, encoding: the headers Content-Type and Content-Encoding.
    """

    octets: bytes
    media_type: str
    encoding: str


NONE: Final = Content(b"", "", "")
"""The content of a request without a body."""


async def receive(request: falcon.asgi.Request) -> Content:
    """Receive the body."""
    content = await request.stream.read()
    encoding = request.get_header("Content-Encoding") or "identity"
    return Content(content, request.content_type or "", encoding)


def read(content: Content, rule: Rule) -> dict[str, Any]:
    """Return the value of a body that keeps `rule`.

    Raises UnsupportedMediaType, InvalidJson, or the error of `rule` for a value that breaks it, as a
    missing body does.
    """
    value = MISSING
    if content.octets:
        _expect_json(content)
        value = jsontext.parse(content.octets)
    try:
        failure = rule.failure(value)
    except RecursionError:
        # The parser takes some nesting that is too deep for the validator.
        raise InvalidJson from None
    if failure is not None:
        raise failure
    return value  # type: ignore[return-value]  # every body of the spec is an object


def _expect_json(content: Content) -> None:
    media_type, parameters = falcon.parse_header(content.media_type[: _LONGEST_MEDIA_TYPE + 1])
    charset = parameters.get("charset", "utf-8").lower()
    named = media_type.lower() == "application/json" and charset in {"utf-8", "utf8"}
    if not named or len(content.media_type) > _LONGEST_MEDIA_TYPE or content.encoding.lower() != "identity":
        raise UnsupportedMediaType
