"""The actions that a text frame causes, without any socket."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hype import spec
from hype.errors import Unavailable
from hype.gateway.identity import introduces
from hype.gateway.protocol import Action, Close, Dispatch, Refuse, Session, refusal
from hype.spec import Profile


def session(profile: Profile = "hardened", bound: bool = True) -> Session:
    """Return a session under the real contract, of a socket with an identity or without one."""
    gateway = spec.load(profile).gateway
    checks = {name: each.data.failure for name, each in gateway.receives.items()}

    def may_send(name: str, data: object) -> bool:
        return bound or introduces(gateway.identity, name, data)

    return Session(checks, may_send, gateway.rate.close_after if gateway.rate else None)


def code(actions: list[Action]) -> Any:
    """Return the error code of a refusal that is the only action."""
    (refuse,) = actions
    assert isinstance(refuse, Refuse)
    return refuse.data["code"]


def frame(type_: object, **data: Any) -> str:
    """Return a text frame."""
    return json.dumps({"type": type_, "data": data})


def test_a_valid_frame_is_dispatched() -> None:
    """The handler gets name and data; the timestamp and unknown members of the frame are ignored."""
    text = '{"type": "typing", "data": {"channelId": "c", "more": 1}, "timestamp": false, "x": []}'
    assert session().receive(text) == [Dispatch("typing", {"channelId": "c", "more": 1})]


def test_missing_data_is_an_empty_object() -> None:
    """`user_joined` needs no member and may come without `data`; null is not an object."""
    assert session().receive('{"type": "user_joined"}') == [Dispatch("user_joined", {})]
    assert code(session().receive('{"type": "user_joined", "data": null}')) == "invalid_message"


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"type": Infinity}', "\ufeff{}", "[" * 60_000, '{"type":' * 8_000, "'a'", "\x00", "\ud800"],
)
def test_text_that_is_not_json_is_invalid_json(text: str) -> None:
    """Text that is not JSON is refused as `invalid_json`, and nothing is raised."""
    assert code(session().receive(text)) == "invalid_json"


@pytest.mark.parametrize("text", ["[]", "null", "1", '"typing"', "{}", '{"type": null}', '{"type": ["typing"]}'])
def test_json_that_is_no_frame_is_an_invalid_message(text: str) -> None:
    """A frame is a JSON object with a string `type`."""
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
def test_data_must_keep_the_contract(type_: str, data: dict[str, Any]) -> None:
    """Every bound of asyncapi.yaml refuses data that breaks it, with issues."""
    (refuse,) = session().receive(frame(type_, **data))
    assert isinstance(refuse, Refuse)
    assert refuse.data["code"] == "invalid_message"
    assert all(issue["path"] for issue in refuse.data["details"])


def test_a_long_message_gets_the_quoted_text() -> None:
    """2001 code points get the text of the REST API; 2000 of any plane are accepted."""
    (refuse,) = session().receive(frame("message", channelId="c", content="👋" * 2001))
    assert refuse == Refuse({"code": "invalid_message", "message": "content must not exceed 2000 characters"})
    (dispatch,) = session().receive(frame("message", channelId="c", content="👋" * 2000))
    assert isinstance(dispatch, Dispatch)


def test_huge_numbers_are_invalid_messages() -> None:
    """Thousands of digits, and an exponent beyond every float, are an invalid message like any other number."""
    for number in ("9" * 5000, "-1e999999"):
        text = f'{{"type": "typing", "data": {{"channelId": {number}}}}}'
        assert code(session().receive(text)) == "invalid_message"


@pytest.mark.parametrize("depth", range(100, 1100, 50))
def test_deep_nesting_is_refused(depth: int) -> None:
    """Nesting of any depth is refused, wherever the stack ends."""
    nested = "[" * depth + "]" * depth
    text = f'{{"type": "typing", "data": {{"channelId": {nested}}}}}'
    assert code(session().receive(text)) in {"invalid_json", "invalid_message"}


def test_an_unknown_type_comes_before_every_other_error() -> None:
    """An unknown type is told even to a socket without an identity, whatever the data."""
    assert code(session(bound=False).receive('{"type": "error", "data": 5}')) == "unknown_type"
    assert code(session(bound=False).receive(frame("\ud800"))) == "unknown_type"


def test_an_unbound_socket_may_only_send_a_token() -> None:
    """Known events are `unauthenticated` before their data is checked; a token is checked."""
    unbound = session(bound=False)
    for text in (frame("typing"), frame("user_joined", userId="u"), '{"type": "user_joined", "data": 5}'):
        assert code(unbound.receive(text)) == "unauthenticated"
    assert code(unbound.receive(frame("voice_state", userId="u", channelId="c"))) == "unauthenticated"
    assert code(unbound.receive(frame("user_joined", token=5))) == "invalid_message"
    assert unbound.receive(frame("user_joined", token="t")) == [Dispatch("user_joined", {"token": "t"})]


def test_an_unbound_socket_may_claim_in_the_documented_profile() -> None:
    """`user_joined` claims by id or name, `voice_state` by id; every other event stays `unauthenticated`."""
    unbound = session("documented", bound=False)
    claims = ({"userId": "u"}, {"username": "u"}, {"token": "t"})
    assert all(isinstance(unbound.receive(frame("user_joined", **claim))[0], Dispatch) for claim in claims)
    assert isinstance(unbound.receive(frame("voice_state", userId="u", channelId="c"))[0], Dispatch)
    assert code(unbound.receive(frame("voice_state", username="u", channelId="c"))) == "unauthenticated"
    assert code(unbound.receive(frame("message", userId="u"))) == "unauthenticated"


def test_ten_frames_over_the_limit_in_a_row_close_the_socket() -> None:
    """The tenth frame is answered and closes with 4429; a frame within the limit restarts the count."""
    reader = session()
    for _ in range(9):
        assert code(reader.receive("anything", within_rate=False)) == "rate_limited"
    assert code(reader.receive("anything", within_rate=True)) == "invalid_json"
    for _ in range(9):
        assert code(reader.receive("anything", within_rate=False)) == "rate_limited"
    refuse, close = reader.receive("anything", within_rate=False)
    assert isinstance(refuse, Refuse)
    assert isinstance(close, Close)
    assert close.code == 4429


def test_an_outage_has_a_code_of_its_own() -> None:
    """A client hears `unavailable` (A12); the seconds to wait are REST's alone."""
    assert refusal(Unavailable(retry_after_s=5)) == {"code": "unavailable", "message": "Service unavailable"}
