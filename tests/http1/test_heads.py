"""The meaning of a head; httptools, the parser of Node.js, is asked for a second opinion."""

from __future__ import annotations

import random
import time
from contextlib import suppress
from typing import Any

import httptools
import pytest

from hype.errors import HypeError
from hype.http1 import heads

HOST = b"Host: x\r\n"


def head(line: bytes = b"GET /a%2Fb?c=%20 HTTP/1.1\r\n", fields: bytes = HOST) -> heads.Head:
    """Return the meaning of a head."""
    return heads.parse(line + fields + b"\r\n")


def test_a_head_is_taken_as_sent() -> None:
    """Path and query stay encoded, names are in lower case, values without white space around them."""
    read = head(fields=HOST + b"X-Name:\t A value \xff \r\nX-Name: b\r\n")
    assert (read.method, read.path, read.query, read.version) == ("GET", b"/a%2Fb", b"c=%20", "1.1")
    assert read.fields == [(b"host", b"x"), (b"x-name", b"A value \xff"), (b"x-name", b"b")]
    assert (read.length, read.keep_alive, read.expects) == (0, True, False)


@pytest.mark.parametrize(
    ("line", "path", "query"),
    [
        (b"GET / HTTP/1.1\r\n", b"/", b""),
        (b"GET http://x HTTP/1.1\r\n", b"/", b""),
        (b"GET HTTPS://x:1/a?b?c HTTP/1.1\r\n", b"/a", b"b?c"),
        (b"GET http://x?b HTTP/1.1\r\n", b"/", b"b"),
        (b"GET //a//b HTTP/1.1\r\n", b"//a//b", b""),
        (b"OPTIONS * HTTP/1.1\r\n", b"*", b""),
    ],
)
def test_targets(line: bytes, path: bytes, query: bytes) -> None:
    """Each form of a target has a path (RFC 9112 section 3.2)."""
    assert (head(line).path, head(line).query) == (path, query)


@pytest.mark.parametrize(
    "target", [b"*", b"x", b"x:80", b"ftp://x/", b"http:///a", b"http://a b/", b"/#", b"http://x@y/"]
)
def test_targets_of_no_form(target: bytes) -> None:
    """A target of a form that the method has not is refused."""
    with pytest.raises(HypeError):
        head(b"GET " + target + b" HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        (b"", True),
        (b"Connection: keep-alive\r\n", True),
        (b"Connection: Close\r\n", False),
        (b"Connection: x, \tclose ,y\r\n", False),
        (b"Connection: close\r\nConnection: keep-alive\r\n", False),
        (b"Connection: closed\r\n", True),
    ],
)
def test_the_client_may_close(fields: bytes, kept: bool) -> None:
    """`close` among the options of any Connection field ends the connection; a client of 1.0 always gets that."""
    assert head(fields=HOST + fields).keep_alive is kept
    assert head(b"GET / HTTP/1.0\r\n", HOST + fields).keep_alive is False


@pytest.mark.parametrize("value", [b"", b"x", b"x:80", b"x:", b"[::1]", b"[::1]:80", b"a_b.example", b"127.0.0.1:1"])
def test_hosts(value: bytes) -> None:
    """Names and addresses with and without a port are hosts (RFC 9110 section 7.2)."""
    assert head(fields=b"Host: " + value + b"\r\n").fields == [(b"host", value)]


@pytest.mark.parametrize("text", [b" " * 16_000 + b"\0", b"a:" * 8000, b"a: " + b" \t" * 8000, b"x\r\n" * 5000])
def test_a_hostile_head_costs_no_more_than_a_plain_one(text: bytes) -> None:
    """The time to refuse a head does not grow with the square of its size."""

    def cpu(octets: bytes) -> float:
        best = float("inf")
        for _ in range(5):
            begun = time.process_time()
            with suppress(HypeError):
                heads.parse(octets)
            best = min(best, time.process_time() - begun)
        return best

    line = b"GET / HTTP/1.1\r\n"
    plain = line + HOST + b"X: " + b"x" * 16_000 + b"\r\n\r\n"
    assert cpu(line + HOST + b"X:" + text + b"\r\n\r\n") < 50 * cpu(plain) + 0.005


class Second:
    """The parts of a head as httptools reads them."""

    def __init__(self) -> None:
        """Begin without fields."""
        self.fields: list[tuple[bytes, bytes]] = []
        self.complete = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a field."""
        self.fields.append((name.lower(), value.rstrip(b" \t")))

    def on_headers_complete(self) -> None:
        """Keep that the head is whole."""
        self.complete = True


FIELDS = [b"X: a\r\n", b"Content-Length: 5\r\n", b"Accept:  b \r\n", b"Y:\r\n"]
PIECES = [
    *(b"GET", b"POST", b" ", b"/", b"/a?b", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\r", b"\n", b"\t", b"\0", b":", b","),
    *(b"Host: x\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n", b"Connection: close\r\n", b"\xff"),
    *(b"X: a\r\n", b" b\r\n", b"chunked", b"5", b"+", b"#", b"\x0b", b"\x7f", b"Content-Length", b"Transfer-Encoding"),
]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_taken_is_valid_for_another_parser(seed: int) -> None:
    """Of thousands of damaged heads, those that are taken have the same fields for httptools."""
    chance = random.Random(seed)
    taken = 0
    for _ in range(500):
        parts = [b"POST", b" ", b"/a", b" ", b"HTTP/1.1", b"\r\n", HOST]
        parts += chance.choices(
            [b"X: a\r\n", b"Content-Length: 5\r\n", b"Accept:  b \r\n", b"Y:\r\n"], k=chance.randrange(4)
        )
        for _ in range(chance.randrange(3)):
            at = chance.randrange(len(parts))
            parts[at : at + chance.randrange(2)] = [chance.choice(PIECES)]
        octets = b"".join(parts) + b"\r\n"
        octets = octets[: octets.find(b"\r\n\r\n") + 4]
        try:
            read = heads.parse(octets)
        except HypeError:
            continue
        if read.method not in {"GET", "POST"}:
            continue  # httptools takes no method that it does not know
        taken += 1
        second: Any = Second()
        httptools.HttpRequestParser(second).feed_data(octets)
        assert second.complete, octets
        assert second.fields == read.fields, octets
    assert taken > 50
