"""A gateway on a real port with a real database, and clients that check every frame against the contract."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from hype import greenlets, spec
from hype.admission import Admission
from hype.cluster.local import LocalCluster
from hype.config import Config
from hype.database import Database, Unit
from hype.gateway import Gateway, Hub
from hype.models.migrate import migrate
from hype.operations import Announcer, Call, Services, by_operation_id, perform
from hype.seeding import seed
from hype.sfu.signalling.service import Sfu
from hype.sfu.signalling.unconnected import CHECK_INTERVAL_S
from hype.spec import Contract, Profile
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens
from tests.sfu.signalling.driver import FAKE

_TIMEOUT_S = 20


class Client:
    """A frontend's connection."""

    def __init__(self, connection: ClientConnection, contract: Contract) -> None:
        """Wrap an open connection. contract: checks every frame."""
        self.connection = connection
        self._contract = contract

    async def send(self, type_: str, **data: Any) -> None:
        """Send one event."""
        await self.connection.send(json.dumps({"type": type_, "data": data}))

    async def receive_any(self) -> tuple[str, Any]:
        """Return the type and the `data` of the next frame, which must keep the contract."""
        frame = json.loads(await asyncio.wait_for(self.connection.recv(), _TIMEOUT_S))
        assert self._contract.gateway.sends[frame["type"]].frame.issues(frame) == []
        return frame["type"], frame["data"]

    async def receive(self, type_: str) -> Any:
        """Return the `data` of the next frame, which must be of this type."""
        received, data = await self.receive_any()
        assert received == type_, data
        return data

    async def request(self, type_: str, **data: Any) -> Any:
        """Send an event, and return the `data` of the event of the same name that comes next."""
        await self.send(type_, **data)
        return await self.receive(type_)

    async def refused(self, type_: str, **data: Any) -> str:
        """Send an event that the server refuses; return the code of the error."""
        await self.send(type_, **data)
        return str((await self.receive("error"))["code"])

    async def receives_nothing(self) -> None:
        """Check that no frame waits: the next one answers an event that is sent now."""
        assert await self.refused("no such event") == "unknown_type"

    async def wait_closed(self) -> int:
        """Return the code with which the server closes; skip the frames until then."""
        try:
            while True:
                await asyncio.wait_for(self.connection.recv(), _TIMEOUT_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006


class RunningGateway:
    """A gateway that listens, and the operations that REST would call."""

    def __init__(self, services: Services, gateway: Gateway, sfu: Sfu, port: int, clients: AsyncExitStack) -> None:
        """Take a gateway that listens on `port`. sfu: not started. clients: closes every client at the end."""
        self.services = services
        self.server = gateway
        self.sfu = sfu
        self.url = f"ws://127.0.0.1:{port}/"
        self._clients = clients

    async def perform(
        self, operation_id: str, token: str | None = None, path: Mapping[str, str] | None = None, **body: Any
    ) -> Any:
        """Perform an operation as REST does; return its `data`."""
        operation = self.services.contract.operations[operation_id]

        def work(unit: Unit) -> Any:
            call = Call(unit, self.services, operation, body=body, path=path or {})
            return perform(by_operation_id()[operation_id], call, token, read=lambda call: None).body

        answer = await self.services.database.run(work)
        return (json.loads(answer) if isinstance(answer, bytes) else answer).get("data")

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition` holds, which is looked at in a greenlet after each round of the event loop."""
        async with asyncio.timeout(_TIMEOUT_S):
            while True:
                if await greenlets.run(condition):
                    return
                await asyncio.sleep(0)

    async def guest(self, username: str) -> Any:
        """Create a user; return `user`, `accessToken` and `refreshToken`."""
        return await self.perform("loginGuest", username=username)

    async def client(self, token: str | None = None, **options: Any) -> Client:
        """Open a connection, with `?token=` unless the token is None."""
        query = "" if token is None else f"?token={token}"
        connection = await self._clients.enter_async_context(connect(self.url + query, proxy=None, **options))
        return Client(connection, self.services.contract)

    async def member(self, username: str, channel_id: str) -> Client:
        """Create a user and join a channel's room; return the client, which has received its `user_joined`."""
        client = await self.client((await self.guest(username))["accessToken"])
        await client.request("user_joined", channelId=channel_id)
        return client


@asynccontextmanager
async def run_gateway(
    database_url: str,
    profile: Profile = "hardened",
    limits: Mapping[str, Any] | None = None,
    patience_s: float = CHECK_INTERVAL_S,
    clock: Callable[[], float] = time.monotonic,
    **environment: str,
) -> AsyncIterator[RunningGateway]:
    """Run a gateway on an empty, seeded database.

    limits: replace the contract's own. patience_s: the time that a transport may stay unconnected. clock: the
    gateway's, for its deadlines. environment: more variables of the configuration.
    """
    config = Config.load({"DATABASE_URL": database_url, "HYPE_PROFILE": profile, **environment})
    contract = spec.load(profile)
    contract = replace(contract, gateway=replace(contract.gateway, **(limits or {})))
    cluster = LocalCluster()
    database = Database(database_url, cluster.publish)

    def present(channel_id: str) -> dict[str, bool]:
        return {state.user_id: state.is_muted for state in cluster.voice.members(channel_id)}

    hub = Hub()
    sfu = Sfu(FAKE, 1, Announcer(cluster), present, hub.present, patience_s)
    hashing = ThreadPoolExecutor(1)
    services = Services(config, contract, Tokens(config), database, cluster, Metrics(), sfu, hashing)
    gateway = Gateway(services, hub, sfu, clock)
    database.open()
    try:
        migrate(database)
        seed(database)
        async with _listening(gateway) as port, AsyncExitStack() as clients:
            yield RunningGateway(services, gateway, sfu, port, clients)
    finally:
        hashing.shutdown()
        database.close()


@asynccontextmanager
async def _listening(gateway: Gateway) -> AsyncIterator[int]:
    port = socket.create_server(("127.0.0.1", 0))
    await gateway.start(port, Admission(10_000, 10_000))
    try:
        yield port.getsockname()[1]
    finally:
        await gateway.close()
