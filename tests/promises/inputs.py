"""The inputs of the fuzzer: requests, frames and raw bytes, as hypothesis strategies made from the specs.

Ids and tokens of the day stand in them as `__name__` and are filled in when they are sent, so that one seed means the
same inputs in every run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from hype_contract.contract.specs import Contract, Event, Operation
from hype_contract.contract.strategies import JUNK, NASTY, from_schema, payloads, valid_frames

FRAMES_AT_ONCE = 8
METHODS = ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "LINK", "PROPFIND")
IDS = ("__me__", "__other__", "__room__", "__voice__", "__message__", "default-server", "text-general")
STRANGE_IDS = (
    "nothing",
    "%00",
    "%zz",
    "%ff",
    "%ED%A0%80",
    "%F0%9F%92%A9",
    "..",
    "%20",
    "%0A",
    "a" * 65,
    "a" * 5000,
    "-",
)
NUMBERS = (
    "",
    "0",
    "1",
    "-1",
    "+5",
    "5.0",
    "1e2",
    "٣",
    "1_0",
    " 1",
    "0x1",
    "1" * 30,
    "9" * 5000,
    "null",
    "101",
    "2147483648",
)
MEDIA_TYPES = (
    *["application/json"] * 40,
    "application/JSON; Charset=UTF-8",
    "application/json; charset=utf-16",
    "application/json; charset",
    "application/json;;;",
    "text/plain",
    "multipart/form-data; boundary=x",
    "application/x-www-form-urlencoded",
    "\u00ff",
)
AUTHORIZATIONS = (
    *["Bearer __token__"] * 40,
    "Bearer __refresh__",
    "bearer   __token__",
    "Bearer",
    "Bearer a.b.c",
    "Bearer eyJhbGciOiJub25lIn0.e30.",
    "Bearer " + "a" * 4000,
    "Basic dXNlcjpwYXNz",
    "Bearer \u00e9\u0416",
    ", ,",
)
ORIGINS = (
    "http://localhost:5173",
    "http://evil.example",
    "null",
    "*",
    "http://localhost:5173, http://evil.example",
    "\u00e9",
)
_WORDS = st.text("abcXYZ019_-", min_size=1, max_size=34)
_HTTP = (
    b"POST /auth/guest HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
    b"GET /api/channels HTTP/1.1\r\nHost: x\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
    b"POST /auth/guest HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    b"POST /auth/guest HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 200000\r\n\r\n",
    b"POST /auth/guest HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
    b"GET http://other.example/api HTTP/1.1\r\nHost: y\r\n\r\n",
    b"GET /\xff\x00\x80?\xfe HTTP/1.1\r\nHost: \x00\r\nX-\xff: \xff\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"GET / HTTP/9.9\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
    b"BREW /api/servers HTTP/1.1\r\nHost: x\r\n\r\n",
    b"HEAD /api/voice/produce/x HTTP/1.1\r\nHost: x\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
)
HANDSHAKE = (
    b"GET /?token=__token__ HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_FRAMES = (
    b"\x81\x85\x00\x00\x00\x00hello",
    b"\x81\x05hello",
    b"\xff\x80\x00\x00\x00\x00",
    b"\x01\x82\x00\x00\x00\x00\xc3\xa9\x89\x80\x00\x00\x00\x00\x80\x81\x00\x00\x00\x00\xff",
    b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00",
    b"\x88\x82\x00\x00\x00\x00\x03\xe7",
    b"\x89\xfe\x00\xff\x00\x00\x00\x00" + b"p" * 255,
)


@dataclass(frozen=True)
class Request:
    """An HTTP request. operation: whose answer it gets, None when it is nobody's."""

    operation: str | None
    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    content: bytes | None


@dataclass(frozen=True)
class Frames:
    """Texts for one socket, none of which may close it (ruling R33)."""

    texts: tuple[str, ...]


@dataclass(frozen=True)
class LastFrame:
    """A frame that closes its socket with `code`."""

    payload: bytes
    text: bool
    code: int


