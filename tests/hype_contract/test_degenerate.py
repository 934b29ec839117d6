"""Tests of targets that are broken or no targets: one sentence with advice, exit code 2, and never a traceback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import pytest
from websockets.sync.server import ServerConnection

from hype_contract.__main__ import main
from hype_contract.running import target
from tests.hype_contract.fake import Fake, Route, failure, running

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probe wait only a second for an answer."""
    monkeypatch.setattr(target, "ANSWER_WITHIN_S", 1.0)
    monkeypatch.setattr(target, "ECHO_WITHIN_S", 0.5)
    monkeypatch.setattr("hype_contract.actors.clients.gateway.PATIENCE_S", 1.0)
    monkeypatch.setattr("hype_contract.actors.clients.opening.PATIENCE_S", 1.0)


@pytest.mark.parametrize("area", [(), ("--area", "rest")], ids=" ".join)
@pytest.mark.parametrize(
    ("code", "body"),
    [
        (401, b'{"success": false, "error": "Not authenticated"}'),
        (200, b""),
        (200, b"{}"),
        (200, b"null"),
        (200, b"[]"),
        (200, b'{"success": true, "data": null}'),
        (200, b"<!doctype html><title>It works!</title>"),
        (302, b""),
        (404, b"\xff\xfe\x00"),
        (500, b'{"success": false, "error": "Internal server error"}'),
        (503, b'{"success": false, "error": "Service unavailable"}'),
    ],
)
def test_one_answer_to_everything(
    code: int, body: bytes, area: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """A server that gives the same answer to every request is refused, since it gives the harness no user."""
    with running(Fake(routes={".* .*": lambda fake, request: (code, body)})) as fake:
        sentence = refused(capsys, fake.base_url, fake.ws_url, *area)
    assert "gives the harness no user" in sentence
    assert f"answers {code}" in sentence


def close_at_once(connection: socket.socket) -> None:
    """Close the connection before reading."""


def hang_forever(connection: socket.socket) -> None:
    """Read without answering until the other side closes the connection."""
    while connection.recv(65536):
        pass


def give_back(connection: socket.socket) -> None:
    """Send back every piece."""
    while piece := connection.recv(65536):
        connection.sendall(piece)


def redirect_to_itself(connection: socket.socket) -> None:
    """Redirect every request to the same path."""
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n")


def trickle(connection: socket.socket) -> None:
    """Send headers without an end."""
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    while True:
        connection.sendall(b"X-More: to come\r\n" * 1000)


@pytest.mark.parametrize(
    ("behave", "words"),
    [
        (close_at_once, "does not answer GET /health with HTTP"),
        (hang_forever, "does not answer GET /health within 1 s"),
        (give_back, "does not answer GET /health with HTTP"),
        (redirect_to_itself, "answers 301"),
        (trickle, "does not answer GET /health"),
    ],
)
def test_a_port_that_behaves_oddly(
    behave: Callable[[socket.socket], None], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A REST server that closes, hangs, echoes, redirects or never ends its headers is refused."""
    with odd(behave) as address:
        assert words in refused(capsys, f"http://{address}", f"ws://{address}")


@pytest.mark.parametrize("behave", [close_at_once, hang_forever, give_back, redirect_to_itself, trickle])
def test_a_gateway_that_behaves_oddly(
    behave: Callable[[socket.socket], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """Beside a broken gateway REST is judged, and the gateway is lacking; the gateway alone is refused."""
    with running(Fake()) as fake, odd(behave) as address:
        lacking = f"there is no gateway at ws://{address}"
        assert lacking in incomplete(capsys, fake.base_url, f"ws://{address}")
        assert lacking in refused(capsys, fake.base_url, f"ws://{address}", "--area", "gateway")


def test_a_closed_port(capsys: pytest.CaptureFixture[str]) -> None:
    """A closed port is refused, as REST server and as gateway."""
    with odd(close_at_once) as address:
        pass
    assert "cannot be reached" in refused(capsys, f"http://{address}", f"ws://{address}")
    with running(Fake()) as fake:
        assert "there is no gateway" in incomplete(capsys, fake.base_url, f"ws://{address}")


def test_a_gateway_url_of_a_rest_server(capsys: pytest.CaptureFixture[str]) -> None:
    """The URL of the REST server is no gateway."""
    with running(Fake()) as fake:
        assert "there is no gateway" in incomplete(capsys, fake.base_url, fake.base_url.replace("http", "ws"))


def echo(fake: Fake, connection: ServerConnection, text: str) -> None:
    """Send back every frame."""
    connection.send(text)


def silence(fake: Fake, connection: ServerConnection, text: str) -> None:
    """Answer no frame."""


def test_an_echo_server_is_no_gateway(capsys: pytest.CaptureFixture[str]) -> None:
    """A WebSocket server that sends every frame back is no gateway, and REST is judged."""
    with running(Fake(on_frame=echo)) as fake:
        assert "an echo server, not a gateway" in incomplete(capsys, fake.base_url, fake.ws_url)


def test_a_silent_gateway_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    """A gateway that shakes hands and answers nothing is judged: it does not conform."""
    with running(Fake(on_frame=silence)) as fake:
        assert main(["--base-url", fake.base_url, "--ws-url", fake.ws_url, "--only", "R33.frames-are-events"]) == 1
    assert "to receive user_joined" in capsys.readouterr().out


def test_half_a_rest_server_does_not_conform(capsys: pytest.CaptureFixture[str]) -> None:
    """A server on which only the guest login works is judged, and does not conform."""
    broken: Route = lambda fake, request: (500, failure("Internal server error"))  # noqa: E731
    with running(Fake(routes={r"(?!POST /auth/guest).* .*": broken})) as fake:
        words = ["--profile", "hardened", "--area", "rest", "--only", "R13"]
        assert main(["--base-url", fake.base_url, *words]) == 1
    out, err = capsys.readouterr()
    assert "does not conform" in out
    assert "Traceback" not in out + err


def incomplete(capsys: pytest.CaptureFixture[str], base_url: str, ws_url: str) -> str:
    """Return what a run prints that judges one rule of REST and one of the gateway, and check exit code 3."""
    only = ["--only", "R12.health", "--only", "R31.token-in-url"]
    assert main(["--base-url", base_url, "--ws-url", ws_url, "--profile", "hardened", *only]) == 3
    out = capsys.readouterr().out
    assert "1 unsupported" in out
    return out


def refused(capsys: pytest.CaptureFixture[str], base_url: str, ws_url: str, *words: str) -> str:
    """Return the sentence with which `hype-contract` refuses the target, and check exit code 2 and an empty stdout."""
    assert main(["--base-url", base_url, "--ws-url", ws_url, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hype-contract: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    return err


@contextmanager
def odd(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """Yield the address of a server that behaves so on every connection."""
    with socket.create_server(("127.0.0.1", 0)) as listener, suppress(OSError):
        serving = threading.Thread(target=_serve, args=(listener, behave))
        serving.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def _serve(listener: socket.socket, behave: Callable[[socket.socket], None]) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                behave(connection)
