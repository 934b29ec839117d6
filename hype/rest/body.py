"""The JSON body of a request (rulings R4, R5 and R8)."""

from __future__ import annotations

from typing import Any

import falcon
import falcon.asgi

from hype import jsontext
from hype.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType
from hype.issues import MISSING
from hype.spec import Rule

__all__ = ["LIMIT_BYTES", "read"]

LIMIT_BYTES = 102_400
"""The largest body (ruling R8)."""


async def read(request: falcon.asgi.Request, rule: Rule) -> dict[str, Any]:
    """The body, which keeps `rule`.

    Raises PayloadTooLarge, UnsupportedMediaType, InvalidJson, or what `rule` makes of a value that breaks it; a missing
    body breaks it too.
    """
    content = await _content(request)
    value = MISSING
    if content:
        _expect_json(request)
        value = jsontext.parse(content)
    try:
        failure = rule.failure(value)
    except RecursionError:
        # Nesting that the parser's stack just took can still be too deep for the validator's.
        raise InvalidJson from None
    if failure is not None:
        raise failure
    return value  # type: ignore[return-value]  # every body of the spec is an object


async def _content(request: falcon.asgi.Request) -> bytes:
    """At most one byte over the limit is kept; uvicorn throws the rest away once the answer is out."""
    content = await request.stream.read(LIMIT_BYTES + 1)
    if len(content) > LIMIT_BYTES:
        raise PayloadTooLarge
    return content


def _expect_json(request: falcon.asgi.Request) -> None:
    media_type, parameters = falcon.parse_header(request.content_type or "")
    charset = parameters.get("charset", "utf-8").lower()
    encoding = (request.get_header("Content-Encoding") or "identity").lower()
    if media_type.lower() != "application/json" or charset not in {"utf-8", "utf8"} or encoding != "identity":
        raise UnsupportedMediaType
