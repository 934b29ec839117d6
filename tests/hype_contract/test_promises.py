"""The promises that hold everywhere: which answers and events break them, and which do not."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hype_contract.actors.promises.frames import Hearer
from hype_contract.actors.promises.promise import Promise
from hype_contract.actors.promises.witness import Asked, Witness
from hype_contract.actors.world import World
from hype_contract.contract.specs import Contract
from hype_contract.recording.ledger import Trace
from hype_contract.recording.secrecy import Secrets
from tests.hype_contract.fake import NOW, Fake, envelope, guest, joined

AT = "2025-10-23T10:30:00.00{}Z"
ANN = {"id": "ann", "username": "ann", "email": "ann@example.com", "createdAt": AT.format(1)}
BOB = {"id": "bob", "username": "bob", "email": None, "createdAt": AT.format(2)}


class Watched(Witness):
    """A witness with the trace of a case."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(contract)
        self.trace = Trace(Secrets())


@pytest.fixture
def witness(contract: Contract) -> Watched:
    """Return a witness that knows Ann's and Bob's tokens."""
    made = Watched(contract)
    for user in (ANN, BOB):
        answer(made, "registerUser", {"user": user, "accessToken": f"{user['id']}'s", "refreshToken": "r"}, status=201)
    return made


def answer(
    witness: Watched,
    operation: str,
    data: Any,
    *,
    token: str | None = None,
    status: int = 200,
    query: str = "",
    began: float = 1e12,
    **more: object,
) -> None:
    """Show the witness an answer. began: by default long after everything else."""
    known = witness.contract.operations[operation]
    content = json.dumps({"success": True, "data": data, **more}).encode()
    asked = Asked(known, status, f"{known.path}{query}", token, None, content, began)
    witness.answer(asked, witness.trace)


def broken(witness: Watched) -> set[str]:
    """Return the promises that the witness saw broken."""
    return {id.removeprefix("seen.") for id in witness.trace.findings}


def message(id: str = "m", at: int = 1, **members: object) -> dict[str, Any]:
    """Return what is important of a message."""
    return {"id": id, "content": "x", "channelId": "room", "authorId": "ann", "createdAt": AT.format(at), **members}


def test_what_conforms_breaks_no_promise(witness: Watched) -> None:
    """The owner sees their email; lists are ordered, short and whole; ICE has a password."""
    answer(witness, "getUser", ANN, token="ann's")
    answer(witness, "getUser", {**ANN, "email": None}, token="bob's")
    answer(witness, "listUsers", [{**ANN, "email": None}, BOB], query="?limit=2")
    answer(witness, "listMessages", [message("n", 2), message()], query="?channelId=room&limit=2", meta={"total": 2})
    answer(witness, "createSendTransport", {"id": "t", "iceParameters": {"password": "p"}}, status=201)
    assert broken(witness) == set()


def test_a_limit_that_is_an_extension_may_be_ignored(witness: Watched) -> None:
    """The lists of channels and servers have one; a target without it shows them whole."""
    channels = [{"id": id, "name": "a room", "position": 1} for id in ("a", "b")]
    answer(witness, "listChannels", channels, query="?limit=1")
    assert broken(witness) == set()


def test_an_email_is_shown_to_its_owner_only(witness: Watched) -> None:
    """A list with a limit shows it to another user, and to a client without a token."""
    answer(witness, "listUsers", [ANN], token="bob's", query="?limit=1")
    assert broken(witness) == {"visibility"}


def test_an_email_is_not_for_a_client_without_a_token(witness: Watched) -> None:
    """A request without a token comes from no owner."""
    answer(witness, "getUser", ANN)
    assert broken(witness) == {"visibility"}


def test_a_token_that_nobody_got_says_nothing(witness: Watched) -> None:
    """The harness forges tokens, whose user the witness does not know."""
    answer(witness, "getUser", ANN, token="forged")
    assert broken(witness) == set()


@pytest.mark.parametrize(
    ("operation", "data", "more", "promise"),
    [
        ("getUser", {**BOB, "passwordHash": "x"}, {}, "secrets"),
        ("getUser", {**BOB, "createdAt": AT.format(3)}, {}, "ids"),
        ("listUsers", [BOB, BOB], {}, "ids"),
        ("getMessage", message(updatedAt=AT.format(0)), {}, "times"),
        ("listUsers", [BOB, {**ANN, "email": None}], {}, "order"),
        ("listMessages", [message(), message("n", 2)], {}, "order"),
        ("listUsers", [{**ANN, "email": None}, BOB], {"query": "?limit=1"}, "pages"),
        ("listMessages", [message()], {"query": "?channelId=room&offset=1", "meta": {"total": 1}}, "pages"),
    ],
)
def test_each_promise_is_seen_broken(
    witness: Watched, operation: str, data: Any, more: dict[str, Any], promise: Promise
) -> None:
    """One answer breaks one promise."""
    answer(witness, operation, data, token="bob's", **more)
    assert broken(witness) == {promise}


