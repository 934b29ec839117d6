"""Answers and events that the specs allow, although the reference does not send them: the clients take them."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets.sync.client import connect as open_websocket
from websockets.sync.server import ServerConnection

from hype_contract.actors.clients import opening, wire
from hype_contract.actors.clients.reply import Reply
from hype_contract.actors.must import Unsupported, Violation
from hype_contract.actors.world import World
from hype_contract.cases.fuzzing.requests import _Judge
from hype_contract.cases.rest.samples import statuses_of_unknown
from hype_contract.contract.specs import Contract
from tests.hype_contract.fake import NOW, Fake, Request, api, create_channel, envelope, failure
from tests.hype_contract.test_hostile import MEGABYTES, answering, asked, generated, hostile

MakeWorld = Callable[[Fake], World]
HEALTH = {
    "status": "OK",
    "service": "Hype Backend",
    "version": "1",
    "timestamp": NOW,
    "checks": {"database": "ok", "sfu": "ok"},
}


def deleted_channel(fake: Fake, request: Request) -> tuple[int, object]:
    """Answer a deletion with members that the spec does not name, at two depths."""
    return 200, {**envelope({"id": request.match[0], "by": {"whom": "me"}}), "took": 3}


def test_members_that_the_spec_does_not_name_are_not_seen(fake: Fake, world_on: MakeWorld) -> None:
    """Objects are open (amendment A1), so no case compares what the spec does not name."""
    fake.routes[r"DELETE /api/channels/([^/]+)"] = deleted_channel
    reply = world_on(fake).rest.call("deleteChannel", path={"id": "a"}, token="eyJ.a.x", expect=200)
    assert reply.data == {"id": "a"}
    assert reply.json["data"] == {"id": "a", "by": {"whom": "me"}}


def test_objects_in_lists_and_unions_keep_what_is_named(contract: Contract) -> None:
    """Lists, unions and free maps are walked as the schema says."""
    place = "asyncapi.yaml#/components/messages/userJoined/payload"
    author = {"id": "a", "username": "ann", "displayName": None, "avatarUrl": None, "status": "ONLINE", "mood": 1}
    frame = {"type": "user_joined", "timestamp": NOW, "data": {"userId": "a", "channelId": None}}
    more = {**frame, "data": {**author, "userId": "a", "channelId": None, "mood": 1}, "mood": 1}
    known = {name: author[name] for name in ("username", "displayName", "avatarUrl")}
    assert contract.named.of(place, more) == {**frame, "data": {"userId": "a", "channelId": None, **known}}
    messages = "openapi.yaml#/components/schemas/Message"
    assert "mood" not in contract.named.of(messages, {"author": author, "mood": 1})["author"]
    info = "openapi.yaml#/components/schemas/ApiInfo"
    assert contract.named.of(info, {"endpoints": {"any": "/any"}, "mood": 1}) == {"endpoints": {"any": "/any"}}


def test_a_member_that_is_missing_is_named(fake: Fake, world_on: MakeWorld) -> None:
    """A case that reads an optional member fails with a sentence, not with a KeyError."""
    world = world_on(fake)
    data = world.rest.call("createChannel", body={"name": "a", "type": "text"}, token="eyJ.a.x", expect=201).data
    with pytest.raises(Violation, match="an object with 'mood'"):
        data["mood"]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_an_extension_that_is_not_there_is_unsupported(status: int, fake: Fake, world_on: MakeWorld) -> None:
    """A target may lack an extension; the generic answer to an unknown path says so."""
    fake.routes[r"GET /health/live"] = lambda server, request: (status, failure("Not found"))
    world = world_on(fake)
    with pytest.raises(Unsupported, match="does not have getLiveness"):
        world.rest.call("getLiveness", expect=200)
    assert world.trace.not_implemented == {"getLiveness"}


def test_an_extension_that_answers_404_itself_is_judged(fake: Fake, world_on: MakeWorld) -> None:
    """An operation that answers 401 without a token is there, and its 404 is about what was asked for."""

    def close(server: Fake, request: Request) -> tuple[int, object]:
        return (404, failure("Consumer not found")) if request.user else (401, failure("Not authenticated"))

    fake.routes[r"DELETE /api/voice/consume/([^/]+)"] = close
    world = world_on(fake)
    token = world.guest().token
    with pytest.raises(Violation, match="to answer 200"):
        world.rest.call("closeConsumer", path={"id": "a"}, token=token, expect=200)


def test_issues_have_the_names_of_either_zod() -> None:
    """`invalid_format` and `invalid_value` of zod 4 are read as `invalid_string` and `invalid_enum_value`."""
    issues = [
        {"code": "invalid_format", "format": "email", "path": ["email"], "message": "Invalid email address"},
        {"code": "invalid_value", "values": ["a"], "path": ["type"], "message": "Invalid option"},
        {"code": "custom", "path": [], "message": "no"},
    ]
    body = {"success": False, "error": "Validation failed", "details": issues}
    first, second, third = Reply(None, 400, {}, json.dumps(body).encode()).issues
    assert (first["code"], first["validation"]) == ("invalid_string", "email")
    assert (second["code"], second["options"]) == ("invalid_enum_value", ["a"])
    assert third == issues[2]


@pytest.mark.parametrize(("id", "statuses"), [("c0", [404]), ("no such room", [404, 400]), ("x" * 65, [404, 400])])
def test_an_id_outside_the_alphabet_may_be_400(contract: Contract, id: str, statuses: list[int]) -> None:
    """An id of nothing may be 400 as well as 404 if it is outside the alphabet of ids (amendment A2)."""
    assert statuses_of_unknown(contract, id) == statuses


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_a_number_that_json_lacks_is_a_violation(number: str, contract: Contract) -> None:
    """A body with such a number is a violation: the parser of every browser throws on it."""
    body = json.dumps(HEALTH).replace('"1"', number).encode()
    with hostile(answering(body=body)) as url, pytest.raises(Violation, match=f"JSON has no {number}"):
        asked(contract, url)


def test_a_frame_that_no_client_can_parse_is_a_violation(fake: Fake, world_on: MakeWorld) -> None:
    """An event with a number that JSON lacks is a violation, too."""

    def answer(server: Fake, connection: ServerConnection, text: str) -> None:
        connection.send('{"type":"user_left","timestamp":' + json.dumps(NOW) + ',"data":{"userId":NaN}}')
        connection.close()

    fake.on_frame = answer
    world = world_on(fake)
    ann = world.open_socket()
    ann.send("typing", {})
    ann.closed()
    (noted,) = world.trace.findings.values()
    assert "JSON has no NaN" in noted.got


def early(body: bytes) -> Callable[[socket.socket], None]:
    """Return a server's behaviour that sends hints before its answer."""
    hints = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        connection.sendall(hints + hints + head.encode() + body)

    return behave


