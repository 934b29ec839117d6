"""The binding of operations to paths, and the answer when a function fails."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from falcon.testing import TestClient, create_scope

from hype import spec
from hype.cluster.local import LocalCluster
from hype.config import Config
from hype.database import Database
from hype.errors import HypeError, PayloadTooLarge, RequestTimeout, SpecMismatch, Unavailable
from hype.models.migrate import migrate
from hype.operations import Answer, Call, Function, Services, by_operation_id
from hype.rest import build
from hype.seeding import seed
from hype.telemetry.metrics import Metrics
from hype.tokens import Tokens
from tests.operations.backend import FakeMedia


@pytest.fixture
def services(sqlite_url: str) -> Iterator[Services]:
    """Build the services of the application on a seeded database."""
    config = Config.load({"DATABASE_URL": sqlite_url}, Path("no-such.env"))
    database = Database(sqlite_url)
    database.open()
    migrate(database)
    seed(database)
    contract = spec.load("hardened")
    media: Any = FakeMedia()
    hashing = ThreadPoolExecutor(1)
    yield Services(config, contract, Tokens(config), database, LocalCluster(), Metrics(), media, hashing)
    database.close()


def functions(**changed: Function | None) -> dict[str, Function]:
    """Return all operations, some replaced or, with None, left out."""
    every: dict[str, Any] = {**by_operation_id(), **changed}
    return {name: function for name, function in every.items() if function is not None}


def test_operations_and_functions_must_match(services: Services) -> None:
    """The error names the operation or function that is too many, and the file to look into."""
    with pytest.raises(SpecMismatch, match=r"openapi.yaml .* hype/operations serves: getUser, listUsers\.$"):
        build(services, functions(getUser=None, listUsers=None))
    with pytest.raises(SpecMismatch, match=r"hype/operations .* no operation of openapi.yaml: wave\.$"):
        build(services, functions(wave=by_operation_id()["getUser"]))


@pytest.mark.parametrize(
    "error", [RuntimeError("the password is swordfish"), KeyError("x"), RecursionError(), MemoryError()]
)
def test_a_bug_is_one_500(services: Services, caplog: pytest.LogCaptureFixture, error: Exception) -> None:
    """The envelope says nothing of the error, which the log and the metrics have."""

    def broken(call: Call) -> Answer:
        raise error

    client = TestClient(build(services, functions(listChannels=broken)))
    with caplog.at_level(logging.ERROR):
        answer = client.simulate_get("/api/channels", headers={"Origin": "http://localhost:5173"})
    assert (answer.status_code, answer.json) == (500, {"success": False, "error": "Internal server error"})
    assert answer.headers["access-control-allow-origin"] == "http://localhost:5173"
    assert services.contract.component_issues("Failure", answer.json) == []
    assert ["unhandled error in GET /api/channels" in record.message for record in caplog.records] == [True]
    assert 'operation="listChannels"' in services.metrics.text()
    assert 'status="500"' in services.metrics.text()


def test_an_outage_is_told_as_503(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    """The answer says when to come back, to another origin's page too (A12); an outage is no bug, so no traceback."""

    def waiting(call: Call) -> Answer:
        raise Unavailable(retry_after_s=1.5)

    client = TestClient(build(services, functions(listChannels=waiting)))
    with caplog.at_level(logging.ERROR):
        answer = client.simulate_get("/api/channels", headers={"Origin": "http://localhost:5173"})
    assert (answer.status_code, answer.json) == (503, {"success": False, "error": "Service unavailable"})
    assert answer.headers["retry-after"] == "2"
    assert "Retry-After" in answer.headers["access-control-expose-headers"]
    assert caplog.records == []


def test_a_refusal_is_not_logged(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    """A 404 is no error of the server."""
    client = TestClient(build(services, functions()))
    with caplog.at_level(logging.INFO):
        assert client.simulate_get("/api/channels/none").status_code == 404
        assert client.simulate_get("/none").status_code == 404
    assert [record.message for record in caplog.records if record.name.startswith("hype")] == []


@pytest.mark.parametrize(("error", "status"), [(PayloadTooLarge(), 413), (RequestTimeout(), 408)])
async def test_a_body_that_was_not_read_is_refused(services: Services, error: HypeError, status: int) -> None:
    """The server's error is the answer of each operation, behind the faults that come first (ruling R10)."""
    performed = []

    def record(call: Call) -> Answer:
        performed.append(call)
        return Answer({})

    app = build(services, functions(loginGuest=record, listChannels=record, getCurrentUser=record))
    expected = [
        ("POST", "/auth/guest", status),
        ("GET", "/api/channels", status),
        ("GET", "/auth/me", 401),
        ("POST", "/auth/me", 405),
        ("POST", "/nothing", 404),
    ]
    got = [(method, path, await _status(app, method, path, error)) for method, path, _ in expected]
    assert got == expected
    assert performed == []


async def _status(app: Any, method: str, path: str, error: HypeError) -> int:
    """Return the status of the answer to a request whose body the server did not read."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    scope: Any = create_scope(path, method=method, headers={"Content-Type": "application/json"})
    await app({**scope, "hype.unread": error}, receive, send)
    return int(sent[0]["status"])


async def test_a_client_that_disconnects_at_once_is_no_error(services: Services) -> None:
    """The server answers nothing and logs nothing."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        raise AssertionError(event)

    scope: Any = create_scope("/auth/guest", method="POST")
    await build(services, functions())(scope, receive, send)
