"""Operations without HTTP: a database, the services on it, and calls by `operationId`."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from hype import spec
from hype.cluster import Effect
from hype.cluster.local import LocalCluster
from hype.config import Config
from hype.database import Database, Unit
from hype.operations import Answer, Call, MediaBridge, Services, by_operation_id, perform
from hype.spec import Profile
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens
from tests.clocks import HandClock

contract = functools.cache(spec.load)


class StillMedia(MediaBridge):
    """No SFU is behind it. well: what it says of its workers."""

    def __init__(self) -> None:
        """All is well."""
        self.well = True

    @property
    def healthy(self) -> bool:
        """What the test wants."""
        return self.well


class World:
    """Everything below REST and gateway. announced: all effects so far, in the order of publication."""

    def __init__(
        self, database: Database, config: Config, announced: list[Effect], profile: Profile, media: MediaBridge
    ) -> None:
        """database: open and seeded, publishing to `announced`. media: what voice operations ask."""
        self.announced = announced
        self.clock = HandClock()
        self.cluster = LocalCluster(self.clock)
        self.services = Services(config, contract(profile), Tokens(config), database, self.cluster, Metrics(), media)
        self._functions = by_operation_id()

    def serve(self, media: MediaBridge) -> None:
        """Have voice operations ask this from here on."""
        self.services = replace(self.services, media=media)

    def configure(self, **changes: Any) -> None:
        """Run with another configuration from here on."""
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
    ) -> Answer:
        """Perform one operation, as REST does for a request that is valid by the spec."""
        operation = self.services.contract.operations[operation_id]

        def work(unit: Unit) -> Answer:
            call = Call(unit, self.services, operation, path=path or {}, address=address, origin=origin)
            call.body, call.query = dict(body or {}), dict(query or {})
            return perform(self._functions[operation_id], call, token, read=lambda call: None)

        return self.services.database.run_now(work, write=operation.method != "get")

    def data(self, operation_id: str, body: Mapping[str, Any] | None = None, **rest: Any) -> Any:
        """The `data` of a successful answer."""
        answer = self.call(operation_id, body, **rest).body
        assert isinstance(answer, dict)
        return answer["data"]

    def guest(self, username: str) -> Any:
        """A new user: `user`, `accessToken`, `refreshToken`."""
        return self.data("loginGuest", {"username": username})

    def register(self, username: str, password: str = "correct horse") -> Any:
        """A new user of `<username>@example.com`."""
        body = {"username": username, "email": f"{username}@example.com", "password": password}
        return self.data("registerUser", body)

    def announced_names(self) -> Sequence[str]:
        """What was announced so far: the names of events, the classes of other effects."""
        return [getattr(effect, "name", type(effect).__name__) for effect in self.announced]
