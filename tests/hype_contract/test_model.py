"""The stateful model: the frames that it predicts, and the violations that it finds in other frames."""

from __future__ import annotations

from collections import deque
from typing import Any

import pytest

from hype_contract.actors.must import Violation
from hype_contract.cases.model.chat_model import ChatModel, ExpectedFrame
from hype_contract.cases.model.frame_checker import FrameChecker, Ids

CALL, SMALL = "call", "small call"
IDS = Ids(
    users={"ann": "a", "bob": "b", "eve": "e"},
    rooms={"north": "n", "south": "s", CALL: "c", SMALL: "t"},
)


def chat_model(*, hardened: bool = True) -> ChatModel:
    """Return a model of Ann with two sockets of two sessions, and Bob and Eve with one each; all rooms are empty."""
    made = ChatModel(hardened)
    for user in IDS.users:
        made.add_user(user, None, "online")
    for room in ("north", "south"):
        made.make_room(room, room)
    made.make_room(CALL, CALL, voice=True)
    made.make_room(SMALL, SMALL, voice=True, user_limit=1)
    for socket, user in (("ann/1", "ann"), ("ann/2", "ann"), ("bob/1", "bob"), ("eve/1", "eve")):
        session = f"session of {socket}"
        made.sessions[session] = user
        made.open(socket, user, session)
    made.touched.clear()
    return made


@pytest.fixture
def model() -> ChatModel:
    """The model in the hardened profile."""
    return chat_model()


def due(model: ChatModel, *, needed: bool = True) -> dict[str, list[str]]:
    """Return the types that each socket has yet to hear, and clear them. needed: leave out optional frames."""
    types: dict[str, list[str]] = {}
    for (socket, _), frames in model.due.items():
        types.setdefault(socket, []).extend(frame.type for frame in frames if not (needed and frame.optional))
        frames.clear()
    return {socket: some for socket, some in types.items() if some}


def test_a_room_hears_each_user_enter_once(model: ChatModel) -> None:
    """A user who is already there, with another socket, is answered alone (ruling R34)."""
    model.enter("bob/1", "north")
    model.enter("ann/1", "north")
    assert due(model) == {"bob/1": ["user_joined"] * 2, "ann/1": ["user_joined"]}
    model.enter("ann/2", "north")
    assert due(model) == {"ann/2": ["user_joined"]}


def test_a_message_by_socket_joins_the_room(model: ChatModel) -> None:
    """The author joins silently and hears the message; a message by REST joins nothing (ruling R36)."""
    model.enter("bob/1", "north")
    model.enter("eve/1", "south")
    due(model)
    model.say("ann/1", "north", "hello")
    assert due(model) == {"bob/1": ["message"], "ann/1": ["message"]}
    model.post("eve", "north", "hello by REST")
    assert due(model) == {"bob/1": ["message"], "ann/1": ["message"]}


def test_the_last_socket_takes_the_user_out(model: ChatModel) -> None:
    """The drop of an earlier socket is not heard (ruling R35); the call hears the voice_state first (R38)."""
    for socket in ("ann/1", "ann/2", "bob/1"):
        model.enter(socket, "north")
    model.call("ann/2", CALL)
    model.call("bob/1", CALL, muted=True)
    due(model)
    model.drop("ann/1")
    assert due(model) == {}
    model.drop("ann/2")
    assert [frame.type for frame in model.due["bob/1", CALL]] == ["voice_state", "user_left"]
    assert sorted(due(model)["bob/1"]) == ["user_left", "user_left", "voice_state"]


def test_a_user_who_leaves_by_request_is_out(model: ChatModel) -> None:
    """The request of the last socket gets no answer, and the others hear it (ruling R35)."""
    for socket in ("bob/1", "ann/1", "ann/2"):
        model.enter(socket, "north")
    due(model)
    model.leave("ann/1", "north")
    assert due(model) == {}
    model.leave("ann/2", "north")
    assert due(model) == {"bob/1": ["user_left"]}
    model.post("eve", "north", "hello")
    assert due(model) == {"bob/1": ["message"]}


def test_a_newcomer_hears_the_participants_of_the_call(model: ChatModel) -> None:
    """A newcomer hears its own state first, then those of the others in any order (ruling R38)."""
    model.call("ann/1", CALL, muted=True)
    model.call("eve/1", CALL)
    due(model)
    model.call("bob/1", CALL)
    own, *others = model.due["bob/1", CALL]
    assert (own.data["userId"], own.together) == ("bob", None)
    assert [frame.data["userId"] for frame in others] == ["ann", "eve"]
    assert others[0].together == others[1].together != own.together
    assert others[0].data["isMuted"]


