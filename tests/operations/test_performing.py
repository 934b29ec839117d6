"""The order of a call's failures, and the operations of the spec."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from hype.database import Unit
from hype.errors import NotAuthenticated, ValidationFailed
from hype.operations import Answer, Call, by_operation_id, perform, perform_as
from tests.operations.backend import Backend, FakeMedia, contract


def attempt(backend: Backend, operation_id: str, token: str | None, path: str = "nobody") -> Answer:
    """Perform an operation whose request is invalid."""
    return perform_with(backend, operation_id, token, Reader(), path)


def perform_with(backend: Backend, operation_id: str, token: str | None, read: Reader, path: str = "nobody") -> Answer:
    """Perform an operation whose request `read` reads."""
    operation = backend.services.contract.operations[operation_id]

    def work(unit: Unit) -> Answer:
        call = Call(unit, backend.services, operation, path={"id": path})
        return perform(by_operation_id()[operation_id], call, token, read)

    return backend.services.database.run_now(work)


class Reader:
    """A reader that counts its calls and finds every request invalid."""

    def __init__(self) -> None:
        """Start at zero."""
        self.times = 0

    def __call__(self, call: Call) -> None:
        """Raise ValidationFailed."""
        self.times += 1
        raise ValidationFailed


def test_the_functions_are_the_operations_of_the_spec() -> None:
    """Each operation has a function, and each function an operation."""
    assert by_operation_id().keys() == contract("hardened").operations.keys()


@pytest.mark.parametrize(("token", "error"), [(None, "Not authenticated"), ("forged", "Invalid token")])
def test_authentication_comes_before_validation(hardened: Backend, token: str | None, error: str) -> None:
    """A 401 outweighs a 400 (R10)."""
    with pytest.raises(NotAuthenticated, match=error):
        attempt(hardened, "updateUser", token)


def test_an_unauthenticated_request_is_not_read(hardened: Backend) -> None:
    """Body and query are not read before the token is checked, where a token is needed."""
    needing = [each for each in hardened.services.contract.operations.values() if each.auth == "required"]
    assert len(needing) > 5
    revoked = hardened.guest("gone")["accessToken"]
    hardened.call("logoutUser", token=revoked)
    for operation, token in itertools.product(needing, (None, "", "forged", revoked)):
        read = Reader()
        with pytest.raises(NotAuthenticated):
            perform_with(hardened, operation.id, token, read)
        assert read.times == 0, operation.id


def test_validation_comes_before_permission(hardened: Backend) -> None:
    """A 400 outweighs a 403 and a 404 (R10)."""
    with pytest.raises(ValidationFailed):
        attempt(hardened, "updateUser", hardened.guest("ann")["accessToken"])


def test_a_refresh_token_is_no_access_token(hardened: Backend) -> None:
    """Each kind of token is valid for its own purpose only (R23)."""
    ann = hardened.guest("ann")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        hardened.call("getCurrentUser", token=ann["refreshToken"])
    with pytest.raises(NotAuthenticated, match="Invalid refresh token"):
        hardened.call("refreshTokens", {"refreshToken": ann["accessToken"]})


def test_a_bad_token_may_be_refused_where_none_is_needed(documented: Backend) -> None:
    """A public read ignores a bad token.

    An operation whose token the documented profile waives refuses it with 401 (P1, P6).
    """
    ann = documented.guest("ann")
    path = {"id": ann["user"]["id"]}
    documented.call("getUser", path=path, token="forged")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        documented.call("updateUserStatus", {"status": "idle"}, path=path, token="forged")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        documented.call("createChannel", {"name": "den", "type": "text"}, token="forged")
    with pytest.raises(NotAuthenticated, match="Not authenticated"):
        documented.call("createChannel", {"name": "den", "type": "text"}, token="")


def test_a_socket_cannot_outlive_its_session(hardened: Backend) -> None:
    """A message that arrives between logout and close is not stored (P2)."""
    ann = hardened.guest("ann")
    user_id = ann["user"]["id"]
    operation = hardened.services.contract.operations["createMessage"]
    session_id = hardened.services.tokens.read_access(ann["accessToken"]).session_id

    def write(content: str) -> None:
        def work(unit: Unit) -> Answer:
            body = {"channelId": "text-general", "content": content}
            call = Call(unit, hardened.services, operation, body=body, origin="socket-1")
            return perform_as(by_operation_id()["createMessage"], call, user_id, session_id)

        hardened.services.database.run_now(work)

    write("before")
    hardened.call("logoutUser", token=ann["accessToken"])
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        write("after")
    listed = hardened.data("listMessages", query={"channelId": "text-general", "limit": 50, "offset": 0})
    assert [message["content"] for message in listed] == ["before"]


def test_health_is_degraded_without_a_database(hardened: Backend) -> None:
    """The answer is 503 when the database does not answer (R12)."""
    assert hardened.call("getHealth").status == 200
    hardened.services.database.ping = lambda: False  # type: ignore[method-assign]
    answer = hardened.call("getHealth")
    assert answer.status == 503
    assert isinstance(answer.body, dict)
    assert answer.body["status"] == "DEGRADED"
    assert answer.body["checks"] == {"database": "error", "sfu": "ok"}


def test_health_is_degraded_without_media_workers(hardened: Backend) -> None:
    """The answer is 503 when a media worker is missing (R12)."""
    media = hardened.services.media
    assert isinstance(media, FakeMedia)
    media.healthy = False
    answer = hardened.call("getHealth")
    assert answer.status == 503
    assert isinstance(answer.body, dict)
    assert answer.body["checks"] == {"database": "ok", "sfu": "error"}


def test_an_operation_of_media_authenticates_first(hardened: Backend) -> None:
    """The order holds for operations that write nothing, too (R10)."""
    with pytest.raises(NotAuthenticated, match="Not authenticated"):
        attempt(hardened, "createConsumer", None)
    with pytest.raises(ValidationFailed):
        attempt(hardened, "createConsumer", hardened.guest("ann")["accessToken"])


def test_the_description_lists_the_groups(documented: Backend) -> None:
    """The description has every group of the profile's operations, and no other (R12)."""
    body = documented.call("getApi").body
    assert isinstance(body, dict)
    assert body["profile"] == "documented"
    assert body["endpoints"] == {
        "health": "/health",
        "api": "/api",
        "channels": "/api/channels",
        "users": "/api/users",
        "servers": "/api/servers",
        "messages": "/api/messages",
        "auth": "/auth",
        "voice": "/api/voice",
    }


@pytest.mark.parametrize(
    ("operation_id", "request_", "statements"),
    [
        ("listMessages", {"query": {"channelId": "text-general", "limit": 50, "offset": 0}}, 1),
        ("listUsers", {"query": {}}, 2),
        ("listChannels", {}, 1),
        ("getCurrentUser", {}, 1),
    ],
)
def test_a_read_is_one_statement(
    hardened: Backend, monkeypatch: pytest.MonkeyPatch, operation_id: str, request_: Any, statements: int
) -> None:
    """A list comes with its total in one round trip; the caller is looked up where the answer depends on it."""
    token = hardened.guest("ann")["accessToken"]
    database, seen = hardened.services.database, list[str]()
    read = database.read

    def reading(sql: str, parameters: Any) -> Any:
        seen.append(sql)
        return read(sql, parameters)

    monkeypatch.setattr(database, "read", reading)
    hardened.call(operation_id, token=token, **request_)
    assert len(seen) == statements
