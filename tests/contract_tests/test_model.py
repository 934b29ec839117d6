"""The stateful model: what it predicts, and what it makes of a server that does otherwise."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from contract_tests.model.conversation import CALL, Conversation, Heard
from contract_tests.model.hearing import Ears
from contract_tests.must import Violation

IDS = {"ann": "a", "bob": "b", "eve": "e", "north": "n", "south": "s", CALL: "c"}


@pytest.fixture
def talk() -> Conversation:
    """Ann with two sockets, Bob and Eve with one each; nobody is anywhere."""
    made = Conversation()
    for socket, user in (("ann/1", "ann"), ("ann/2", "ann"), ("bob/1", "bob"), ("eve/1", "eve")):
        made.opened(socket, user)
    return made


def due(talk: Conversation) -> dict[str, list[str]]:
    """What each socket has yet to hear, by type; it is heard now."""
    heard: dict[str, list[str]] = {}
    for (socket, _), some in talk.due.items():
        heard.setdefault(socket, []).extend(one.type for one in some)
        some.clear()
    return {socket: types for socket, types in heard.items() if types}


def test_a_room_hears_who_enters_once(talk: Conversation) -> None:
    """A user who is there already, by another socket, is answered alone (ruling R34)."""
    talk.enters("bob/1", "north")
    talk.enters("ann/1", "north")
    assert due(talk) == {"bob/1": ["user_joined"] * 2, "ann/1": ["user_joined"]}
    talk.enters("ann/2", "north")
    assert due(talk) == {"ann/2": ["user_joined"]}


def test_who_speaks_is_in_the_room(talk: Conversation) -> None:
    """Silently, and hears the own message; nobody outside does (ruling R36)."""
    talk.enters("bob/1", "north")
    talk.enters("eve/1", "south")
    due(talk)
    talk.says("ann/1", "north", "hello")
    assert due(talk) == {"bob/1": ["message"], "ann/1": ["message"]}
    talk.posts("eve", "north", "hello by REST")
    assert due(talk) == {"bob/1": ["message"], "ann/1": ["message"]}


def test_the_last_socket_takes_the_user_out(talk: Conversation) -> None:
    """Not the one before (ruling R35); the call hears the state first (R38)."""
    for socket in ("ann/1", "ann/2", "bob/1"):
        talk.enters(socket, "north")
    talk.joins_call("ann/2", muted=False)
    talk.joins_call("bob/1", muted=True)
    due(talk)
    talk.drops("ann/1")
    assert due(talk) == {}
    talk.drops("ann/2")
    assert sorted(due(talk)["bob/1"]) == ["user_left", "user_left", "voice_state"]


def test_a_newcomer_hears_who_is_in_the_call(talk: Conversation) -> None:
    """First of themselves (ruling R38)."""
    talk.joins_call("ann/1", muted=True)
    due(talk)
    talk.joins_call("bob/1", muted=False)
    assert [one.data["userId"] for one in talk.due["bob/1", CALL]] == ["bob", "ann"]
    assert due(talk) == {"ann/1": ["voice_state"], "bob/1": ["voice_state"] * 2}


def ears(*expected: Heard) -> Ears:
    """Those of one socket in one room."""
    talk = Conversation()
    talk.due["ann/1", "north"] = deque(expected)
    return Ears(talk, IDS)


def frame(type: str, **data: Any) -> dict[str, Any]:
    """A frame of that room."""
    return {"type": type, "data": {"channelId": "n", **data}}


JOINED = Heard("user_joined", {"userId": "bob", "channelId": "north"})
TYPES = Heard("typing", {"userId": "bob", "channelId": "north"}, optional=True)
LEFT = Heard("user_left", {"userId": "bob", "channelId": "north"})


def test_what_is_predicted_is_heard_in_order() -> None:
    """An extension may be missing; members beyond the seed's do not matter."""
    heard = ears(JOINED, TYPES, LEFT)
    heard.take("ann/1", frame("user_joined", userId="b", extra=1))
    heard.take("ann/1", frame("user_left", userId="b"))


@pytest.mark.parametrize(
    ("expected", "frames"),
    [
        ([], [frame("user_joined", userId="b")]),
        ([JOINED], [frame("user_joined", userId="b")] * 2),
        ([JOINED], [frame("user_joined", userId="e")]),
        ([JOINED, LEFT], [frame("user_left", userId="b")]),
        ([TYPES, LEFT], [frame("user_left", userId="b"), frame("typing", userId="b")]),
    ],
    ids=["nothing was due", "twice", "another user", "in another order", "an extension too late"],
)
def test_anything_else_is_a_violation(expected: list[Heard], frames: list[dict[str, Any]]) -> None:
    """Extra, doubled, wrong or out of order."""
    heard, last = ears(*expected), frames.pop()
    for one in frames:
        heard.take("ann/1", one)
    with pytest.raises(Violation):
        heard.take("ann/1", last)
