"""Messages that are not whole, or not valid, have no effect (RFC 9112, amendment A19)."""

from __future__ import annotations

import json

import pytest

from hype_contract.actors.world import World
from tests.rest.raw import Received, exchange
from tests.running import Running

LINE = b"POST /api/messages HTTP/1.1\r\n"
HOST = b"Host: x\r\n"
KNOWN = b"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: {length}\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"
HEAD = LINE + HOST + KNOWN
WHOLE = HEAD + LENGTH + b"\r\n{body}"
CHUNKS = HEAD + CHUNKED + b"\r\n"

# Each would store a message if it was taken: {token} is good, {body} is a message, {length} and {hex} are its length.
REFUSED = {
    "without Host": LINE + KNOWN + LENGTH + b"\r\n{body}",
    "with two Hosts": LINE + HOST + HOST + KNOWN + LENGTH + b"\r\n{body}",
    "with an invalid Host": LINE + b"Host: x y\r\n" + KNOWN + LENGTH + b"\r\n{body}",
    "with a Host of two": LINE + b"Host: x,y, z\r\n" + KNOWN + LENGTH + b"\r\n{body}",
    "with a Host and a user": LINE + b"Host: a@x\r\n" + KNOWN + LENGTH + b"\r\n{body}",
    "with a Host and a path": LINE + b"Host: x/y\r\n" + KNOWN + LENGTH + b"\r\n{body}",
    "with a length and chunks": HEAD + LENGTH + CHUNKED + b"\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "with chunks and a length": HEAD + CHUNKED + LENGTH + b"\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "with two lengths": HEAD + LENGTH + b"Content-Length: 5\r\n\r\n{body}",
    "with a list of lengths": HEAD + b"Content-Length: {length}, {length}\r\n\r\n{body}",
    "with a signed length": HEAD + b"Content-Length: +{length}\r\n\r\n{body}",
    "with a negative length": HEAD + b"Content-Length: -1\r\n\r\n{body}",
    "with a hexadecimal length": HEAD + b"Content-Length: 0x{hex}\r\n\r\n{body}",
    "with an empty length": HEAD + b"Content-Length:\r\n\r\n{body}",
    "with a length beyond measure": HEAD + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n{body}",
    "with another transfer coding": HEAD + b"Transfer-Encoding: gzip, chunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "with chunks twice": HEAD + b"Transfer-Encoding: chunked, chunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "with a hidden transfer coding": HEAD + b"Transfer-Encoding: \x0bchunked\r\n" + LENGTH + b"\r\n{body}",
    "with a transfer coding in 1.0": CHUNKS.replace(b"1.1", b"1.0") + b"{hex}\r\n{body}\r\n0\r\n\r\n",
    "with a folded field": HEAD + LENGTH + b"X: a\r\n b\r\n\r\n{body}",
    "with a folded first field": LINE + b" Host: x\r\n" + HOST + KNOWN + LENGTH + b"\r\n{body}",
    "with a space before a colon": HEAD + b"Content-Length : {length}\r\n\r\n{body}",
    "with a space in a name": HEAD + LENGTH + b"X Y: a\r\n\r\n{body}",
    "with a field without a colon": HEAD + LENGTH + b"X\r\n\r\n{body}",
    "with a field without a name": HEAD + LENGTH + b": a\r\n\r\n{body}",
    "with a bare LF": HEAD + LENGTH.replace(b"\r\n", b"\n") + b"\r\n{body}",
    "with bare LFs only": (HEAD + LENGTH + b"\r\n").replace(b"\r\n", b"\n") + b"{body}",
    "with a bare CR in a value": HEAD + LENGTH + b"X: a\rb\r\n\r\n{body}",
    "with NUL in a value": HEAD + LENGTH + b"X: a\0b\r\n\r\n{body}",
    "with two tokens": HEAD + b"Authorization: Bearer forged\r\n" + LENGTH + b"\r\n{body}",
    "with two media types": HEAD + b"Content-Type: text/plain\r\n" + LENGTH + b"\r\n{body}",
    "with two spaces in its line": WHOLE.replace(b"POST ", b"POST  "),
    "with a space in its target": WHOLE.replace(b"/messages ", b"/messages ?x "),
    "with a fragment": WHOLE.replace(b"/messages ", b"/messages#x "),
    "with a target without a slash": WHOLE.replace(b" /api", b" api"),
    "with octets beyond ASCII in its target": WHOLE.replace(b"/messages ", b"/messages?\xc3\xa9 "),
    "of HTTP/2": WHOLE.replace(b"HTTP/1.1", b"HTTP/2.0"),
    "of HTTP/0.9": WHOLE.replace(b" HTTP/1.1", b""),
    "of http/1.1": WHOLE.replace(b"HTTP", b"http"),
    "behind two empty lines": b"\r\n\r\n" + WHOLE,
    "behind a space": b" " + WHOLE,
    "with a signed size of a chunk": CHUNKS + b"+{hex}\r\n{body}\r\n0\r\n\r\n",
    "with 0x before the size of a chunk": CHUNKS + b"0x{hex}\r\n{body}\r\n0\r\n\r\n",
    "with an empty size of a chunk": CHUNKS + b"{hex}\r\n{body}\r\n\r\n\r\n",
    "with a chunk that is longer than its size": CHUNKS + b"{hex}\r\n{body}x\r\n0\r\n\r\n",
    "with a chunk that ends in LF": CHUNKS + b"{hex}\n{body}\r\n0\r\n\r\n",
    "with an extension that holds LF": CHUNKS + b"{hex};a\nb\r\n{body}\r\n0\r\n\r\n",
    "with a bare LF in its trailer": CHUNKS + b"{hex}\r\n{body}\r\n0\r\nX: a\nY: b\r\n\r\n",
    "with a trailer that is no field": CHUNKS + b"{hex}\r\n{body}\r\n0\r\nX\r\n\r\n",
    "with a length in its trailer": CHUNKS + b"{hex}\r\n{body}\r\n0\r\n" + LENGTH + b"\r\n",
}

