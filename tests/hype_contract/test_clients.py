"""Tests of the REST client and the WebSocket client, which judge and record every answer and every frame."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.actors.clients.gateway import EVENTS_ARE_TEXT, FRAMES_ARE_EVENTS
from hype_contract.actors.clients.opening import address
from hype_contract.actors.clients.rest import NoAnswer
from hype_contract.actors.must import Unsupported, Violation
from hype_contract.actors.world import World
from hype_contract.contract.specs import Pair
from tests.hype_contract.fake import HEADERS, NOW, Fake, Reply, Request, create_channel, failure, health, now_and_then

MakeWorld = Callable[[Fake], World]


def broken_health(change: Callable[[dict[str, object]], object]) -> Callable[[Fake, Request], Reply]:
    """Return a route for `GET /health` whose body is changed by `change`."""

    def route(fake: Fake, request: Request) -> Reply:
        body = dict(health(fake, request)[1])  # type: ignore[call-overload]
        change(body)
        return 200, body

    return route


def wrong_password(fake: Fake, request: Request) -> Reply:
    """Answer `POST /auth/login` as a server does for a wrong password."""
    return 401, failure("Invalid email or password")


def test_a_right_answer_is_recorded(fake: Fake, world_on: MakeWorld) -> None:
    """An answer that keeps the spec counts as exercised and right."""
    world = world_on(fake)
    world.rest.call("getHealth", expect=200)
    assert world.trace.seen == {Pair("operation", "getHealth", "200"): 1}
    assert not world.trace.wrong


def test_an_answer_that_breaks_the_words_is_a_violation(fake: Fake, world_on: MakeWorld) -> None:
    """The client itself finds a body that breaks what the document says in words."""
    fake.routes["POST /auth/guest"] = lambda server, request: (200, {"success": True, "data": {}})
    world = world_on(fake)
    with pytest.raises(Violation, match="'user' is a required property"):
        world.rest.call("loginGuest", body={"username": "somebody"})
    assert world.trace.wrong == {Pair("operation", "loginGuest", "200")}
    assert not world.trace.findings


def test_an_answer_that_breaks_only_the_specs_is_noted(fake: Fake, world_on: MakeWorld) -> None:
    """A body that only the published specs refuse breaks a requirement of its own, and the case goes on (A22)."""
    fake.routes["GET /health"] = broken_health(lambda body: body.pop("checks"))
    world = world_on(fake)
    world.rest.call("getHealth", expect=200)
    assert "'checks' is a required property" in world.trace.findings["spec.getHealth"].got
    assert not world.trace.wrong


def test_an_undocumented_refusal_is_noted(fake: Fake, world_on: MakeWorld) -> None:
    """A 4xx that the spec does not list for the operation breaks the requirement about its answers."""
    fake.routes["GET /health"] = lambda server, request: (418, failure("teapot"))
    world = world_on(fake)
    world.rest.call("getHealth")
    assert "418 is not documented for getHealth" in world.trace.findings["spec.getHealth"].got


def test_an_undocumented_success_is_a_violation(fake: Fake, world_on: MakeWorld) -> None:
    """The document lists the successes of each operation."""
    fake.routes["GET /health"] = lambda server, request: (202, failure("later"))
    with pytest.raises(Violation, match="202 is not documented for getHealth"):
        world_on(fake).rest.call("getHealth")


def test_a_limit_on_requests_is_obeyed(fake: Fake, world_on: MakeWorld) -> None:
    """The client sends a request again after a 429 with Retry-After, which is a limit on requests (A13)."""
    fake.routes["GET /health"] = now_and_then(2, health)
    world = world_on(fake)
    world.rest.call("getHealth", expect=200)
    assert world.trace.seen == {Pair("operation", "getHealth", "200"): 1}


def test_a_429_that_is_documented_is_an_answer(
    fake: Fake, world_on: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client returns a 429 of failed logins (P9), and sends the request again only if `patient`."""
    monkeypatch.setitem(HEADERS, 429, ("Retry-After", "1"))
    fake.routes["POST /auth/login"] = now_and_then(1, wrong_password)
    login = partial(world_on(fake).rest.call, "loginUser", body={"email": "a@b.example", "password": "x"})
    assert login().status == 429
    monkeypatch.setitem(HEADERS, 429, ("Retry-After", "0"))
    fake.routes["POST /auth/login"] = now_and_then(1, wrong_password)
    assert login(patient=True).status == 401


