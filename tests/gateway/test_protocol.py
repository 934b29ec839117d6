"""What a text frame is taken for, without any socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hype import spec
from hype.gateway.protocol import Action, Close, Dispatch, Refuse, Session
from hype.spec import Profile


def session(profile: Profile = "hardened", identified: bool = True) -> Session:
    """A session under the real contract."""
    gateway = spec.load(profile).gateway
    checks = {name: each.data.failure for name, each in gateway.receives.items()}
    one = Session(checks, gateway.identity, gateway.rate.close_after if gateway.rate else None)
    one.identified = identified
    return one


def code(actions: list[Action]) -> Any:
    """The error code, when a frame is refused and no more than that."""
    (refuse,) = actions
    assert isinstance(refuse, Refuse)
    return refuse.data["code"]


def frame(type_: object, **data: Any) -> str:
    """A text frame."""
    return json.dumps({"type": type_, "data": data})


def test_a_valid_frame_is_dispatched() -> None:
    """Name and data reach the handler; the client's timestamp and unknown members are nobody's business."""
    text = '{"type": "typing", "data": {"channelId": "c", "more": 1}, "timestamp": false, "x": []}'
    assert session().receive(text) == [Dispatch("typing", {"channelId": "c", "more": 1})]


def test_missing_data_is_an_empty_object() -> None:
    """`user_joined` needs no member, so it may come without data; null is no object."""
    assert session().receive('{"type": "user_joined"}') == [Dispatch("user_joined", {})]
    assert code(session().receive('{"type": "user_joined", "data": null}')) == "invalid_message"


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"type": Infinity}', "\ufeff{}", "[" * 60_000, '{"type":' * 8_000, "'a'", "\x00", "\ud800"],
)
def test_what_is_not_json_is_said_to_be_so(text: str) -> None:
    """Whatever the text, it is refused as `invalid_json`, and nothing is raised."""
    assert code(session().receive(text)) == "invalid_json"


@pytest.mark.parametrize("text", ["[]", "null", "1", '"typing"', "{}", '{"type": null}', '{"type": ["typing"]}'])
def test_what_is_no_frame_is_an_invalid_message(text: str) -> None:
    """JSON that is not an object with a string `type`."""
    assert code(session().receive(text)) == "invalid_message"


@pytest.mark.parametrize(
    ("type_", "data"),
    [
        ("typing", {}),
        ("typing", {"channelId": 5}),
        ("typing", {"channelId": ""}),
        ("typing", {"channelId": "a\x00b"}),
        ("typing", {"channelId": "\ud800"}),
        ("user_left", {"channelId": None}),
        ("message", {"channelId": "c"}),
        ("message", {"channelId": "c", "content": " \t\n"}),
        ("message", {"channelId": "c", "content": "\udfff"}),
        ("voice_state", {}),
        ("voice_state", {"channelId": "c", "isMuted": 1}),
        ("voice_state", {"channelId": None, "isDeafened": None}),
        ("voice_state", {"channelId": 10**30}),
        ("user_joined", {"channelId": None}),
        ("user_joined", {"token": 5}),
        ("user_joined", {"userId": "\x00"}),
    ],
)
def test_data_is_held_against_the_contract(type_: str, data: dict[str, Any]) -> None:
    """Every bound of asyncapi.yaml refuses what breaks it, with issues."""
    (refuse,) = session().receive(frame(type_, **data))
    assert isinstance(refuse, Refuse)
    assert refuse.data["code"] == "invalid_message"
    assert all(issue["path"] for issue in refuse.data["details"])


def test_a_long_message_is_told_in_the_quoted_words() -> None:
    """2001 code points get the REST API's own sentence, 2000 of any plane are fine."""
    (refuse,) = session().receive(frame("message", channelId="c", content="👋" * 2001))
    assert refuse == Refuse({"code": "invalid_message", "message": "content must not exceed 2000 characters"})
    (dispatch,) = session().receive(frame("message", channelId="c", content="👋" * 2000))
    assert isinstance(dispatch, Dispatch)


def test_numbers_without_end_are_merely_wrong() -> None:
    """Thousands of digits, or an exponent beyond every float, are an invalid message like any other number."""
    for number in ("9" * 5000, "-1e999999"):
        text = f'{{"type": "typing", "data": {{"channelId": {number}}}}}'
        assert code(session().receive(text)) == "invalid_message"


@pytest.mark.parametrize("depth", range(100, 1100, 50))
def test_depth_never_escapes(depth: int) -> None:
    """However deep the nesting and wherever the stack ends, the frame is refused."""
    nested = "[" * depth + "]" * depth
    text = f'{{"type": "typing", "data": {{"channelId": {nested}}}}}'
    assert code(session().receive(text)) in {"invalid_json", "invalid_message"}


def test_an_unknown_type_is_told_before_anything_else() -> None:
    """Even before the socket has an identity, and whatever its data."""
    assert code(session(identified=False).receive('{"type": "error", "data": 5}')) == "unknown_type"
    assert code(session(identified=False).receive(frame("\ud800"))) == "unknown_type"


def test_a_stranger_may_only_bring_a_token() -> None:
    """Known events are unauthenticated before their data is looked at; a token is looked at."""
    stranger = session(identified=False)
    for text in (frame("typing"), frame("user_joined", userId="u"), '{"type": "user_joined", "data": 5}'):
        assert code(stranger.receive(text)) == "unauthenticated"
    assert code(stranger.receive(frame("voice_state", userId="u", channelId="c"))) == "unauthenticated"
    assert code(stranger.receive(frame("user_joined", token=5))) == "invalid_message"
    assert stranger.receive(frame("user_joined", token="t")) == [Dispatch("user_joined", {"token": "t"})]


def test_a_stranger_may_claim_in_the_documented_profile() -> None:
    """By id or name in `user_joined`, by id in `voice_state`; the rest stays unauthenticated."""
    stranger = session("documented", identified=False)
    claims = ({"userId": "u"}, {"username": "u"}, {"token": "t"})
    assert all(isinstance(stranger.receive(frame("user_joined", **claim))[0], Dispatch) for claim in claims)
    assert isinstance(stranger.receive(frame("voice_state", userId="u", channelId="c"))[0], Dispatch)
    assert code(stranger.receive(frame("voice_state", username="u", channelId="c"))) == "unauthenticated"
    assert code(stranger.receive(frame("message", userId="u"))) == "unauthenticated"


def test_ten_frames_over_the_limit_in_a_row_close() -> None:
    """The tenth is answered and then closes with 4429; a frame in between starts the count again."""
    one = session()
    for _ in range(9):
        assert code(one.receive("anything", admitted=False)) == "rate_limited"
    assert code(one.receive("anything", admitted=True)) == "invalid_json"
    for _ in range(9):
        assert code(one.receive("anything", admitted=False)) == "rate_limited"
    refuse, close = one.receive("anything", admitted=False)
    assert isinstance(refuse, Refuse)
    assert isinstance(close, Close)
    assert close.code == 4429
