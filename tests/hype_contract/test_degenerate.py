"""What is no target at all, or half of one: one sentence that says what to do, exit code 2, and never a stack trace."""

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


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed after a second."""
    monkeypatch.setattr(target, "ANSWER_WITHIN_S", 1.0)
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
    ],
)
def test_one_answer_to_everything(
    code: int, body: bytes, area: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever the answer is, nobody can log in: no area is judged, and no requirement counts as kept."""
    with running(Fake(routes={".* .*": lambda fake, request: (code, body)})) as fake:
        sentence = refused(capsys, fake.base_url, fake.ws_url, *area)
    assert "gives no user to test with" in sentence
    assert f"answers {code}" in sentence


def close_at_once(connection: socket.socket) -> None:
    """It hangs up before it has read anything."""


def hang_forever(connection: socket.socket) -> None:
    """It reads, and says nothing until the other side goes."""
    while connection.recv(65536):
        pass


def give_back(connection: socket.socket) -> None:
    """An echo, of what was to be HTTP."""
    while piece := connection.recv(65536):
        connection.sendall(piece)


def redirect_to_itself(connection: socket.socket) -> None:
    """It moved, for ever."""
    while connection.recv(65536):
        connection.sendall(b"HTTP/1.1 301 Moved\r\nLocation: /health\r\nContent-Length: 0\r\n\r\n")


def trickle(connection: socket.socket) -> None:
    """A head without an end: every line comes in time."""
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
    """As the REST server: hung up, hung, an echo, a loop, a head without an end."""
    with odd(behave) as address:
        assert words in refused(capsys, f"http://{address}", f"ws://{address}")


@pytest.mark.parametrize("behave", [close_at_once, hang_forever, give_back, redirect_to_itself, trickle])
def test_a_gateway_that_behaves_oddly(
    behave: Callable[[socket.socket], None], capsys: pytest.CaptureFixture[str]
) -> None:
    """The same as the gateway of a REST server that is well: half a target is none, unless `--area rest` says so."""
    with running(Fake()) as fake, odd(behave) as address:
        assert f"there is no gateway at ws://{address}" in refused(capsys, fake.base_url, f"ws://{address}")


def test_a_closed_port(capsys: pytest.CaptureFixture[str]) -> None:
    """As either server: nothing listens there."""
    with odd(close_at_once) as address:
        pass
    assert "cannot be reached" in refused(capsys, f"http://{address}", f"ws://{address}")
    with running(Fake()) as fake:
        assert "there is no gateway" in refused(capsys, fake.base_url, f"ws://{address}")


def test_a_gateway_url_of_a_rest_server(capsys: pytest.CaptureFixture[str]) -> None:
    """Somebody gave the same port twice."""
    with running(Fake()) as fake:
        assert "there is no gateway" in refused(capsys, fake.base_url, fake.base_url.replace("http", "ws"))


def echo(fake: Fake, connection: ServerConnection, text: str) -> None:
    """Whatever comes goes back."""
    connection.send(text)


def silence(fake: Fake, connection: ServerConnection, text: str) -> None:
    """It reads, and never answers."""


@pytest.mark.parametrize(("on_frame", "words"), [(echo, "an echo and no gateway"), (silence, "never answers")])
def test_a_gateway_of_someone_else(
    on_frame: Callable[[Fake, ServerConnection, str], None], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It speaks WebSocket, and that is all, while REST is well."""
    with running(Fake(on_frame=on_frame)) as fake:
        assert words in refused(capsys, fake.base_url, fake.ws_url)


def test_half_a_rest_server_does_not_conform(capsys: pytest.CaptureFixture[str]) -> None:
    """Guests can log in and all else fails: it can be judged, so it is, and each failure is told as one."""
    broken: Route = lambda fake, request: (500, failure("Internal server error"))  # noqa: E731
    with running(Fake(routes={r"(?!POST /auth/guest).* .*": broken})) as fake:
        words = ["--profile", "hardened", "--area", "rest", "--only", "R13"]
        assert main(["--base-url", fake.base_url, *words]) == 1
    out, err = capsys.readouterr()
    assert "does not conform" in out
    assert "Traceback" not in out + err


def refused(capsys: pytest.CaptureFixture[str], base_url: str, ws_url: str, *words: str) -> str:
    """The sentence with which `hype-contract` refuses the target, and nothing else, by exit code 2."""
    assert main(["--base-url", base_url, "--ws-url", ws_url, *words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hype-contract: ")
    assert err.endswith(".\n")
    assert err.count("\n") == 1
    return err


@contextmanager
def odd(behave: Callable[[socket.socket], None]) -> Iterator[str]:
    """The address of a server that behaves so on every connection."""
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
