"""Operations without HTTP: a database, the services on it, and calls by `operationId`."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from hype import spec
from hype.cluster import Effect
from hype.cluster.local import LocalCluster
from hype.config import Config
from hype.database import Database, Unit
from hype.operations import Answer, Call, Media, Quota, Services, by_operation_id, perform
from hype.operations.performing import Reading
from hype.spec import Profile
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens
from tests.clocks import HandClock

contract = functools.cache(spec.load)


class FakeMedia:
    """Media without an SFU. healthy: its answer about the workers."""

    healthy = True


def document(answer: Answer) -> Any:
    """Return the JSON document of an answer."""
    return json.loads(answer.body) if isinstance(answer.body, bytes) else answer.body


class Backend:
    """The server below REST and gateway. announced: all effects so far, in the order of publication."""

    def __init__(
        self, database: Database, config: Config, announced: list[Effect], profile: Profile, media: Any
    ) -> None:
        """Build the services. database: open and seeded, publishes to `announced`. media: for voice operations."""
        self.announced = announced
        self.clock = HandClock()
        self.cluster = LocalCluster(self.clock)
        self.hashing = ThreadPoolExecutor(1)
        self.services = Services(
            config, contract(profile), Tokens(config), database, self.cluster, Metrics(), media, self.hashing
        )
        self._functions = by_operation_id()

    def use_media(self, media: Media) -> None:
        """Replace the media of voice operations."""
        self.services = replace(self.services, media=media)

    def use_hashing(self, hashing: Executor) -> None:
        """Replace the threads in which passwords are hashed."""
        self.services = replace(self.services, hashing=hashing)

    def configure(self, **changes: Any) -> None:
        """Replace parts of the configuration."""
        self.services = replace(self.services, config=replace(self.services.config, **changes))

    def call(
        self,
        operation_id: str,
        body: Mapping[str, Any] | None = None,
        *,
        path: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        token: str | None = None,
        address: str = "192.0.2.1",
        origin: str | None = None,
        read: Reading = lambda call: None,
    ) -> Answer:
        """Perform one operation, as REST does for a request that is valid by the spec.

        read: raises the error of a request that is not.
        """
        work = self._work(operation_id, body, path, query, token, address, origin, read)
        return self.services.database.run_now(work)

    async def call_in_loop(
        self,
        operation_id: str,
        body: Mapping[str, Any] | None = None,
        *,
        path: Mapping[str, str] | None = None,
        token: str | None = None,
        address: str = "192.0.2.1",
    ) -> Answer:
        """Perform one operation in the event loop, so that it can wait for media and for others."""
        work = self._work(operation_id, body, path, None, token, address, None)
        return await self.services.database.run(work)

    def _work(
        self,
        operation_id: str,
        body: Mapping[str, Any] | None,
        path: Mapping[str, str] | None,
        query: Mapping[str, Any] | None,
        token: str | None,
        address: str,
        origin: str | None,
        read: Reading = lambda call: None,
    ) -> Callable[[Unit], Answer]:
        operation = self.services.contract.operations[operation_id]

        def work(unit: Unit) -> Answer:
            call = Call(unit, self.services, operation, path=path or {}, address=address, origin=origin)
            call.quota = Quota(self.cluster, self.services.limits.buckets.get(operation.limit or ""))
            call.body, call.query = dict(body or {}), dict(query or {})
            return perform(self._functions[operation_id], call, token, read)

        return work

    def data(self, operation_id: str, body: Mapping[str, Any] | None = None, **rest: Any) -> Any:
        """Perform one operation; return the `data` of its successful answer."""
        return document(self.call(operation_id, body, **rest))["data"]

    def guest(self, username: str) -> Any:
        """Create a guest; return `user`, `accessToken` and `refreshToken`."""
        return self.data("loginGuest", {"username": username})

    def register(self, username: str, password: str = "correct horse") -> Any:
        """Register `<username>@example.com`; return `user`, `accessToken` and `refreshToken`."""
        body = {"username": username, "email": f"{username}@example.com", "password": password}
        return self.data("registerUser", body)

    def announced_names(self) -> Sequence[str]:
        """Return the names of the events announced so far, and the classes of other effects."""
        return [getattr(effect, "name", type(effect).__name__) for effect in self.announced]
