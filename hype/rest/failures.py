"""The renderer of failures: every error becomes ruling R1's envelope (rulings R6 and R8)."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import falcon
import falcon.asgi
from falcon.constants import COMBINED_METHODS

from hype import jsontext
from hype.errors import BadRequest, HypeError, InternalError, MethodNotAllowed, NotFound

__all__ = ["add_failure_handlers"]

_log = logging.getLogger(__name__)


def add_failure_handlers(app: falcon.asgi.App[Any, Any], methods: Mapping[str, Sequence[str]]) -> None:
    """Make `app` answer every failure in the failure envelope, Falcon's own refusals included.

    methods: the methods that each path allows, for ruling R8's `Allow`.
    """

    async def refused_by_falcon(
        request: falcon.asgi.Request, response: falcon.asgi.Response, error: falcon.HTTPError, params: dict[str, Any]
    ) -> None:
        # For a method that Falcon does not know, it raises HTTPBadRequest, on any path.
        unknown_method = isinstance(error, falcon.HTTPBadRequest) and request.method not in COMBINED_METHODS
        allow = methods.get(request.uri_template or "", ())
        if allow and (unknown_method or isinstance(error, falcon.HTTPMethodNotAllowed)):
            refusal: HypeError = MethodNotAllowed(allow=allow)
        elif unknown_method or isinstance(error, falcon.HTTPNotFound):
            refusal = NotFound()
        else:
            refusal = BadRequest(error.title)
        await _refused(request, response, refusal, params)

    app.add_error_handler(Exception, _unexpected)
    app.add_error_handler(falcon.HTTPError, refused_by_falcon)
    app.add_error_handler(HypeError, _refused)


async def _refused(
    request: falcon.asgi.Request, response: falcon.asgi.Response, error: HypeError, params: dict[str, Any]
) -> None:
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s %s is answered %s: %s", request.method, request.uri_template, error.status, error.error)
    response.status = error.status
    response.content_type = falcon.MEDIA_JSON
    response.data = jsontext.dump(error.document)
    response.set_headers(error.headers)


async def _unexpected(
    request: falcon.asgi.Request, response: falcon.asgi.Response, error: Exception, params: dict[str, Any]
) -> None:
    _log.error("unhandled error in %s %s", request.method, request.path, exc_info=error)
    await _refused(request, response, InternalError(), params)