# The client says that it sends no more, before all has come.
CUT = {
    "in its line": LINE[:-4],
    "in its head": HEAD + LENGTH,
    "before its body": HEAD + LENGTH + b"\r\n",
    "before the last octet of its body": HEAD + b"Content-Length: {longer}\r\n\r\n{body}",
    "before its last chunk": CHUNKS + b"{hex}\r\n{body}\r\n",
    "before the end of its last chunk": CHUNKS + b"{hex}\r\n{body}\r\n0\r\n",
    "in its trailer": CHUNKS + b"{hex}\r\n{body}\r\n0\r\nX: a\r\n",
}

# The same message in other words.
TAKEN = {
    "plain": WHOLE,
    "in chunks": CHUNKS + b"{hex}\r\n{body}\r\n0\r\n\r\n",
    "in chunks with extensions": CHUNKS + b'{hex} ;a;b="c"\r\n{body}\r\n0;d\r\n\r\n',
    "with capitals in the coding": HEAD + b"TRANSFER-encoding: Chunked\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "with an absolute target": WHOLE.replace(b" /api", b" http://x:80/api"),
    "with a port": WHOLE.replace(b"Host: x", b"Host: [::1]:3001"),
    "behind an empty line": b"\r\n" + WHOLE,
    "with white space around values": WHOLE.replace(b"Host: x", b"Host:\t x \t"),
    "of 1.0": (WHOLE.replace(HOST, b"")).replace(b"1.1", b"1.0"),
    "that asks for HTTP/2": HEAD + LENGTH + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n{body}",
    "that asks for WebSocket": HEAD + LENGTH + b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n{body}",
    "in chunks that ask for HTTP/2": HEAD
    + CHUNKED
    + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n{hex}\r\n{body}\r\n0\r\n\r\n",
    "that waits for 100": HEAD + LENGTH + b"Expect: 100-continue\r\n\r\n{body}",
}


class Case:
    """A user, a channel and a message for it. stored: the messages of the channel."""

    def __init__(self, world: World) -> None:
        """Make the user and the channel."""
        self._world = world
        self._person = world.guest()
        self._channel = world.channel(self._person)["id"]

    def octets(self, template: bytes) -> bytes:
        """Return the request, which asks the server to close the connection after it."""
        body = json.dumps({"channelId": self._channel, "content": "hello"}).encode()
        values = {
            b"{token}": self._person.token.encode(),
            b"{body}": body,
            b"{length}": b"%d" % len(body),
            b"{longer}": b"%d" % (len(body) + 1),
            b"{hex}": b"%x" % len(body),
        }
        for name, value in values.items():
            template = template.replace(name, value)
        return template

    @property
    def stored(self) -> list[str]:
        """The contents of the channel's messages."""
        reply = self._world.rest.call("listMessages", query={"channelId": self._channel}, expect=200)
        return [message["content"] for message in reply.data]


def expect_envelope(answer: Received, status: int) -> None:
    """Expect the failure envelope, with the headers of every answer."""
    assert answer.status == status
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["connection"] == "close"
    assert (answer.headers["x-content-type-options"], answer.headers["cache-control"]) == ("nosniff", "no-store")
    assert answer.json["success"] is False
    assert answer.json["error"]


@pytest.mark.parametrize("name", REFUSED)
def test_an_invalid_message_has_no_effect(server: Running, world: World, name: str) -> None:
    """An invalid message is answered once, 400 in the failure envelope, and the connection ends."""
    case = Case(world)
    received = exchange(server, case.octets(REFUSED[name]))
    assert [answer.status for answer in received] == [400]
    expect_envelope(received[0], 400)
    assert case.stored == []


