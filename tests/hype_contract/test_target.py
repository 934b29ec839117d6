"""Tests of the probe: it finds the target and its profile, and refuses any other server in one sentence."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from hype_contract.running import target
from hype_contract.running.target import TargetUnusable, reach
from tests.hype_contract.fake import (
    HEADERS,
    Fake,
    Reply,
    Request,
    Route,
    api,
    failure,
    guest,
    health,
    now_and_then,
    running,
    status,
)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the probe wait only a second for an answer."""
    monkeypatch.setattr(target, "ANSWER_WITHIN_S", 1.0)
    monkeypatch.setattr("hype_contract.actors.clients.opening.PATIENCE_S", 1.0)


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_the_target_says_which_profile_it_runs(profile: str) -> None:
    """The target names its profile in GET /api (ruling R12)."""
    with running(Fake(profile=profile)) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest", "gateway"])
    assert (found.profile, found.profile_reason) == (profile, "GET /api says so")


@pytest.mark.parametrize("profile", ["documented", "hardened"])
def test_otherwise_the_profile_follows_from_an_answer(profile: str) -> None:
    """The answer to a status change without a token shows the profile (P1), if GET /api does not name it."""
    with running(Fake(profile=profile, routes={"GET /api": lambda fake, request: (200, {})})) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest"])
    assert found.profile == profile
    assert "without a token answers" in found.profile_reason


def test_a_contradiction_is_mentioned() -> None:
    """The named profile counts, and the reason mentions an answer that contradicts it."""

    def lax(fake: Fake, request: Request) -> Reply:
        return status(Fake(profile="documented"), request)

    with running(Fake(routes={r"PUT /api/users/([^/]+)/status": lax})) as fake:
        found = reach(fake.base_url, fake.ws_url, "auto", ["rest"])
    assert found.profile == "hardened"
    assert "although" in found.profile_reason


def test_a_limit_on_requests_is_obeyed_by_the_probe() -> None:
    """The probe waits after a 429 and sends the request again."""
    routes: dict[str, Route] = {"GET /health": now_and_then(1, health), "GET /api": now_and_then(1, api)}
    with running(Fake(routes=routes)) as fake:
        assert reach(fake.base_url, fake.ws_url, "auto", ["rest"]).profile_reason == "GET /api says so"


def test_an_unknown_profile_must_be_given() -> None:
    """The probe asks for `--profile` if neither GET /api nor the status change shows it."""
    routes: dict[str, Route] = {"GET /api": lambda fake, request: (200, {}), "PUT .*": lambda fake, request: (418, {})}
    with running(Fake(routes=routes)) as fake, pytest.raises(TargetUnusable, match="add --profile"):
        reach(fake.base_url, fake.ws_url, "auto", ["rest"])


def test_a_port_that_speaks_no_http_is_no_target() -> None:
    """A server of another protocol is refused."""
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
    """An answer that never ends is refused, although each piece comes in time."""
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


@pytest.mark.parametrize("url", ["localhost:3001", "ftp://x", "http://", "http://[::1"])
def test_a_wrong_url_is_refused(url: str) -> None:
    """A URL with a wrong scheme or without a host is refused before any request."""
    with pytest.raises(TargetUnusable, match="--base-url must be a URL"):
        reach(url, "ws://localhost:1", "auto", ["rest"])


def test_the_gateway_is_not_asked_for_when_rest_alone_is_judged(fake: Fake) -> None:
    """The probe sends nothing to the gateway if only REST is judged."""
    assert reach(fake.base_url, "", "auto", ["rest"]).profile == "hardened"


def test_a_guest_is_not_needed_where_registration_works() -> None:
    """The probe registers a user if the guest login is broken."""
    user = {"user": {"id": "a"}, "accessToken": "t"}
    routes: dict[str, Route] = {
        "POST /auth/guest": lambda fake, request: (500, failure("Internal server error")),
        "POST /auth/register": lambda fake, request: (201, {"success": True, "data": user}),
    }
    with running(Fake(routes=routes)) as fake:
        assert reach(fake.base_url, fake.ws_url, "auto", ["rest"]).profile == "hardened"


def test_without_its_libraries_it_says_what_to_install() -> None:
    """The command without its libraries gives a sentence and exit code 2, not a traceback."""
    code = "import sys; sys.modules['hypothesis'] = None; import hype_contract.__main__"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "hype-contract: hypothesis is not installed. Run: pip install 'hype-backend[contract]'"
    )
    assert "Traceback" not in ended.stderr


def test_the_scheme_of_a_url_may_be_in_upper_case() -> None:
    """A URL means the same with its scheme in upper case."""
    with running(Fake()) as fake:
        base_url, ws_url = fake.base_url.replace("http", "HTTP"), fake.ws_url.replace("ws", "WS")
        found = reach(base_url, ws_url, "auto", ["rest", "gateway"])
    assert (found.base_url, found.ws_url) == (fake.base_url, fake.ws_url)


@pytest.mark.parametrize(
    ("code", "header", "sentence"),
    [
        (
            301,
            ("Location", "https://chat.example/"),
            "names another place, 'https://chat.example/': give that as --base",
        ),
        (308, ("Location", "https://chat.example/"), "answers 308 and names another place"),
        (401, ("WWW-Authenticate", 'Basic realm="staging"'), "let the gate before the target take another header"),
    ],
)
def test_an_answer_of_a_gate_is_explained(
    monkeypatch: pytest.MonkeyPatch, code: int, header: tuple[str, str], sentence: str
) -> None:
    """The sentence about a target behind a redirect or a password says what to do."""
    monkeypatch.setitem(HEADERS, code, header)
    with running(Fake(routes={".*": lambda fake, request: (code, {})})) as fake:
        fake.routes = {".*": fake.routes[".*"]}
        with pytest.raises(TargetUnusable, match=re.escape(sentence)):
            reach(fake.base_url, fake.ws_url, "auto", ["rest"])


def test_ids_that_are_numbers_are_explained() -> None:
    """The sentence about ids that are numbers names the id, and says what the contract has."""

    def numbered(fake: Fake, request: Request) -> Reply:
        code, body = guest(fake, request)
        body["data"]["user"]["id"] = 42  # type: ignore[index]  # it is an object
        return code, body

    with (
        running(Fake(routes={"POST /auth/guest": numbered})) as fake,
        pytest.raises(TargetUnusable, match=r'whose id is the number 42; ids are texts .*"42"'),
    ):
        reach(fake.base_url, fake.ws_url, "auto", ["rest"])