@dataclass(frozen=True)
class Bytes:
    """Bytes for a bare TCP connection to the `rest` or the `gateway` port; before them `head`, which is answered."""

    door: str
    head: bytes
    content: bytes


Input = Request | Frames | LastFrame | Bytes


def inputs(contract: Contract) -> st.SearchStrategy[Input]:
    """Everything, requests and frames by and large in halves."""
    requests = _weighted(*((_share(each), _request(contract, each)) for each in contract.operations.values()))
    events = [each for (_, direction), each in contract.events.items() if direction == "in"]
    texts = _weighted(*((1, _text(contract, each)) for each in events), (1, _DEEP))
    frames = st.lists(texts, min_size=FRAMES_AT_ONCE, max_size=FRAMES_AT_ONCE).map(lambda some: Frames(tuple(some)))
    last = st.one_of(
        st.binary(max_size=200).map(lambda content: LastFrame(content, False, 1003)),
        st.binary(max_size=200).map(lambda content: LastFrame(content + b"\xff", True, 1007)),
        st.integers(65_537, 300_000).map(lambda size: LastFrame(b"x" * size, True, 1009)),
    )
    raw = _spliced("rest", _HTTP) | _spliced("gateway", _HTTP) | _spliced("gateway", _FRAMES, HANDSHAKE)
    return _weighted((14, requests), (2, frames), (1, last), (2, raw))


def weight(one: Input) -> int:
    """How many requests and frames an input is."""
    return len(one.texts) if isinstance(one, Frames) else 1


def _share(operation: Operation) -> int:
    """Most can go wrong where there is a body that is looked at."""
    if operation.area == "voice":
        return 1
    return 6 if operation.body else 2


def _text(contract: Contract, event: Event) -> st.SearchStrategy[str]:
    """A frame of an event, right or broken in some way."""
    right = valid_frames(contract, event, _KNOWN)
    spoiled = st.tuples(right, JUNK, st.integers(0), st.integers(0)).map(
        lambda drawn: json.dumps({**drawn[0], "data": _spoiled(drawn[0].get("data"), *drawn[1:])})
    )
    return _weighted((2, payloads(contract, event, _KNOWN)), (2, spoiled), (1, right.map(json.dumps)))


def _request(contract: Contract, operation: Operation) -> st.SearchStrategy[Request]:
    names = operation.path.count("{")
    path = st.lists(st.sampled_from(IDS * 4 + STRANGE_IDS), min_size=names, max_size=names)
    methods = st.sampled_from((operation.method,) * 60 + METHODS)
    return st.builds(
        lambda method, ids, query, headers, content: Request(
            operation.id if method == operation.method else None,
            method,
            _filled(operation.path, ids) + query,
            headers,
            content if operation.body or method not in ("GET", "HEAD") else None,
        ),
        methods,
        path,
        _queries(),
        _headers(),
        _contents(contract, operation),
    )


def _filled(path: str, ids: list[str]) -> str:
    for name in ids:
        before, _, after = path.partition("{")
        path = before + name + after.partition("}")[2]
    return path


def _queries() -> st.SearchStrategy[str]:
    value = st.sampled_from(NUMBERS) | st.sampled_from(IDS) | st.text(max_size=5)
    member = st.tuples(st.sampled_from(["channelId", "limit", "offset", "limit", "offset", "x"]), value)
    members = st.lists(
        member.map(lambda pair: f"{pair[0]}={quote(pair[1].encode('utf-8', 'surrogatepass'))}"), max_size=4
    )
    junk = st.sampled_from(["%", "%00", "&&=&", "limit", "limit=%ff", "channelId=%ED%A0%80", "=;=", "?" * 900])
    good = st.just("channelId=__room__&limit=5")
    return st.one_of(good, members.map("&".join), junk).map(lambda query: f"?{query}" if query else "")