def test_a_call_goes_on_with_another_socket(model: ChatModel) -> None:
    """The second socket keeps the flags and is no newcomer; one null takes both sockets out (ruling R38)."""
    model.call("ann/1", CALL, muted=True)
    model.call("bob/1", CALL)
    due(model)
    model.call("ann/2", CALL, deafened=True)
    assert model.due["bob/1", CALL][0].data == {"userId": "ann", "channelId": CALL, "isMuted": True, "isDeafened": True}
    assert due(model) == {"ann/1": ["voice_state"], "ann/2": ["voice_state"], "bob/1": ["voice_state"]}
    model.drop("ann/1")
    assert due(model) == {}
    model.hang_up("ann/2")
    assert due(model) == {"ann/2": ["voice_state"], "bob/1": ["voice_state", "user_left"]}
    model.hang_up("ann/2")
    assert due(model) == {"ann/2": ["voice_state"]}


def test_a_user_is_in_one_call_at_a_time(model: ChatModel) -> None:
    """An entry into another call leaves the first and resets the flags; a full call changes nothing (ruling R38)."""
    model.call("bob/1", CALL)
    model.call("ann/1", CALL, muted=True)
    due(model)
    model.call("ann/1", SMALL)
    assert due(model) == {"bob/1": ["voice_state", "user_left"], "ann/1": ["voice_state"] * 2}
    assert (model.participants(CALL), model.participants(SMALL)) == (["bob"], ["ann"])
    assert not model.voice_states["ann"].muted
    model.call("bob/1", SMALL)
    assert due(model, needed=False) == {"bob/1": ["error"]}
    assert model.participants(CALL) == ["bob"]


def test_the_end_of_a_session_ends_its_sockets(model: ChatModel) -> None:
    """The end of a session closes no other session's sockets (ruling P2)."""
    for socket in ("ann/1", "ann/2", "bob/1"):
        model.enter(socket, "north")
    due(model)
    assert model.end_session("session of ann/1") == ["ann/1"]
    assert due(model) == {}
    assert model.end_session("session of ann/2") == ["ann/2"]
    assert due(model) == {"bob/1": ["user_left"]}


def test_documented_a_session_ends_alone() -> None:
    """A documented session ends no sockets, because sockets claim their identity (rulings P2 and P4)."""
    model = chat_model(hardened=False)
    assert model.end_session("session of ann/1") == []
    assert "ann/1" in model.sockets


def test_the_deletion_of_a_channel_sends_no_user_left(model: ChatModel) -> None:
    """A text room ends in silence; a call ends with a voice_state for each of its participants (ruling R14)."""
    model.enter("ann/1", "north")
    model.call("ann/1", CALL)
    model.call("bob/1", CALL)
    due(model)
    model.remove_room("north")
    assert due(model) == {}
    model.remove_room(CALL)
    assert due(model) == {"ann/1": ["voice_state"] * 2, "bob/1": ["voice_state"] * 2}
    model.drop("ann/1")
    assert due(model) == {}


def test_a_user_or_room_that_rest_may_show_differently_is_touched(model: ChatModel) -> None:
    """A touched user or room is read after the step."""
    model.rename("ann", "Zoe")
    model.say("bob/1", "north", "hello")
    model.call("eve/1", CALL)
    assert model.touched == {"ann", "north", CALL}


def checker(*expected: ExpectedFrame) -> FrameChecker:
    """Return a checker of one socket that must hear these frames of one room."""
    model = ChatModel()
    model.due["ann/1", "north"] = deque(expected)
    return FrameChecker(model, IDS)


def frame(type: str, **data: Any) -> dict[str, Any]:
    """Return a frame of that room."""
    return {"type": type, "data": {"channelId": "n", **data}}


JOINED = ExpectedFrame("user_joined", {"userId": "bob", "channelId": "north"})
TYPING = ExpectedFrame("typing", {"userId": "bob", "channelId": "north"}, optional=True)
LEFT = ExpectedFrame("user_left", {"userId": "bob", "channelId": "north"})
END_OF_BOB, END_OF_EVE = (
    ExpectedFrame("voice_state", {"userId": user, "channelId": None}, together="end") for user in ("bob", "eve")
)


