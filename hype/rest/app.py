"""The binding of openapi.yaml's operations to Falcon.

The way of a request: Falcon finds the path. `Endpoint` takes token, query and body off the wire without checking them.
A greenlet performs the operation: authentication first, then validation (ruling R10). The answer is written.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Final

import falcon.asgi

from hype import jsontext
from hype.addresses import client_address
from hype.database import Unit
from hype.errors import BadRequest, HypeError, SpecMismatch
from hype.operations import Admission, Answer, Call, Function, Services, perform
from hype.rest import body, query
from hype.rest.auth import bearer_token
from hype.rest.cors import CrossOrigin
from hype.rest.failures import add_failure_handlers
from hype.settings import Network
from hype.spec import Operation

__all__ = ["build"]

_VERSIONS: Final = frozenset({"1.0", "1.1"})


def build(services: Services, functions: Mapping[str, Function]) -> falcon.asgi.App[Any, Any]:
    """Return the ASGI application. functions: by operationId.

    Raises SpecMismatch when an operation has no function, or a function has no operation in any profile.
    """
    _check(services, functions)
    operations = services.contract.operations.values()
    cors = CrossOrigin(services.config.cors_origins, {each.method.upper() for each in operations})
    app = _App(cors, {each.method.upper() for each in operations if each.body is not None})
    endpoints: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for operation in operations:
        endpoints[operation.path][operation.method] = Endpoint(services, operation, functions[operation.id])
    for path, methods in endpoints.items():
        app.add_route(path, SimpleNamespace(**{f"on_{method}": each.respond for method, each in methods.items()}))
    add_failure_handlers(app, {path: [*map(str.upper, methods), "OPTIONS"] for path, methods in endpoints.items()})
    return app


class _App(falcon.asgi.App[Any, Any]):
    """The Falcon application, with two corrections of its work with uvicorn.

    Falcon fails at versions of HTTP that uvicorn lets through (`GET /` without one is 0.9). When a client disconnects,
    Falcon takes the received part of a body for the whole (RFC 9112 section 8: an incomplete request is an error).
    """

    def __init__(self, middleware: Any, methods_with_body: Container[str]) -> None:
        super().__init__(middleware=middleware)
        self._methods_with_body = methods_with_body

    async def __call__(  # type: ignore[override]  # Falcon declares its WSGI signature
        self, scope: dict[str, Any], receive: Any, send: Any
    ) -> None:
        """Answer a request of an unknown version like one of 1.0, and one with an incomplete body with 400."""
        if scope["type"] == "http":
            if scope["http_version"] not in _VERSIONS:
                scope = {**scope, "http_version": "1.0"}
            if scope["method"] in self._methods_with_body:
                receive = _whole(receive)
        await super().__call__(scope, receive, send)


def _whole(receive: Any) -> Any:
    """Return an ASGI `receive` that raises BadRequest when the client disconnects in the middle of a body."""
    begun = False

    async def receive_whole() -> Any:
        nonlocal begun
        message = await receive()
        if message["type"] == "http.disconnect" and begun:
            raise BadRequest("The body is incomplete")
        begun = True
        return message

    return receive_whole


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
        admission = Admission(self._services.cluster, self._bucket)
        try:
            answer = await self._perform(request, path, admission)
            status = answer.status or self._operation.success
            _write(response, status, answer, self._operation.media_type)
        except HypeError as error:
            status = error.status
            raise
        finally:
            response.set_headers(admission.headers)
            self._services.metrics.request(self._operation.id, status, time.perf_counter() - started)

    async def _perform(self, request: falcon.asgi.Request, path: Mapping[str, str], admission: Admission) -> Answer:
        known = self._operation
        content = await body.receive(request) if known.body is not None else body.NONE
        text = request.query_string
        token = bearer_token(request)
        address = _address(request, self._services.config.trusted_proxies)

        def read(call: Call) -> None:
            call.query = query.read(text, known.query)
            if known.body is not None:
                call.body = body.read(content, known.body)

        def work(unit: Unit) -> Answer:
            call = Call(unit, self._services, known, path=path, address=address, admission=admission)
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
