"""Binds every operation of openapi.yaml to Falcon: match, read, perform, answer.

A request's walk: Falcon finds the path; `Endpoint` reads token, query and body without judging them in the wrong order;
one hop to a database thread performs the operation (ruling R10's order is kept there); the answer is written.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import falcon.asgi

from hype import jsontext
from hype.database import Unit
from hype.errors import HypeError, SpecMismatch
from hype.operations import Answer, Call, Function, Services, perform
from hype.rest import body, query
from hype.rest.auth import bearer_token
from hype.rest.cors import VaryByOrigin
from hype.rest.failures import add_failure_handlers
from hype.spec import Operation

__all__ = ["build"]


def build(services: Services, functions: Mapping[str, Function]) -> falcon.asgi.App[Any, Any]:
    """The ASGI application. functions: by operationId.

    Raises SpecMismatch when an operation has no function, or a function no operation in any profile.
    """
    _check(services, functions)
    origins = list(services.config.cors_origins)
    cors: Any = falcon.CORSMiddleware(allow_origins=origins, allow_credentials=origins, expose_headers="Retry-After")
    app: falcon.asgi.App[Any, Any] = _App(middleware=[cors, VaryByOrigin()])
    endpoints: dict[str, dict[str, Endpoint]] = defaultdict(dict)
    for operation in services.contract.operations.values():
        endpoints[operation.path][operation.method] = Endpoint(services, operation, functions[operation.id])
    for path, methods in endpoints.items():
        app.add_route(path, SimpleNamespace(**{f"on_{method}": each.respond for method, each in methods.items()}))
    add_failure_handlers(app, {path: [*map(str.upper, methods), "OPTIONS"] for path, methods in endpoints.items()})
    return app


class _App(falcon.asgi.App[Any, Any]):
    """Falcon fails at versions of HTTP that uvicorn lets through: `GET /` without one is 0.9."""

    async def __call__(  # type: ignore[override]  # Falcon declares its WSGI signature
        self, scope: dict[str, Any], receive: Any, send: Any
    ) -> None:
        """Answer such a request like one of version 1.0."""
        if scope["type"] == "http" and scope["http_version"] not in {"1.0", "1.1"}:
            scope = {**scope, "http_version": "1.0"}
        await super().__call__(scope, receive, send)


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
    """One operation as Falcon sees it."""

    def __init__(self, services: Services, operation: Operation, function: Function) -> None:
        """function: the operation itself, synchronous."""
        self._services = services
        self._operation = operation
        self._function = function

    async def respond(self, request: falcon.asgi.Request, response: falcon.asgi.Response, **path: str) -> None:
        """Answer one request; raises HypeError for the failure handlers to render."""
        started = time.perf_counter()
        status = 500
        try:
            answer = await self._perform(request, path)
            status = answer.status or self._operation.success
            _write(response, status, answer, self._operation.media_type)
        except HypeError as error:
            status = error.status
            raise
        finally:
            self._services.metrics.request(self._operation.id, status, time.perf_counter() - started)

    async def _perform(self, request: falcon.asgi.Request, path: Mapping[str, str]) -> Answer:
        values, rejected = await self._read(request)
        token = bearer_token(request)
        address = request.remote_addr

        def work(unit: Unit) -> Answer:
            call = Call(unit, self._services, self._operation, path=path, address=address)
            call.query, call.body = values.query, values.body
            return perform(self._function, call, token, rejected)

        if getattr(self._function, "waits_for_media", False):
            return await self._services.database.run(work, write=False, waits=True)
        return await self._services.database.run(work, write=self._operation.method != "get")

    async def _read(self, request: falcon.asgi.Request) -> tuple[_Values, HypeError | None]:
        """Query and body, and the first thing that is wrong with them, not yet raised: who asks comes first."""
        values = _Values()
        try:
            values.query = query.read(request.query_string, self._operation.query)
            if self._operation.body is not None:
                values.body = await body.read(request, self._operation.body)
        except HypeError as error:
            return values, error
        return values, None


@dataclass
class _Values:
    query: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)


def _write(response: falcon.asgi.Response, status: int, answer: Answer, media_type: str) -> None:
    response.status = status
    response.content_type = media_type
    if isinstance(answer.body, str):
        response.text = answer.body
    else:
        response.data = jsontext.dump(answer.body)