def test_a_limit_that_never_ends_is_a_violation(
    fake: Fake, world_on: MakeWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The client gives up a request that is always refused with 429."""
    monkeypatch.setattr("hype_contract.actors.clients.rest.LONGEST_RETRY_S", 0.05)
    fake.routes["GET /health"] = lambda server, request: (429, failure("Too many requests"))
    with pytest.raises(Violation, match="429 is not documented for getHealth"):
        world_on(fake).rest.call("getHealth")


def test_a_documented_status_may_still_be_the_wrong_one(fake: Fake, world_on: MakeWorld) -> None:
    """A violation of `expect` names the status that should have come."""
    with pytest.raises(Violation, match="to answer 503") as caught:
        world_on(fake).rest.call("getHealth", expect=503)
    assert caught.value.pair == Pair("operation", "getHealth", "503")


def test_a_failure_without_the_envelope_is_noted(fake: Fake, world_on: MakeWorld) -> None:
    """A failure without the envelope of ruling R1 breaks one requirement, even for an unknown path."""
    fake.routes["GET /nowhere"] = lambda server, request: (404, {"message": "no"})
    world = world_on(fake)
    world.rest.raw("GET", "/nowhere")
    assert "success: false" in world.trace.findings["R1.envelope"].got


@pytest.mark.parametrize("origin", [None, "http://evil.example", "http://localhost:5173"])
def test_an_answer_to_the_frontend_allows_its_origin(fake: Fake, world_on: MakeWorld, origin: str | None) -> None:
    """The client judges the CORS headers of every answer to a request with an allowed Origin, failures included."""
    world = world_on(fake)  # the fake server sends no CORS headers
    world.rest.origin = origin
    for path, operation in (("/health", "getHealth"), ("/nowhere", None)):
        if origin not in world.contract.cors.origins:
            world.rest.raw("GET", path, operation=operation)
            continue
        with pytest.raises(Violation, match="Access-Control-Allow-Origin is None"):
            world.rest.raw("GET", path, operation=operation)


def test_a_refusal_needs_its_header(fake: Fake, world_on: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """A 401 without WWW-Authenticate breaks one requirement (ruling R7), and a 405 without Allow another."""
    world = world_on(fake)
    world.rest.call("updateUserStatus", path={"id": "a"}, body={"status": "online"}, expect=401)
    assert not world.trace.findings
    monkeypatch.delitem(HEADERS, 401)
    world.rest.call("updateUserStatus", path={"id": "a"}, body={"status": "online"}, expect=401)
    fake.routes["PUT /health"] = lambda server, request: (405, failure("Method not allowed"))
    world.rest.raw("PUT", "/health")
    assert set(world.trace.findings) == {"R7.www-authenticate", "R8.method-not-allowed"}


def test_a_server_that_follows_the_words_alone_is_read(fake: Fake, world_on: MakeWorld) -> None:
    """Bare channels, 200 for a new one, and a failure without `success` break no case (amendment A23)."""
    world = world_on(fake)
    ann = world.guest("ann")
    made = create_channel(fake, Request((), {"type": "text", "name": "one"}, None))[1]["data"]  # type: ignore[index]
    fake.routes["POST /api/channels"] = lambda server, request: (200, made)
    fake.routes["GET /api/channels"] = lambda server, request: (200, [made])
    fake.routes["PUT /api/users/(.+)/status"] = lambda server, request: (401, {"error": "Unauthorized"})
    assert world.channel(ann)["id"] == made["id"]
    assert world.rest.call("listChannels", token=ann.token, expect=200).data == [made]
    world.rest.call("updateUserStatus", path={"id": "a"}, body={"status": "online"}, expect=401)
    assert set(world.trace.findings) == {"spec.createChannel", "spec.listChannels", "spec.updateUserStatus"}
    assert world.trace.seen[Pair("operation", "createChannel", "201")] == 1


def test_501_is_not_implemented(fake: Fake, world_on: MakeWorld) -> None:
    """A 501 of a voice operation makes the case unsupported, and the trace remembers the operation."""
    fake.routes["GET /api/voice/rtp-capabilities"] = lambda server, request: (501, failure("Not implemented"))
    world = world_on(fake)
    with pytest.raises(Unsupported):
        world.rest.call("getRtpCapabilities")
    assert world.trace.not_implemented == {"getRtpCapabilities"}


def test_501_elsewhere_is_a_violation(fake: Fake, world_on: MakeWorld) -> None:
    """A 501 of any other operation is a violation."""
    fake.routes["GET /health"] = lambda server, request: (501, failure("Not implemented"))
    with pytest.raises(Violation, match="501 is not documented"):
        world_on(fake).rest.call("getHealth")


def test_a_status_that_the_spec_allows_in_place_of_another_passes(fake: Fake, world_on: MakeWorld) -> None:
    """A 400 passes in place of a 415 (ruling R8), and the trace excuses the 415."""
    fake.routes["POST /auth/guest"] = lambda server, request: (400, failure("Invalid JSON"))
    world = world_on(fake)
    world.rest.call("loginGuest", body={}, headers=[("Content-Type", "text/plain")], expect=415)
    assert Pair("operation", "loginGuest", "415") in world.trace.excused


def test_bytes_go_out_as_they_are(fake: Fake, world_on: MakeWorld) -> None:
    """A request target with a bad escape reaches the server unchanged."""
    seen: list[str] = []

    def route(server: Fake, request: Request) -> Reply:
        seen.extend(request.match)
        return 404, failure("Not found")

    fake.routes["GET (/api/users/.*)"] = route
    world_on(fake).rest.raw("GET", "/api/users/%zz%00/../x", operation=None)
    assert seen == ["/api/users/%zz%00/../x"]


def test_a_dead_target_gives_no_answer(fake: Fake, world_on: MakeWorld) -> None:
    """A target that sends no HTTP causes a violation, not an error of the harness."""
    fake.routes["GET /health"] = lambda server, request: (999_999, b"")
    with pytest.raises(NoAnswer):
        world_on(fake).rest.call("getHealth")


def frame(type: str, **data: object) -> str:
    """Return a frame of the server."""
    return json.dumps({"type": type, "data": data, "timestamp": NOW})


def answering(*frames: str) -> Callable[[Fake, ServerConnection, str], None]:
    """Return a gateway that answers every frame with these frames."""

    def answer(fake: Fake, socket: ServerConnection, text: str) -> None:
        for frame in frames:
            socket.send(frame)

    return answer


def test_a_missing_frame_is_explained_by_an_error(fake: Fake, world_on: MakeWorld) -> None:
    """A violation quotes the `error` that came instead; `unavailable` is a code of the spec (A12)."""
    fake.on_frame = answering(frame("error", code="unavailable", message="Service unavailable"))
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("typing", {"channelId": "one"})
    with pytest.raises(Violation, match=r"got \['error unavailable \(Service unavailable\)'\] in 0.2 s"):
        socket.expect("typing", within=0.2)
    assert not world.trace.wrong


JOINED = {"userId": "a", "username": "ann", "displayName": None, "avatarUrl": None}


def test_frames_out_of_order_are_kept(fake: Fake, world_on: MakeWorld) -> None:
    """A frame before the expected frame stays pending."""
    first = frame("user_joined", **JOINED, channelId="one")
    second = frame("user_left", userId="a", username="ann", channelId="one")
    fake.on_frame = answering(first, second)
    socket = world_on(fake).open_socket()
    socket.send("typing", {"channelId": "one"})
    socket.expect("user_left")
    assert socket.expect_next("user_joined")["data"]["channelId"] == "one"


def test_a_fence_shows_that_no_frame_came_before_it(fake: Fake, world_on: MakeWorld) -> None:
    """A frame before the fence is a violation, unless the case asks about another type only."""
    fence = frame("user_left", userId="a", username="ann", channelId="one")
    fake.on_frame = answering(frame("user_joined", **JOINED, channelId="one"), fence)
    world = world_on(fake)
    lenient, strict = world.open_socket(), world.open_socket()
    lenient.send("typing", {"channelId": "one"})
    lenient.expect_nothing_before("user_left", of="message")
    strict.send("typing", {"channelId": "one"})
    with pytest.raises(Violation, match="no frame before user_left"):
        strict.expect_nothing_before("user_left")


def test_a_frame_that_breaks_its_schema_is_noted_and_the_case_goes_on(fake: Fake, world_on: MakeWorld) -> None:
    """A frame that breaks its schema fails the requirement about the event; the case gets it, and those after it."""
    good = frame("user_left", userId="a", username="ann", channelId="one")
    fake.on_frame = answering(frame("voice_state", userId="a"), good)
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("typing", {"channelId": "one"})
    socket.expect("user_left")
    socket.expect("voice_state", {"userId": "a"})
    assert world.trace.wrong == {Pair("event", "voice_state", "out")}
    assert "'isMuted' is a required property" in world.trace.findings["spec.voice_state.out"].got


def test_a_frame_that_breaks_only_the_specs_is_noted(fake: Fake, world_on: MakeWorld) -> None:
    """A frame whose data the document leaves open breaks a requirement of its own, not that about the event."""
    fake.on_frame = answering(frame("user_joined", userId="a"))
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("typing", {"channelId": "one"})
    socket.expect("user_joined", {"userId": "a"})
    assert "'username' is a required property" in world.trace.findings["published.user_joined.out"].got
    assert not world.trace.wrong


@pytest.mark.parametrize("text", ["no json", "[]", "null", '{"type": ["a"]}', '{"type": "welcome"}', '{"data": {}}'])
def test_a_text_that_is_no_frame_is_noted_and_the_case_goes_on(text: str, fake: Fake, world_on: MakeWorld) -> None:
    """A text message that is not a frame, such as an odd greeting, fails the requirement about frames alone."""
    fake.on_frame = answering(text, frame("user_left", userId="a", username="ann", channelId="one"))
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("typing", {"channelId": "one"})
    socket.expect("user_left")
    assert list(world.trace.findings) == [FRAMES_ARE_EVENTS]


def test_an_event_in_a_binary_message_is_noted(fake: Fake, world_on: MakeWorld) -> None:
    """A binary message is wrong even if it holds a good frame, because a page does not get a string for it."""
    good = frame("user_left", userId="a", username="ann", channelId="one").encode()
    fake.on_frame = lambda server, socket, text: socket.send(good)
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("typing", {"channelId": "one"})
    socket.expect("user_left")
    assert "to be a text message" in world.trace.findings[EVENTS_ARE_TEXT].expected
    assert Pair("event", "user_left", "out") not in world.trace.seen


def test_a_good_frame_in_a_binary_message_exercises_nothing(fake: Fake, world_on: MakeWorld) -> None:
    """A binary message from the client does not count for the event in it, because frames are text messages."""
    world = world_on(fake)
    socket = world.open_socket()
    socket.send_raw(json.dumps({"type": "typing", "data": {"channelId": "one"}}).encode(), text=False)
    assert not world.trace.seen


def test_only_a_frame_that_keeps_the_spec_counts_as_exercised(fake: Fake, world_on: MakeWorld) -> None:
    """A frame of the client counts for its event only if it keeps the event's schema."""
    world = world_on(fake)
    socket = world.open_socket()
    socket.send("message", {"content": 7})
    assert not world.trace.seen
    socket.send("typing", {"channelId": "one"})
    assert world.trace.seen == {Pair("event", "typing", "in"): 1}


def test_a_close_is_expected_with_its_code(fake: Fake, world_on: MakeWorld) -> None:
    """The expected close code passes; another code is a violation."""
    fake.on_frame = lambda server, socket, text: socket.close(4401, "go")
    world = world_on(fake)
    for codes, raises in (((4401,), False), ((4429, 1013), True)):
        socket = world.open_socket()
        socket.send("typing", {"channelId": "one"})
        if raises:
            with pytest.raises(Violation, match="closed with 4429 or 1013, got closed with 4401 go"):
                socket.closed(*codes)
        else:
            assert socket.closed(*codes) == 4401


def test_a_world_tidies_up(fake: Fake, world_on: MakeWorld) -> None:
    """A world deletes the channels of its case at the end."""
    world = world_on(fake)
    ann, bob = world.guests("ann", "bob")
    room = world.channel(ann)["id"]
    world.socket(ann, join=room)
    world.socket(bob, join=room)
    assert list(fake.channels) == [room]
    world.close()
    assert not fake.channels
    assert not world.trace.exercised


@pytest.mark.parametrize(
    ("url", "with_token"),
    [
        ("ws://h:1", "ws://h:1/?token=a.b"),
        ("ws://h:1/ws", "ws://h:1/ws?token=a.b"),
        ("wss://h/ws/?v=1", "wss://h/ws/?v=1&token=a.b"),
    ],
)
def test_the_token_joins_the_gateways_own_url(url: str, with_token: str) -> None:
    """The token is added to the gateway's URL, which may have a path and a query already."""
    assert address(url, None) == url
    assert address(url, "a.b") == with_token