def test_frames_come_in_the_predicted_order() -> None:
    """An optional frame may be missing, and unknown members do not matter."""
    frames = checker(JOINED, TYPING, LEFT)
    frames.take("ann/1", frame("user_joined", userId="b", extra=1))
    frames.take("ann/1", frame("user_left", userId="b"))


def test_an_optional_frame_that_never_comes_takes_nothing_from_one_that_must() -> None:
    """The end of one call may be told to a socket outside it. Here it was not, and the next end is due (R38)."""
    end = {"userId": "bob", "channelId": None}
    model = ChatModel()
    model.due["ann/1", "south"] = deque([ExpectedFrame("voice_state", end, optional=True)])
    model.due["ann/1", "north"] = deque([ExpectedFrame("voice_state", end)])
    frames = FrameChecker(model, IDS)
    frames.take("ann/1", frame("voice_state", userId="b", channelId=None))
    assert not model.due["ann/1", "north"]
    frames.take("ann/1", frame("voice_state", userId="b", channelId=None))  # the optional one, late


def test_two_equal_frames_of_which_one_is_optional_come_once_or_twice() -> None:
    """The first to come may be either; a third one is a violation."""
    may, must = ExpectedFrame("typing", {"userId": "bob"}, optional=True), ExpectedFrame("typing", {"userId": "bob"})
    for times in (1, 2):
        frames = checker(may, must, LEFT)
        for _ in range(times):
            frames.take("ann/1", frame("typing", userId="b"))
        frames.take("ann/1", frame("user_left", userId="b"))
    twice = checker(may, must)
    for _ in range(2):
        twice.take("ann/1", frame("typing", userId="b"))
    with pytest.raises(Violation):
        twice.take("ann/1", frame("typing", userId="b"))


def test_frames_that_belong_together_come_in_any_order() -> None:
    """A later frame comes after all of them."""
    frames = checker(END_OF_BOB, END_OF_EVE, LEFT)
    for user in ("e", "b"):
        frames.take("ann/1", frame("voice_state", userId=user, channelId=None))
    frames.take("ann/1", frame("user_left", userId="b"))


def test_a_message_keeps_the_id_of_its_first_frame() -> None:
    """The edited message must show the same id."""
    model = chat_model()
    model.say("ann/1", "north", "hello")
    sent = frame(
        "message",
        id="m1",
        content="hello",
        edited=False,
        authorId="a",
        author={"id": "a", "displayName": None, "status": "ONLINE"},
    )
    frames = FrameChecker(model, IDS)
    frames.take("ann/1", sent)
    model.edit(model.messages["north"][0], "hello again")
    edited = {**sent["data"], "content": "hello again", "edited": True}
    with pytest.raises(Violation):
        frames.take("ann/1", frame("message_edited", **{**edited, "id": "m2"}))
    frames.take("ann/1", frame("message_edited", **edited))


@pytest.mark.parametrize(
    ("expected", "frames"),
    [
        ([], [frame("user_joined", userId="b")]),
        ([JOINED], [frame("user_joined", userId="b")] * 2),
        ([JOINED], [frame("user_joined", userId="e")]),
        ([JOINED, LEFT], [frame("user_left", userId="b")]),
        ([TYPING, LEFT], [frame("user_left", userId="b"), frame("typing", userId="b")]),
        (
            [END_OF_BOB, END_OF_EVE, LEFT],
            [frame("voice_state", userId="b", channelId=None), frame("user_left", userId="b")],
        ),
        ([JOINED], [frame("user_joined", userId="b", channelId="s")]),
        ([JOINED], [frame("user_joined", userId="b", channelId="unheard of")]),
        ([LEFT], [frame("voice_state", userId="b", channelId=None)]),
    ],
    ids=[
        "no frame is due",
        "twice",
        "another user",
        "in another order",
        "an optional frame too late",
        "before all frames that belong together",
        "in another room",
        "in an unknown room",
        "of no room",
    ],
)
def test_any_other_frame_is_a_violation(expected: list[ExpectedFrame], frames: list[dict[str, Any]]) -> None:
    """An extra, doubled, wrong or misplaced frame is a violation."""
    heard, last = checker(*expected), frames.pop()
    for earlier in frames:
        heard.take("ann/1", earlier)
    with pytest.raises(Violation):
        heard.take("ann/1", last)
