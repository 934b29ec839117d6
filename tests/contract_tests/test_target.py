"""The target: found, its profile told, and everything that is no target refused in one sentence."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from websockets.sync.server import ServerConnection

from contract_tests import target
from contract_tests.__main__ import main
from contract_tests.target import TargetUnusable, reach
from tests.contract_tests.fake import Fake, Reply, Request, Route, failure, running, status


@contextmanager
def mute() -> Iterator[str]:
    """A port that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed after a second."""
    monkeypatch.setattr(target, "ANSWER_WITHIN_S", 1.0)
    monkeypatch.setattr("contract_tests.clients.gateway.PATIENCE_S", 1.0)


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_the_target_says_which_profile_it_runs(profile: str) -> None:
    """Ruling R12: it stands in GET /api."""
    with running(Fake(profile=profile)) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest", "gateway"])
    assert (found.profile, found.why) == (profile, "GET /api says so")


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_else_the_profile_shows_in_what_it_does(profile: str) -> None:
    """P1: a status change without a token."""
    with running(Fake(profile=profile, routes={"GET /api": lambda fake, request: (200, {})})) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest"])
    assert found.profile == profile
    assert "without a token answers" in found.why


def test_a_contradiction_is_mentioned() -> None:
    """What it says counts, what it does will be judged."""

    def lax(fake: Fake, request: Request) -> Reply:
        return status(Fake(profile="documented"), request)

    with running(Fake(routes={r"PUT /api/users/([^/]+)/status": lax})) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest"])
    assert found.profile == "hardened"
    assert "although" in found.why


def test_an_unknown_profile_must_be_said() -> None:
    """Neither 200 nor 401, and no word about it."""
    routes: dict[str, Route] = {"GET /api": lambda fake, request: (200, {}), "PUT .*": lambda fake, request: (418, {})}
    with running(Fake(routes=routes)) as fake, pytest.raises(TargetUnusable, match="say --profile"):
        reach(fake.base_url, fake.ws_url, "auto", ["rest"])


def answering(code: int, body: bytes) -> Fake:
    """A server that answers everything alike."""
    return Fake(routes={".* .*": lambda fake, request: (code, body)})


@pytest.mark.parametrize(
    ("fake", "sentence"),
    [
        (answering(401, b'{"success": false, "error": "no"}'), "answers 401"),
        (answering(200, b""), "with an empty body"),
        (answering(200, b"<!doctype html><title>Hi</title>"), "a web page instead of JSON"),
        (answering(200, b"[]"), "gives no user to test with"),
    ],
)
def test_what_answers_everything_alike_is_no_target(fake: Fake, sentence: str) -> None:
    """401, nothing, a web page: nobody could log in."""
    with running(fake), pytest.raises(TargetUnusable, match=sentence):
        reach(fake.base_url, fake.ws_url, "auto", ["rest"])


def test_a_closed_port_is_no_target() -> None:
    """Nothing listens there."""
    with mute() as address:
        pass
    with pytest.raises(TargetUnusable, match="cannot be reached"):
        reach(f"http://{address}", "ws://localhost:1", "auto", ["rest"])


def test_a_hanging_port_is_no_target() -> None:
    """It listens, and that is all."""
    with mute() as address, pytest.raises(TargetUnusable, match="does not answer GET /health"):
        reach(f"http://{address}", "ws://localhost:1", "auto", ["rest"])


def test_a_port_that_speaks_no_http_is_no_target() -> None:
    """Somebody else's protocol."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n")

        greeter = threading.Thread(target=greet)
        greeter.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TargetUnusable, match="with HTTP"):
            reach(url, "ws://localhost:1", "auto", ["rest"])
        greeter.join()


@pytest.mark.parametrize("header", [b"", b"Content-Length: 100000000000\r\n"])
def test_an_answer_without_an_end_is_no_target(header: bytes) -> None:
    """A stream of something: each piece comes in time, the last one never does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def pour() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: audio/mpeg\r\n" + header + b"\r\n")
                while True:
                    connection.sendall(b"la" * 10_000)

        pouring = threading.Thread(target=pour)
        pouring.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with pytest.raises(TargetUnusable, match="answers GET /health without an end"):
            reach(url, "ws://localhost:1", "auto", ["rest"])
        pouring.join()


def test_redirects_are_no_target() -> None:
    """The sentence shows what came: somebody forgot a path, or a host."""
    moved = answering(302, b"")
    with running(moved), pytest.raises(TargetUnusable, match="answers 302"):
        reach(moved.base_url, moved.ws_url, "auto", ["rest"])


@pytest.mark.parametrize("url", ["localhost:3001", "ftp://x", "http://", "http://[::1"])
def test_a_wrong_url_is_told(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(TargetUnusable, match="--base-url must be a URL"):
        reach(url, "ws://localhost:1", "auto", ["rest"])


def silent(fake: Fake, socket: ServerConnection, text: str) -> None:
    """A gateway that reads and never answers."""


def echo(fake: Fake, socket: ServerConnection, text: str) -> None:
    """A gateway that is none."""
    socket.send(text)


def test_a_silent_gateway_is_no_target() -> None:
    """It opens, and that is all."""
    with running(Fake(on_frame=silent)) as fake, pytest.raises(TargetUnusable, match="never answers"):
        reach(fake.base_url, fake.ws_url, "auto", ["gateway"])


def test_an_echo_is_no_target() -> None:
    """Each of its frames is well-formed, since they are ours."""
    with running(Fake(on_frame=echo)) as fake, pytest.raises(TargetUnusable, match="echo"):
        reach(fake.base_url, fake.ws_url, "auto", ["gateway"])


def test_a_gateway_elsewhere_is_no_target(fake: Fake) -> None:
    """The REST port does not speak WebSocket."""
    with pytest.raises(TargetUnusable, match="no gateway at"):
        reach(fake.base_url, fake.base_url.replace("http", "ws"), "auto", ["gateway"])


def test_the_gateway_is_not_asked_for_when_rest_alone_is_judged(fake: Fake) -> None:
    """A team that has no gateway yet can use the harness."""
    assert reach(fake.base_url, "", "auto", ["rest"]).profile == "hardened"


def test_a_guest_is_not_needed_where_registration_works() -> None:
    """A broken guest login is a finding for the cases, not the end."""
    user = {"user": {"id": "a"}, "accessToken": "t"}
    routes: dict[str, Route] = {
        "POST /auth/guest": lambda fake, request: (500, failure("Internal server error")),
        "POST /auth/register": lambda fake, request: (201, {"success": True, "data": user}),
    }
    with running(Fake(routes=routes)) as fake:
        assert reach(fake.base_url, fake.ws_url, "auto", ["rest"]).profile == "hardened"


def test_the_command_line_says_it_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, no stack trace, nothing on stdout."""
    with mute() as address:
        pass
    assert main(["--base-url", f"http://{address}"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("hype-contract: http://127.0.0.1:")
    assert err.count("\n") == 1


def test_without_its_libraries_it_says_what_to_install() -> None:
    """Whoever installed the server alone gets a sentence and exit code 2, not a traceback."""
    code = "import sys; sys.modules['hypothesis'] = None; import contract_tests.__main__"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith("hype-contract: hypothesis is not installed. Run: pip install 'hype[contract]'")
    assert "Traceback" not in ended.stderr
