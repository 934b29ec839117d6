"""In which order a call can fail, and whether everything that the spec names is there."""

from __future__ import annotations

import itertools

import pytest

from hype.database import Unit
from hype.errors import NotAuthenticated, ValidationFailed
from hype.operations import Answer, Call, by_operation_id, perform, perform_as
from tests.operations.world import StillMedia, World, contract


def attempt(world: World, operation_id: str, token: str | None, path: str = "nobody") -> Answer:
    """Perform an operation whose request is found to be invalid when it is read."""
    return work_on(world, operation_id, token, Reader(), path)


def work_on(world: World, operation_id: str, token: str | None, read: Reader, path: str = "nobody") -> Answer:
    """Perform an operation whose request `read` reads."""
    operation = world.services.contract.operations[operation_id]

    def work(unit: Unit) -> Answer:
        call = Call(unit, world.services, operation, path={"id": path})
        return perform(by_operation_id()[operation_id], call, token, read)

    return world.services.database.run_now(work, write=True)


class Reader:
    """Counts how often a request is read, and finds it invalid."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, call: Call) -> None:
        """Raise ValidationFailed."""
        self.times += 1
        raise ValidationFailed


def test_the_functions_are_the_operations_of_the_spec() -> None:
    """None is missing and none is made up."""
    assert by_operation_id().keys() == contract("hardened").operations.keys()


@pytest.mark.parametrize(("token", "error"), [(None, "Not authenticated"), ("forged", "Invalid token")])
def test_who_asks_comes_before_what_is_asked(hardened: World, token: str | None, error: str) -> None:
    """401 wins over 400 (R10)."""
    with pytest.raises(NotAuthenticated, match=error):
        attempt(hardened, "updateUser", token)


def test_a_strangers_request_is_not_read(hardened: World) -> None:
    """Where a token is needed, a request costs no look into its body or query until the token is known to be good."""
    needing = [one for one in hardened.services.contract.operations.values() if one.auth == "required"]
    assert len(needing) > 5
    revoked = hardened.guest("gone")["accessToken"]
    hardened.call("logoutUser", token=revoked)
    for operation, token in itertools.product(needing, (None, "", "forged", revoked)):
        read = Reader()
        with pytest.raises(NotAuthenticated):
            work_on(hardened, operation.id, token, read)
        assert read.times == 0, operation.id


def test_what_is_asked_comes_before_whether_it_may_be(hardened: World) -> None:
    """400 wins over 403 and 404 (R10)."""
    with pytest.raises(ValidationFailed):
        attempt(hardened, "updateUser", hardened.guest("ann")["accessToken"])


def test_a_refresh_token_is_no_access_token(hardened: World) -> None:
    """Each is good for its own purpose only (R23)."""
    ann = hardened.guest("ann")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        hardened.call("getCurrentUser", token=ann["refreshToken"])
    with pytest.raises(NotAuthenticated, match="Invalid refresh token"):
        hardened.call("refreshTokens", {"refreshToken": ann["accessToken"]})


def test_where_no_token_is_needed_a_bad_one_may_still_be_refused(documented: World) -> None:
    """On public reads it counts as none; where the documented profile waived it, it is 401 (P1, P6)."""
    ann = documented.guest("ann")
    path = {"id": ann["user"]["id"]}
    documented.call("getUser", path=path, token="forged")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        documented.call("updateUserStatus", {"status": "idle"}, path=path, token="forged")
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        documented.call("createChannel", {"name": "den", "type": "text"}, token="forged")
    with pytest.raises(NotAuthenticated, match="Not authenticated"):
        documented.call("createChannel", {"name": "den", "type": "text"}, token="")


def test_a_socket_cannot_outlive_its_session(hardened: World) -> None:
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

        hardened.services.database.run_now(work, write=True)

    write("before")
    hardened.call("logoutUser", token=ann["accessToken"])
    with pytest.raises(NotAuthenticated, match="Invalid token"):
        write("after")
    listed = hardened.data("listMessages", query={"channelId": "text-general", "limit": 50, "offset": 0})
    assert [message["content"] for message in listed] == ["before"]


def test_health_is_degraded_without_a_database(hardened: World) -> None:
    """The answer still comes, as 503 (R12)."""
    assert hardened.call("getHealth").status == 200
    hardened.services.database.ping = lambda: False  # type: ignore[method-assign]
    answer = hardened.call("getHealth")
    assert answer.status == 503
    assert isinstance(answer.body, dict)
    assert answer.body["status"] == "DEGRADED"
    assert answer.body["checks"] == {"database": "error", "sfu": "ok"}


def test_health_is_degraded_without_media_workers(hardened: World) -> None:
    """As soon as one is missing (R12)."""
    media = hardened.services.media
    assert isinstance(media, StillMedia)
    media.well = False
    answer = hardened.call("getHealth")
    assert answer.status == 503
    assert isinstance(answer.body, dict)
    assert answer.body["checks"] == {"database": "ok", "sfu": "error"}


def test_an_operation_without_a_transaction_is_still_told_who_asks(hardened: World) -> None:
    """Who asks comes first and what is asked second, where nothing holds the database meanwhile too (R10)."""
    with pytest.raises(NotAuthenticated, match="Not authenticated"):
        attempt(hardened, "createConsumer", None)
    with pytest.raises(ValidationFailed):
        attempt(hardened, "createConsumer", hardened.guest("ann")["accessToken"])


def test_the_description_says_where_everything_stands(documented: World) -> None:
    """Every group of the profile's operations, and no other (R12)."""
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