@pytest.mark.parametrize("name", CUT)
def test_half_a_message_has_no_effect(server: Running, world: World, name: str) -> None:
    """A message whose client ends before it is whole is 400 or silence (RFC 9112 section 8)."""
    case = Case(world)
    received = exchange(server, case.octets(CUT[name]), end=True)
    assert [answer.status for answer in received] in ([], [400])
    assert case.stored == []


def test_half_a_request_without_a_body_has_no_effect(server: Running, world: World) -> None:
    """An operation that reads no body waits for the whole message all the same."""
    person = world.guest()
    message = world.message(person, world.channel(person)["id"], "stays")
    head = f"DELETE /api/messages/{message['id']} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {person.token}\r\n"
    assert exchange(server, head.encode() + b"Content-Length: 5\r\n\r\nhalf", end=True) == []
    world.rest.call("getMessage", path={"id": message["id"]}, expect=200)


@pytest.mark.parametrize("name", TAKEN)
def test_a_valid_message_is_stored(server: Running, world: World, name: str) -> None:
    """A valid message in unusual words is taken as a whole, its body too (RFC 9110 section 7.8)."""
    case = Case(world)
    closing = b"GET /api HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    received = exchange(server, case.octets(TAKEN[name]) + (b"" if name == "of 1.0" else closing))
    assert [answer.status for answer in received] == ([201] if name == "of 1.0" else [201, 200])
    assert case.stored == ["hello"]


@pytest.mark.parametrize("hidden", [b"GET /api/servers HTTP/1.1\r\nHost: x\r\n\r\n", b"\0" * 100_000, b"x" * 300_000])
def test_octets_behind_an_invalid_message_are_no_request(server: Running, hidden: bytes) -> None:
    """The server does not guess where the next request begins, and the client can read its answer."""
    received = exchange(server, b"GET /api HTTP/1.1\r\nHost: x\r\nX : a\r\n\r\n" + hidden)
    assert [answer.status for answer in received] == [400]


def test_an_invalid_message_waits_for_the_answer_before(server: Running) -> None:
    """Answers come in the order of their requests, refusals too."""
    valid = b"GET /api/channels HTTP/1.1\r\nHost: x\r\n\r\n"
    assert [answer.status for answer in exchange(server, valid * 3 + b"GET /api\r\n\r\n" + valid)] == [200] * 3 + [400]


@pytest.mark.parametrize("octets", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"SSH-2.0-x\r\n", b"{}\n", b"\0"])
def test_another_protocol_is_refused_at_once(server: Running, octets: bytes) -> None:
    """A client of TLS or of another protocol does not wait for the deadline of a head."""
    expect_envelope(exchange(server, octets)[0], 400)


@pytest.mark.parametrize("method", ["BREW", "get", "CONNECT", "PRI", "M-SEARCH", "X" * 32, "!#$%&'*+-.^_`|~"])
@pytest.mark.parametrize(("path", "status"), [("/api/channels", 405), ("/nothing", 404)])
def test_any_method_is_known_by_its_path(server: Running, path: str, status: int, method: str) -> None:
    """A method that no standard has is 405 with `Allow` on a known path, and 404 elsewhere."""
    octets = f"{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
    (answer,) = exchange(server, octets)
    expect_envelope(answer, status)
    assert answer.headers.get("allow") == ("GET, POST, OPTIONS" if status == 405 else None)


@pytest.mark.parametrize(
    "target", ["//metrics", "///metrics", "/metrics/", "/%6detrics", "http://x//metrics", "/./metrics"]
)
def test_a_path_is_compared_as_sent(server: Running, target: str) -> None:
    """Another way to write a path is another path: 404."""
    (answer,) = exchange(server, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    expect_envelope(answer, 404)


def test_a_slash_in_a_segment_separates_nothing(server: Running, world: World) -> None:
    """`%2F` is part of an id: PUT /api/users/{id}%2Fstatus does not set the status."""
    person = world.guest()
    body = b'{"status": "idle"}'
    head = f"Host: x\r\nAuthorization: Bearer {person.token}\r\nContent-Type: application/json\r\nConnection: close\r\n"
    for slash in (b"%2F", b"%2f", b"%252F"):
        octets = b"PUT /api/users/%s%sstatus HTTP/1.1\r\n%s" % (person.id.encode(), slash, head.encode())
        (answer,) = exchange(server, octets + b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        assert answer.status in {403, 404}
    assert world.rest.call("getUser", path={"id": person.id}, expect=200).data["status"] != "idle"


def test_an_id_may_be_encoded(server: Running) -> None:
    """A segment is decoded once, after it was routed."""
    for path, status in (("/api/channels/text%2Dgeneral", 200), ("/api/channels/text%252Dgeneral", 404)):
        (answer,) = exchange(server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        assert answer.status == status