def test_early_hints_are_no_answer(contract: Contract) -> None:
    """An informational answer comes before the final one (RFC 9110 section 15.2), in every client of the harness."""
    with hostile(early(json.dumps(HEALTH).encode())) as url:
        asked(contract, url)
        assert generated(contract, url) == []
        assert wire.send(wire.Cut("POST", "/health", b"{}"), httpx.URL(url))[0] == 200


def test_a_body_that_a_proxy_compressed_is_read(contract: Contract) -> None:
    """A proxy may use gzip although no request asks for it."""
    body = gzip.compress(json.dumps(HEALTH).encode())
    with hostile(answering("\r\nContent-Encoding: gzip", body)) as url:
        asked(contract, url)
        assert generated(contract, url) == []


@pytest.mark.parametrize("body", [b"{}", gzip.compress(MEGABYTES)[:-9]], ids=["plain", "cut"])
def test_a_body_that_is_no_gzip_is_a_violation(body: bytes, contract: Contract) -> None:
    """A body with the label gzip must be gzip, and whole."""
    behave = answering("\r\nContent-Encoding: gzip", body)
    with hostile(behave) as url, pytest.raises(Violation, match="Content-Encoding is gzip, but the body"):
        asked(contract, url)


@pytest.mark.parametrize("charset", ["utf-16", "utf-32", "nonsense", "utf-8"])
def test_the_label_of_a_charset_changes_nothing(charset: str, contract: Contract) -> None:
    """JSON has no charset (RFC 8259 section 11): the body is UTF-8, whatever its label says."""
    with hostile(answering(f"; charset={charset}", json.dumps(HEALTH).encode())) as url:
        asked(contract, url)
        if charset == "utf-16":
            assert generated(contract, url) == []


def test_a_connection_belongs_to_one_thread(fake: Fake, world_on: MakeWorld) -> None:
    """Each thread has connections of its own: threads that share some close them for one another."""
    used: dict[int, set[int]] = {}
    fake.routes[r"GET /api"] = lambda server, request: api(server, request)
    world = world_on(fake)

    def ask(_: int) -> None:
        response = world.http.request("GET", "/api")
        port = response.extensions["network_stream"].get_extra_info("client_addr")[1]
        used.setdefault(port, set()).add(threading.get_ident())

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(ask, range(12)))
    ask(0)
    assert used
    assert all(len(threads) == 1 for threads in used.values())


def test_a_gateway_that_closes_at_once_is_a_closed_socket(fake: Fake, world_on: MakeWorld) -> None:
    """A socket that is closed before the client has looked at it counts as one that was open."""

    def slowly(*arguments: Any, **options: Any) -> Any:
        made = open_websocket(*arguments, **options)
        made.recv_events_thread.join()
        return made

    fake.on_connect = lambda connection: connection.close(4401)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "open_websocket", slowly)
        world_on(fake).open_socket("garbage").closed(4401)


def test_a_violation_in_a_hook_of_schemathesis_stays_one(fake: Fake, world_on: MakeWorld) -> None:
    """A request of the harness's own, inside a generated one, may find something wrong."""
    fake.routes[r"POST /auth/guest"] = lambda server, request: (500, failure("no"))
    judge: Any = _Judge(world_on(fake))
    with pytest.raises(Violation, match=r"/auth/(guest|register)"):  # a world without guests registers users
        judge.run(["getCurrentUser"], ("examples", "fuzzing"), 2)


def test_a_new_channel_that_cannot_be_read_is_a_violation(fake: Fake, world_on: MakeWorld) -> None:
    """A generated request creates a channel, and the answer is no JSON: that fails the case."""
    fake.routes[r"POST /api/channels"] = lambda server, request: (201, b"no JSON")
    judge: Any = _Judge(world_on(fake))
    judge.run(["createChannel"], ("examples", "fuzzing"), 2)
    with pytest.raises(Violation, match=r"POST /api/channels to keep openapi\.yaml"):
        judge.report()


@pytest.mark.parametrize("bare", [False, True])
def test_a_channel_of_a_generated_request_is_removed(bare: bool, fake: Fake, world_on: MakeWorld) -> None:
    """The case removes what its requests have created, also of a server that answers a bare channel."""

    def create(server: Fake, request: Request) -> tuple[int, object]:
        if request.user is None:
            return 401, failure("Not authenticated")
        status, made = create_channel(server, request)
        return (200, list(server.channels.values())[-1]) if bare else (status, made)

    fake.routes[r"POST /api/channels"] = create
    world = world_on(fake)
    judge: Any = _Judge(world)
    judge.run(["createChannel"], ("examples",), 2)
    assert fake.channels
    world.close()
    assert fake.channels == {}
