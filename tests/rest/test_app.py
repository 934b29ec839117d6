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
from hype.errors import SpecMismatch, Unavailable
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


async def test_a_client_that_disconnects_at_once_is_no_error(services: Services) -> None:
    """The server answers nothing and logs nothing."""

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(event: dict[str, Any]) -> None:
        raise AssertionError(event)

    scope: Any = create_scope("/auth/guest", method="POST")
    await build(services, functions())(scope, receive, send)
