"""The target: found, its profile told, and everything that is no target refused in one sentence."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from contextlib import suppress

import pytest

from hype_contract.running import target
from hype_contract.running.target import TargetUnusable, reach
from tests.hype_contract.fake import Fake, Reply, Request, Route, api, failure, health, now_and_then, running, status


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence is noticed after a second."""
    monkeypatch.setattr(target, "ANSWER_WITHIN_S", 1.0)
    monkeypatch.setattr("hype_contract.actors.clients.opening.PATIENCE_S", 1.0)


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


def test_a_limit_on_requests_is_obeyed_by_the_probe() -> None:
    """Whatever it asks first may be refused with 429 for a while."""
    routes: dict[str, Route] = {"GET /health": now_and_then(1, health), "GET /api": now_and_then(1, api)}
    with running(Fake(routes=routes)) as fake:
        assert reach(fake.base_url, fake.ws_url, "auto", ["rest"]).why == "GET /api says so"


def test_an_unknown_profile_must_be_said() -> None:
    """Neither 200 nor 401, and no word about it."""
    routes: dict[str, Route] = {"GET /api": lambda fake, request: (200, {}), "PUT .*": lambda fake, request: (418, {})}
    with running(Fake(routes=routes)) as fake, pytest.raises(TargetUnusable, match="say --profile"):
        reach(fake.base_url, fake.ws_url, "auto", ["rest"])


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


@pytest.mark.parametrize("url", ["localhost:3001", "ftp://x", "http://", "http://[::1"])
def test_a_wrong_url_is_told(url: str) -> None:
    """Before anything is sent."""
    with pytest.raises(TargetUnusable, match="--base-url must be a URL"):
        reach(url, "ws://localhost:1", "auto", ["rest"])


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


def test_without_its_libraries_it_says_what_to_install() -> None:
    """Whoever installed the server alone gets a sentence and exit code 2, not a traceback."""
    code = "import sys; sys.modules['hypothesis'] = None; import hype_contract.__main__"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stderr.startswith(
        "hype-contract: hypothesis is not installed. Run: pip install 'hype-backend[contract]'"
    )
    assert "Traceback" not in ended.stderr
