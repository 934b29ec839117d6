"""Hostile targets: the harness bounds what they send after decoding, and describes it in a sentence."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest
from websockets.sync.server import ServerConnection, serve

from hype_contract.__main__ import main
from hype_contract.actors.clients import adapter, http, opening
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.http import LARGEST_ANSWER
from hype_contract.actors.clients.rest import NoAnswer
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from hype_contract.cases.fuzzing.schemathesis_run import Listener, Plan, run
from hype_contract.contract.specs import Contract
from hype_contract.recording.secrecy import Secrets
from hype_contract.running.target import TargetUnusable, reach
from tests.hype_contract.fake import NOW, Fake
from tests.hype_contract.fake import running as fake_running

pytestmark = pytest.mark.slow

Behave = Callable[[socket.socket], None]
_SHORT_S = 1.0


def answering(more: str = "", body: bytes = b"", status: str = "200 OK") -> Behave:
    """Return a server's behaviour that answers each request with this body.

    more: text after the media type, which may contain further headers.
    """
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nContent-Type: application/json{more}\r\n\r\n"

    def behave(connection: socket.socket) -> None:
        while connection.recv(65_536):
            connection.sendall(head.encode() + body)

    return behave


def endless(connection: socket.socket) -> None:
    """Send a body in chunks that never ends."""
    connection.recv(65_536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def trickle(head: bytes) -> Behave:
    """Return a server's behaviour that sends this, and then a byte ten times per time limit of an answer, for ever."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(head)
        connection.settimeout(_SHORT_S / 10)
        while True:
            connection.sendall(b" ")
            with suppress(TimeoutError):
                if not connection.recv(65_536):
                    return

    return behave


