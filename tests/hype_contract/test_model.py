"""The stateful model: what it predicts, and what it makes of a server that does otherwise."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from hype_contract.actors.must import Violation
from hype_contract.cases.model.conversation import Conversation, Heard
from hype_contract.cases.model.hearing import Ears, Ids

CALL, SMALL = "call", "small call"
IDS = Ids(
    users={"ann": "a", "bob": "b", "eve": "e"},
    rooms={"north": "n", "south": "s", CALL: "c", SMALL: "t"},
)


def conversation(*, hardened: bool = True) -> Conversation:
    """Ann with two sockets of two sessions, Bob and Eve with one each; nobody is anywhere."""
    made = Conversation(hardened)
    for user in IDS.users:
        made.known(user, None, "online")
    for room in ("north", "south"):
        made.made(room, room)
    made.made(CALL, CALL, voice=True)
    made.made(SMALL, SMALL, voice=True, places=1)
    for socket, user in (("ann/1", "ann"), ("ann/2", "ann"), ("bob/1", "bob"), ("eve/1", "eve")):
        session = f"session of {socket}"
        made.sessions[session] = user
        made.opened(socket, user, session)
    made.touched.clear()
    return made


@pytest.fixture
def talk() -> Conversation:
    """The hardened one."""
    return conversation()


def due(talk: Conversation, *, needed: bool = True) -> dict[str, list[str]]:
    """What each socket has yet to hear, by type; it is heard now. needed: without what may never come."""
    heard: dict[str, list[str]] = {}
    for (socket, _), some in talk.due.items():
        heard.setdefault(socket, []).extend(one.type for one in some if not (needed and one.optional))
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
    talk.calls("ann/2", CALL)
    talk.calls("bob/1", CALL, muted=True)
    due(talk)
    talk.drops("ann/1")
    assert due(talk) == {}
    talk.drops("ann/2")
    assert [one.type for one in talk.due["bob/1", CALL]] == ["voice_state", "user_left"]
    assert sorted(due(talk)["bob/1"]) == ["user_left", "user_left", "voice_state"]


def test_one_who_leaves_by_request_is_out(talk: Conversation) -> None:
    """By the last socket there; unanswered, and heard by the others alone (ruling R35)."""
    for socket in ("bob/1", "ann/1", "ann/2"):
        talk.enters(socket, "north")
    due(talk)
    talk.leaves("ann/1", "north")
    assert due(talk) == {}
    talk.leaves("ann/2", "north")
    assert due(talk) == {"bob/1": ["user_left"]}
    talk.posts("eve", "north", "hello")
    assert due(talk) == {"bob/1": ["message"]}


def test_a_newcomer_hears_who_is_in_the_call(talk: Conversation) -> None:
    """First of themselves, then of the others in any order (ruling R38)."""
    talk.calls("ann/1", CALL, muted=True)
    talk.calls("eve/1", CALL)
    due(talk)
    talk.calls("bob/1", CALL)
    own, *others = talk.due["bob/1", CALL]
    assert (own.data["userId"], own.together) == ("bob", None)
    assert [one.data["userId"] for one in others] == ["ann", "eve"]
    assert others[0].together == others[1].together != own.together
    assert others[0].data["isMuted"]


def test_a_call_goes_on_by_another_socket(talk: Conversation) -> None:
    """It keeps the flags and is no newcomer; one null takes both out (ruling R38)."""
    talk.calls("ann/1", CALL, muted=True)
    talk.calls("bob/1", CALL)
    due(talk)
    talk.calls("ann/2", CALL, deafened=True)
    assert talk.due["bob/1", CALL][0].data == {"userId": "ann", "channelId": CALL, "isMuted": True, "isDeafened": True}
    assert due(talk) == {"ann/1": ["voice_state"], "ann/2": ["voice_state"], "bob/1": ["voice_state"]}
    talk.drops("ann/1")
    assert due(talk) == {}
    talk.hangs_up("ann/2")
    assert due(talk) == {"ann/2": ["voice_state"], "bob/1": ["voice_state", "user_left"]}
    talk.hangs_up("ann/2")
    assert due(talk) == {"ann/2": ["voice_state"]}


def test_one_call_at_a_time(talk: Conversation) -> None:
    """Entering another leaves the first, with flags that start anew; one that is full changes nothing (R38)."""
    talk.calls("bob/1", CALL)
    talk.calls("ann/1", CALL, muted=True)
    due(talk)
    talk.calls("ann/1", SMALL)
    assert due(talk) == {"bob/1": ["voice_state", "user_left"], "ann/1": ["voice_state"] * 2}
    assert (talk.talkers(CALL), talk.talkers(SMALL)) == (["bob"], ["ann"])
    assert not talk.talking["ann"].muted
    talk.calls("bob/1", SMALL)
    assert due(talk, needed=False) == {"bob/1": ["error"]}
    assert talk.talkers(CALL) == ["bob"]


def test_the_end_of_a_session_ends_its_sockets(talk: Conversation) -> None:
    """And those only (ruling P2)."""
    for socket in ("ann/1", "ann/2", "bob/1"):
        talk.enters(socket, "north")
    due(talk)
    assert talk.ends("session of ann/1") == ["ann/1"]
    assert due(talk) == {}
    assert talk.ends("session of ann/2") == ["ann/2"]
    assert due(talk) == {"bob/1": ["user_left"]}


def test_documented_a_session_ends_alone() -> None:
    """Sockets claim who they are (rulings P2 and P4)."""
    talk = conversation(hardened=False)
    assert talk.ends("session of ann/1") == []
    assert "ann/1" in talk.sockets


def test_a_deleted_channel_is_left_by_nobody(talk: Conversation) -> None:
    """A room goes in silence; a call ends for each of its members, for all who are there (ruling R14)."""
    talk.enters("ann/1", "north")
    talk.calls("ann/1", CALL)
    talk.calls("bob/1", CALL)
    due(talk)
    talk.removes("north")
    assert due(talk) == {}
    talk.removes(CALL)
    assert due(talk) == {"ann/1": ["voice_state"] * 2, "bob/1": ["voice_state"] * 2}
    talk.drops("ann/1")
    assert due(talk) == {}


def test_what_rest_may_show_otherwise_is_touched(talk: Conversation) -> None:
    """So that it is read after the step."""
    talk.renames("ann", "Zoe")
    talk.says("bob/1", "north", "hello")
    talk.calls("eve/1", CALL)
    assert talk.touched == {"ann", "north", CALL}


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
NEITHER, NOR = (Heard("voice_state", {"userId": user, "channelId": None}, together="end") for user in ("bob", "eve"))


def test_what_is_predicted_is_heard_in_order() -> None:
    """An extension may be missing; members beyond the seed's do not matter."""
    heard = ears(JOINED, TYPES, LEFT)
    heard.take("ann/1", frame("user_joined", userId="b", extra=1))
    heard.take("ann/1", frame("user_left", userId="b"))


