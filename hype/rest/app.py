"""The binding of openapi.yaml's operations to Falcon.

The way of a request: Falcon finds the path. `Endpoint` takes token, query and body off the wire without checking them.
A greenlet performs the operation: authentication first, then validation (ruling R10). The answer is written.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote

import falcon.asgi
from falcon.routing import CompiledRouter

from hype import jsontext
from hype.addresses import Network, client_address
from hype.database import Unit
from hype.errors import HypeError, SpecMismatch
from hype.operations import Answer, Call, Function, Quota, Services, perform
from hype.rest import body, query
from hype.rest.auth import bearer_token
from hype.rest.cors import CrossOrigin
from hype.rest.failures import add_failure_handlers
from hype.spec import Operation

__all__ = ["build"]


def build(services: Services, functions: Mapping[str, Function]) -> falcon.asgi.App[Any, Any]:
    """Return the ASGI application. functions: by operationId.

    A server gives it whole requests. In the scope, `hype.is_gone` tells whether the client has gone, and `hype.unread`
    is the error of a body that the server did not take: too large, or too late.

    Raises SpecMismatch when an operation has no function, or a function has no operation in any profile.
    """
    _check(services, functions)
    operations = services.contract.operations.values()
    cors = CrossOrigin(services.config.cors_origins, {each.method.upper() for each in operations})
    app = _App(middleware=cors, router=_Router())
    endpoints: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for operation in operations:
        endpoints[operation.path][operation.method] = Endpoint(services, operation, functions[operation.id])
    for path, methods in endpoints.items():
        app.add_route(path, SimpleNamespace(**{f"on_{method}": each.respond for method, each in methods.items()}))
    add_failure_handlers(app, {path: [*map(str.upper, methods), "OPTIONS"] for path, methods in endpoints.items()})
    return app


class _App(falcon.asgi.App[Any, Any]):
    """The Falcon application, which compares paths as they were sent (amendment A19).

    Falcon compares what a server has decoded, so that `%2F` would separate segments like a slash.
    """

    def __call__(  # type: ignore[override]  # Falcon declares its WSGI signature
        self, scope: dict[str, Any], receive: Any, send: Any
    ) -> Coroutine[Any, Any, None]:
        """Return the coroutine that answers one request."""
        if scope["type"] == "http" and b"%" in scope["raw_path"]:
            scope["path"] = scope["raw_path"].decode("ascii")
        return super().__call__(scope, receive, send)


class _Router(CompiledRouter):
    """Falcon's router, which would ignore empty segments at the beginning of a path."""

    def find(self, uri: str, req: Any = None) -> Any:
        """Return the route of a path, None if there is none."""
        return None if uri.startswith("//") else super().find(uri, req)


def _check(services: Services, functions: Mapping[str, Function]) -> None:
    lacking = sorted(services.contract.operations.keys() - functions.keys())
    if lacking:
        raise SpecMismatch(
            f"openapi.yaml has operations that no function in hype/operations serves: {', '.join(lacking)}."
        )
    unknown = sorted(functions.keys() - services.contract.operation_ids)
    if unknown:
        raise SpecMismatch(
            f"hype/operations has functions that are no operation of openapi.yaml: {', '.join(unknown)}."
        )


class Endpoint:
    """An operation as Falcon sees it."""

    def __init__(self, services: Services, operation: Operation, function: Function) -> None:
        """Bind an operation. function: its code, synchronous."""
        self._services = services
        self._operation = operation
        self._function = function
        self._bucket = services.limits.buckets.get(operation.limit or "")

    async def respond(self, request: falcon.asgi.Request, response: falcon.asgi.Response, **path: str) -> None:
        """Answer one request. Raises HypeError, which the failure handlers render."""
        started = time.perf_counter()
        status = 500
        quota = None if self._bucket is None else Quota(self._services.cluster, self._bucket)
        try:
            answer = await self._perform(request, path, quota)
            status = answer.status or self._operation.success
            _write(response, status, answer, self._operation.media_type)
        except HypeError as error:
            status = error.status
            raise
        finally:
            if quota is not None:
                response.set_headers(quota.headers)
            self._services.metrics.request(self._operation.id, status, time.perf_counter() - started)

    async def _perform(self, request: falcon.asgi.Request, path: Mapping[str, str], quota: Quota | None) -> Answer:
        known = self._operation
        content = await body.receive(request) if known.body is not None else body.NONE
        unread: HypeError | None = request.scope.get("hype.unread")
        if "%" in request.path:
            path = {name: unquote(segment) for name, segment in path.items()}
        text = request.query_string
        token = bearer_token(request)
        address = _address(request, self._services.config.trusted_proxies)

        def read(call: Call) -> None:
            call.query = query.read(text, known.query)
            if unread is not None:
                raise unread
            if known.body is not None:
                call.body = body.read(content, known.body)

        def work(unit: Unit) -> Answer:
            call = Call(unit, self._services, known, path=path, address=address, quota=quota)
            return perform(self._function, call, token, read)

        return await self._services.database.run(work, wanted=_wanted(request.scope))


def _address(request: falcon.asgi.Request, trusted: Sequence[Network]) -> str:
    """Return the address of the client, perhaps behind proxies (see `hype.addresses`)."""
    peer = (request.scope.get("client") or ("",))[0]
    if not trusted:
        return peer
    headers = request.scope["headers"]
    forwarded_for = [value.decode("latin-1") for name, value in headers if name == b"x-forwarded-for"]
    return client_address(peer, forwarded_for, trusted)


def _wanted(scope: Mapping[str, Any]) -> Callable[[], bool]:
    """Return the function that tells whether the client still waits for its answer (see `hype.http1`)."""
    is_gone = scope.get("hype.is_gone")
    return _always if is_gone is None else lambda: not is_gone()


def _always() -> bool:
    return True


def _write(response: falcon.asgi.Response, status: int, answer: Answer, media_type: str) -> None:
    response.status = status
    response.content_type = media_type
    if isinstance(answer.body, bytes):
        response.data = answer.body
    elif isinstance(answer.body, str):
        response.text = answer.body
    else:
        response.data = jsontext.dump(answer.body)