def _headers() -> st.SearchStrategy[tuple[tuple[str, str], ...]]:
    def header(name: str, values: tuple[str, ...], absent: int) -> st.SearchStrategy[list[tuple[str, str]]]:
        some = [[(name, value)] for value in values]
        return st.sampled_from([*some, *[[]] * absent, [(name, values[0]), (name, values[-1])]])

    parts = st.tuples(
        header("Content-Type", MEDIA_TYPES, 2),
        header("Authorization", AUTHORIZATIONS, 3),
        header("Origin", ORIGINS, 12),
        header("Content-Encoding", ("gzip", "identity", "\u00ff"), 40),
        header("Access-Control-Request-Method", ("PUT", "\u00e9"), 20),
        header("Accept", ("text/html", "\u00e9", "application/json;q=x"), 20),
    )
    return parts.map(lambda lists: tuple(pair for some in lists for pair in some))


def _contents(contract: Contract, operation: Operation) -> st.SearchStrategy[bytes | None]:
    body = from_schema(contract.schemas, operation.body, _KNOWN) if operation.body else JUNK
    spoiled = st.tuples(body, JUNK, st.integers(0), st.integers(0)).map(lambda drawn: _json(_spoiled(*drawn)))
    odd = st.one_of(
        JUNK.map(_json),
        st.sampled_from(NASTY).map(lambda text: text.encode("utf-8", "surrogatepass")),
        body.map(lambda value: json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")),
        st.tuples(body, st.sampled_from(["utf-16", "utf-32", "utf-8-sig", "utf-7"])).map(
            lambda pair: json.dumps(pair[0]).encode(pair[1])
        ),
        st.tuples(st.sampled_from(['{"content":%s}', '{"username":%s}', "%s"]), st.integers(850, 1010)).map(
            lambda pair: (pair[0] % ("[" * pair[1] + "]" * pair[1])).encode()
        ),
        st.binary(max_size=300),
        st.integers(100_000, 110_000).map(lambda size: b'{"content":"' + b"x" * size + b'"}'),
        st.none(),
    )
    return _weighted((2, body.map(_json)), (2, spoiled), (1, odd))


def _weighted(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Draw from a strategy as often as its number says (`one_of` knows each only once)."""
    each = [strategy for number, strategy in choices for _ in range(number)]
    return st.sampled_from(each).flatmap(lambda chosen: chosen)


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")


def _spoiled(value: Any, junk: Any, which: int, how: int) -> Any:
    """`value` with a member gone, replaced, or with something nasty added to it."""
    if not isinstance(value, dict) or not value:
        return junk
    name = sorted(value)[which % len(value)]
    rest = {key: each for key, each in value.items() if key != name}
    nasty = [{**rest, name: f"{value[name]}{each}"} for each in ("\0", "\ud800", "\udfffz", "\n", "x" * 2001, "\u2028")]
    ways = [rest, {**rest, name: junk}, {**rest, name: [value]}, *nasty]
    return ways[how % len(ways)]


def _spliced(door: str, samples: tuple[bytes, ...], head: bytes = b"") -> st.SearchStrategy[Bytes]:
    """Draw one of `samples`, cut somewhere, or with some bytes replaced."""

    def splice(sample: bytes, at: int, gone: int, put: bytes) -> Bytes:
        at %= len(sample) + 1
        return Bytes(door, head, sample[:at] + put + sample[at + gone :])

    gone = st.sampled_from([0, 0, 1, 3, 50, 9999])
    return st.builds(splice, st.sampled_from(samples), st.integers(0, 4000), gone, st.binary(max_size=40))


_DEEP = st.integers(850, 1010).map(lambda depth: '{"type":"typing","data":' + "[" * depth + "]" * depth + "}")
_KNOWN: Mapping[str, st.SearchStrategy[Any]] = {
    "channelId": st.sampled_from(["__room__", "__room__", "__voice__", "text-general", "nothing", ""]),
    "serverId": st.sampled_from(["default-server", "nothing"]),
    "username": _WORDS,
    "email": _WORDS.map(lambda word: f" {word}@example.com"),
    "password": st.text(max_size=130),
    "avatarUrl": st.sampled_from(
        [None, "https://example.com/a.png", "data:text/plain,x", "//x", "https://", "x" * 3000]
    ),
    "refreshToken": st.sampled_from(["__refresh__", "__token__", "a.b.c", ""]),
    "userId": st.sampled_from(["__other__", "nobody"]),
    "token": st.nothing(),
}