MEGABYTES = b" " * 2**20
PACKED = {
    "deflate": zlib.compress(MEGABYTES * 64),
    "br": b"whatever",
    "zstd": b"whatever",
}
LONG_HEAD = b"HTTP/1.1 200 OK\r\n" + b"X-More: to come\r\n" * 20_000
SLOW = {
    "head": trickle(b"HTTP/1.1 200 OK\r\nX-Slow:"),
    "body": trickle(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"),
}
UNREADABLE: dict[str, tuple[Behave, str]] = {
    **{
        coding: (answering(f"\r\nContent-Encoding: {coding}", body), f"Content-Encoding is '{coding}', although only")
        for coding, body in PACKED.items()
    },
    "gzip": (
        answering("\r\nContent-Encoding: gzip", gzip.compress(MEGABYTES * 64)),
        f"the body has more than {LARGEST_ANSWER:,} bytes",
    ),
    "endless": (endless, f"the body has more than {LARGEST_ANSWER:,} bytes"),
    "large": (answering(body=MEGABYTES * 17), f"the body has more than {LARGEST_ANSWER:,} bytes"),
}


@contextmanager
def hostile(behave: Behave) -> Iterator[str]:
    """Run a server with this behaviour on every connection; yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        serving = threading.Thread(target=_serve, args=(listener, behave))
        serving.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, behave: Behave) -> None:
    with ThreadPoolExecutor(32) as pool, suppress(OSError):
        while True:
            pool.submit(_attend, listener.accept()[0], behave)


def _attend(connection: socket.socket, behave: Behave) -> None:
    connection.settimeout(2)
    with connection, suppress(OSError):
        behave(connection)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the time limit of an answer to one second."""
    for module in (http, adapter):
        monkeypatch.setattr(module, "TIMEOUT_S", _SHORT_S)


def asked(contract: Contract, url: str) -> None:
    """Send a single request of a case."""
    with http.connect(url) as client:
        World(contract, client, "", "0/test", Secrets()).rest.call("getHealth")


def generated(contract: Contract, url: str) -> list[str]:
    """Send generated requests; return the findings in schemathesis's words."""
    listener = Listener(lambda: "a-token", lambda case: None, lambda case, response: None)
    return [finding.how for finding in run(contract, url, Plan(["getHealth"], ["examples", "fuzzing"], 2, 1), listener)]


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_body_that_would_grow_is_not_read(contract: Contract, kind: str) -> None:
    """A compressed body that was not asked for, or a body larger than any answer, fails the case with a sentence."""
    behave, sentence = UNREADABLE[kind]
    with hostile(behave) as url, pytest.raises(Violation) as caught:
        asked(contract, url)
    assert sentence in caught.value.got
    assert not isinstance(caught.value, NoAnswer)


@pytest.mark.parametrize("kind", UNREADABLE)
def test_a_generated_request_reads_no_more(contract: Contract, kind: str) -> None:
    """A body that schemathesis reads is bounded as well."""
    behave, sentence = UNREADABLE[kind]
    with hostile(behave) as url:
        found = generated(contract, url)
    assert found
    assert all(sentence in how for how in found), found


@pytest.mark.parametrize("kind", UNREADABLE)
def test_the_first_question_reads_no_more(kind: str) -> None:
    """A target with such a body is refused with one sentence, before the run begins."""
    behave, _ = UNREADABLE[kind]
    with hostile(behave) as url, pytest.raises(TargetUnusable, match=r"cannot be read|without an end") as caught:
        reach(url, "", "auto", ["rest"])
    assert "\n" not in str(caught.value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("part", SLOW)
def test_a_trickle_is_no_answer(contract: Contract, part: str) -> None:
    """An answer that does not end in time is no answer, even if bytes keep coming."""
    with hostile(SLOW[part]) as url:
        with pytest.raises(NoAnswer, match="ReadTimeout"):
            asked(contract, url)
        assert generated(contract, url)


def test_a_head_has_an_end(contract: Contract) -> None:
    """An answer with 20,000 headers is no answer."""

    def behave(connection: socket.socket) -> None:
        connection.recv(65_536)
        connection.sendall(LONG_HEAD)

    with hostile(behave) as url:
        with pytest.raises(NoAnswer):
            asked(contract, url)
        assert generated(contract, url)


def test_a_redirect_is_not_followed(contract: Contract) -> None:
    """A redirect is judged as the answer itself, and no request goes to its target."""
    paths: list[bytes] = []

    def behave(connection: socket.socket) -> None:
        paths.append(connection.recv(65_536).split(b" ")[1])
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n")

    with hostile(behave) as url:
        with pytest.raises(Violation, match="302 is not documented"):
            asked(contract, url)
        generated(contract, url)
    assert paths
    assert b"/elsewhere" not in paths


def test_a_charset_that_unpacks_is_not_used(contract: Contract) -> None:
    """A body is decoded as UTF-8 with any charset: some codecs of Python unpack a text to a thousand times its size."""
    packed = zlib.compress(MEGABYTES * 64)
    with hostile(answering("; charset=zlib", body=packed)) as url:
        with pytest.raises(Violation, match="not JSON"):
            asked(contract, url)
        assert generated(contract, url)


def test_json_that_is_too_deep_is_a_violation(contract: Contract) -> None:
    """A body of deeply nested JSON is a violation, and no error of the harness."""
    with hostile(answering(body=b"[" * 200_000)) as url, pytest.raises(Violation, match="not JSON"):
        asked(contract, url)


@pytest.mark.parametrize("body", [b"[" * 100_000 + b"]" * 100_000, b'{"a":' * 900 + b"1" + b"}" * 900], ids=len)
def test_deep_json_is_a_verdict(capsys: pytest.CaptureFixture[str], body: bytes) -> None:
    """A run against a target that nests its answers ends with a verdict that says so, or refuses the target."""
    with fake_running(Fake(routes={"GET /health": lambda fake, request: (200, body)})) as fake:
        words = ["--base-url", fake.base_url, "--area", "rest", "--profile", "hardened", "--fast", "--seed", "1"]
        assert main([*words, "--only", "R12.health", "--only", "spec.getHealth"]) == 1
        out = capsys.readouterr().out
        assert "nested" in out
        assert "RecursionError" not in out
        fake.routes["POST /auth/guest"] = fake.routes["GET /health"]
        assert main(words) == 2
    assert "gives the harness no user" in capsys.readouterr().err


def frame(content: str) -> str:
    """Return a valid event with this content."""
    data = {"userId": "a", "username": content, "displayName": None, "avatarUrl": None, "channelId": None}
    return json.dumps({"type": "user_joined", "data": data, "timestamp": NOW})


def flood(connection: ServerConnection) -> None:
    """Send valid events without end."""
    while True:
        connection.send(frame("x" * 100_000))


GATEWAYS: dict[str, tuple[Callable[[ServerConnection], None], str]] = {
    "long": (lambda connection: connection.send(frame("x" * 2**25)), "a message of more than 1,048,576 bytes"),
    "fragments": (
        lambda connection: connection.send([frame("x" * 2**20)[: 2**19]] * 8),
        "a message of more than 1,048,576 bytes",
    ),
    "flood": (flood, "more than 67,108,864 bytes on one socket"),
}


@pytest.mark.parametrize("compression", [None, "deflate"])
@pytest.mark.parametrize("kind", GATEWAYS)
def test_a_gateway_is_bounded_after_decoding(contract: Contract, kind: str, compression: str | None) -> None:
    """A message, its fragments together, and all messages on a socket are bounded, compressed or not."""
    send, sentence = GATEWAYS[kind]

    def attend(connection: ServerConnection) -> None:
        with suppress(Exception):
            send(connection)
            connection.recv()

    with serve(attend, "127.0.0.1", 0, compression=compression, max_size=None) as gateway:
        serving = threading.Thread(target=gateway.serve_forever)
        serving.start()
        url = f"ws://127.0.0.1:{gateway.socket.getsockname()[1]}"
        trace = World(contract, http.connect("http://127.0.0.1:1"), url, "0/test", Secrets()).trace
        socket_ = Socket(contract, opening.connect(url), trace, "ann")
        try:
            with pytest.raises(Violation) as caught:
                socket_.expect("user_left", within=60)
        finally:
            socket_.drop()
            gateway.shutdown()
            serving.join()
    assert caught.value.got == sentence


def test_a_bomb_at_the_gateway_is_a_verdict(capsys: pytest.CaptureFixture[str]) -> None:
    """A run against a gateway with a huge message ends with a verdict that names the message."""

    def explode(fake: Fake, connection: ServerConnection, text: str) -> None:
        connection.send(frame("x" * 2**25))

    with fake_running(Fake(on_frame=explode)) as fake:
        words = ["--profile", "hardened", "--only", "R31.token-in-url", "--area", "gateway"]
        assert main(["--base-url", fake.base_url, "--ws-url", fake.ws_url, *words]) == 1
    assert "a message of more than 1,048,576 bytes" in capsys.readouterr().out