@pytest.mark.parametrize(("first", "second"), [("9", "10"), ("aA", "AB")])
def test_ids_have_the_order_of_the_database(witness: Watched, first: str, second: str) -> None:
    """Of one millisecond, 9 may stand before 10, and a before B."""
    users = [{**BOB, "id": id, "createdAt": AT.format(5)} for id in (first, second)]
    answer(witness, "listUsers", users)
    answer(witness, "listUsers", users[::-1])
    assert broken(witness) == set()


def test_what_was_deleted_stays_away(witness: Watched) -> None:
    """A request that began before the deletion may still show it; an id is never given again."""
    answer(witness, "createMessage", message(), status=201)
    answer(witness, "deleteMessage", {"id": "m"})
    answer(witness, "getMessage", message(), began=0)
    assert broken(witness) == set()
    answer(witness, "listMessages", [message()])
    assert broken(witness) == {"deleted"}
    answer(witness, "createMessage", message(), status=201)
    assert broken(witness) == {"deleted", "ids"}


def heard(witness: Watched, *frames: tuple[str, dict[str, Any]], entered: str = "room") -> set[str]:
    """Return the promises that are broken when Ann's socket, which entered a room, hears these events."""
    hearer = Hearer(witness, "ann", "ann's")
    hearer.sent({"type": "user_joined", "data": {"channelId": entered}})
    for name, data in frames:
        hearer.heard({"type": name, "data": data}, witness.trace)
    return broken(witness)


@pytest.mark.parametrize(
    ("frames", "promise"),
    [
        ([("message", message(channelId="elsewhere"))], "audience"),
        ([("typing", {"userId": "ann", "channelId": "room"})], "audience"),
        ([("message", message()), ("message", message())], "once"),
        ([("message", message("n", 2)), ("message", message())], "event-order"),
        ([("message_deleted", {"id": "m", "channelId": "room"}), ("message_edited", message())], "event-order"),
        ([("message", message(author={"id": "bob", "username": "bob", "email": "b@x.de"}))], "event-visibility"),
        ([("user_joined", {"userId": "bob", "username": "bob", "password": "x", "channelId": "room"})], "secrets"),
    ],
)
def test_each_promise_about_events_is_seen_broken(
    witness: Watched, frames: list[tuple[str, dict[str, Any]]], promise: Promise
) -> None:
    """One series of events breaks one promise."""
    assert heard(witness, *frames) == {promise}


def test_events_that_conform_break_no_promise(witness: Watched) -> None:
    """A room's messages in order, another user's typing, and a call that a request entered."""
    witness.calls["ann"] = {"call"}
    frames = [("message", message()), ("message", message("n", 2)), ("typing", {"userId": "bob", "channelId": "room"})]
    assert heard(witness, *frames, ("voice_state", {"userId": "bob", "channelId": "call"})) == set()


def test_a_case_about_something_else_sees_an_email(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """Every answer that a case gets is checked, and the case goes on."""
    fake.routes["POST /auth/guest"] = guest
    fake.routes["GET /api/users"] = lambda server, request: (200, envelope([_shown(next(iter(server.users.values())))]))
    world = world_on(fake)
    _, bob = world.guests("ann", "bob")
    world.rest.call("listUsers", query={"limit": 2}, token=bob.token)
    assert set(world.trace.findings) == {"seen.visibility"}


def _shown(user: dict[str, Any]) -> dict[str, Any]:
    """Return a user of the fake as a member of the list, with an email."""
    more = {"discriminator": "anno", "status": "online", "customStatus": None, "avatar": None, "updatedAt": NOW}
    return {**user, **more, "email": "ann@example.com"}


def test_a_case_about_something_else_hears_of_a_room(fake: Fake, world_on: Callable[[Fake], World]) -> None:
    """Ann enters one room, and hears of another one, too."""

    def talkative(server: Fake, socket: Any, text: str) -> None:
        data: dict[str, Any] = {"userId": "cm8k2x1a40000qz8h5v0r3n7d", "username": "eve", "channelId": "elsewhere"}
        data |= {"displayName": None, "avatarUrl": None}
        socket.send(json.dumps({"type": "user_joined", "data": data, "timestamp": NOW}))
        joined(server, socket, text)

    fake.on_frame = talkative
    world = world_on(fake)
    world.socket(world.guest("ann"), join="here")
    assert "seen.audience" in world.trace.findings


def test_what_a_shared_fixture_saw_is_seen_by_each_case(contract: Contract) -> None:
    """The breach counts for the case that uses the fixture, at the end of the steps that made it."""
    maker, own = Trace(Secrets()), Trace(Secrets())
    maker.transcript.sent("ann", "{}", typed=True)
    maker.note("seen.ids", "one thing", "two")
    own.include(maker)
    assert own.findings["seen.ids"].step == 1