def test_what_has_no_order_is_heard_in_any() -> None:
    """And what follows it comes when all of it has come."""
    heard = ears(NEITHER, NOR, LEFT)
    for user in ("e", "b"):
        heard.take("ann/1", frame("voice_state", userId=user, channelId=None))
    heard.take("ann/1", frame("user_left", userId="b"))


def test_a_message_is_known_by_the_id_that_it_came_with() -> None:
    """The edited one must have it too."""
    talk = conversation()
    talk.says("ann/1", "north", "hello")
    said = frame(
        "message",
        id="m1",
        content="hello",
        edited=False,
        authorId="a",
        author={"id": "a", "displayName": None, "status": "ONLINE"},
    )
    heard = Ears(talk, IDS)
    heard.take("ann/1", said)
    talk.edits(talk.messages["north"][0], "hello again")
    edited = {**said["data"], "content": "hello again", "edited": True}
    with pytest.raises(Violation):
        heard.take("ann/1", frame("message_edited", **{**edited, "id": "m2"}))
    heard.take("ann/1", frame("message_edited", **edited))


@pytest.mark.parametrize(
    ("expected", "frames"),
    [
        ([], [frame("user_joined", userId="b")]),
        ([JOINED], [frame("user_joined", userId="b")] * 2),
        ([JOINED], [frame("user_joined", userId="e")]),
        ([JOINED, LEFT], [frame("user_left", userId="b")]),
        ([TYPES, LEFT], [frame("user_left", userId="b"), frame("typing", userId="b")]),
        ([NEITHER, NOR, LEFT], [frame("voice_state", userId="b", channelId=None), frame("user_left", userId="b")]),
        ([JOINED], [frame("user_joined", userId="b", channelId="s")]),
        ([JOINED], [frame("user_joined", userId="b", channelId="unheard of")]),
        ([LEFT], [frame("voice_state", userId="b", channelId=None)]),
    ],
    ids=[
        "nothing was due",
        "twice",
        "another user",
        "in another order",
        "an extension too late",
        "before all that may come in any order",
        "in another room",
        "in a room of nobody's",
        "of no room",
    ],
)
def test_anything_else_is_a_violation(expected: list[Heard], frames: list[dict[str, Any]]) -> None:
    """Extra, doubled, wrong or out of order."""
    heard, last = ears(*expected), frames.pop()
    for one in frames:
        heard.take("ann/1", one)
    with pytest.raises(Violation):
        heard.take("ann/1", last)
