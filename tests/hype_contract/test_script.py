"""Tests of scripts in bash: they repeat what a case did, also on another server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import httpx

from hype_contract.actors.clients import gate
from hype_contract.actors.clients.wire import Chunked, command
from hype_contract.actors.world import World
from tests.hype_contract.fake import Fake, Reply, Request, Route, running
from tests.hype_contract.fake import guest as any_guest

WorldOn = Callable[[Fake], World]


def strict_guest(fake: Fake, request: Request) -> Reply:
    """Log in a guest, unless the name is taken."""
    names: list[str] = fake.__dict__.setdefault("names", [])
    if request.body["username"] in names:
        return 400, {"success": False, "error": "Username already taken"}
    names.append(request.body["username"])
    return any_guest(fake, request)


def echo(fake: Fake, request: Request) -> Reply:
    """Return the user of the token, or 401 without a token of this server."""
    return (200, {"success": True, "data": request.user}) if request.user else (401, {"success": False, "error": "no"})


def paste(lines: Sequence[str], awaited: str = "") -> str:
    """Run the script in bash, with the programs of this environment, and return its output.

    Instead of sleeping, the script waits until its output contains `awaited`, so that a slow machine does not matter.
    """
    sleep = f"""sleep() {{ until grep -q '{awaited}' "$SAID"; do command sleep 0.05; done; }}"""
    head = ["SAID=$(mktemp)", 'exec > >(tee "$SAID")', sleep]
    ended = subprocess.run(
        ["bash"],
        input="\n".join([*head, *lines, 'rm "$SAID"', ""]),
        env={"PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ended.stderr == ""
    return ended.stdout


def moved(world: World, to: Fake, of: Fake) -> list[str]:
    """Return the script of a world on the fake `of`, changed for the fake `to`."""
    lines = world.trace.transcript.lines(of.base_url)
    return [line.replace(of.base_url, to.base_url).replace(of.ws_url, to.ws_url) for line in lines]


def test_requests_are_sent_again_with_new_names_and_tokens(world_on: WorldOn) -> None:
    """A script works any number of times, on another server, too, with new names and tokens."""
    routes = {"POST /auth/guest": strict_guest, "GET /auth/me": echo}
    with running(Fake(routes=dict(routes))) as first, running(Fake(routes=dict(routes))) as second:
        world = world_on(first)
        ann = world.guest("ann")
        world.rest.raw("GET", "/auth/me", token=ann.token)
        for target in (second, first):
            output = paste(moved(world, target, first))
            assert output.count("HTTP/1.1 200") == 2, output
    assert not any(token in "\n".join(world.trace.transcript.lines()) for token in first.users)


def test_frames_are_sent_again(world_on: WorldOn) -> None:
    """A script opens each socket, sends its frames, and prints the received frames under its name."""
    with running(Fake()) as first, running(Fake()) as second:
        world = world_on(first)
        ann = world.guest("ann")
        world.socket(ann)
        other = world.socket(ann)
        other.send("user_joined", {})
        other.expect("user_joined")
        world.close()
        output = paste(moved(world, second, first), awaited="^ann_2 < ")
    received = [line.partition('"data"')[0] for line in output.splitlines() if line.startswith("ann")]
    assert 'ann_2 < {"type": "user_joined", ' in received
    assert any(line.startswith("ann closed: 1000") for line in output.splitlines())


def test_a_handshake_is_made_with_its_headers_again(world_on: WorldOn) -> None:
    """A script sends the headers for a gate and the `Origin` of a socket, and takes secret values from variables."""
    with running(Fake()) as fake:
        world = world_on(fake)
        world.trace.transcript.secrets.keep("X-Gate: it's open", "X_GATE_HEADER")
        gate.carry([("X-Gate", "it's open")])
        try:
            ann = world.guest("ann")
            socket = world.open_socket(ann.token, ann, origin="https://chat.example")
            socket.send("user_joined", {})
            socket.expect("user_joined")
            world.close()
        finally:
            gate.carry([])
        lines = world.trace.transcript.lines(fake.base_url)
        fake.heads.clear()
        output = paste(['X_GATE_HEADER="X-Gate: it\'s open"', *lines], awaited="^ann < ")
    assert "it's open" not in "\n".join(lines)
    assert not any("\n" in line for line in lines)
    heads = [head.lower() for head in fake.heads if "sec-websocket-key" in head.lower()]
    assert len(heads) == 1
    assert "x-gate: it's open" in heads[0]
    assert "origin: https://chat.example" in heads[0]
    assert 'ann < {"type": "user_joined", ' in output
    assert "ann closed: 1000" in output


def register(fake: Fake, request: Request) -> Reply:
    """Register a user whose password is long enough."""
    if len(request.body["password"]) < 8:
        return 400, {"success": False, "error": "Validation failed"}
    return 201, any_guest(fake, request)[1]


def size(fake: Fake, request: Request) -> Reply:
    """Return the length of the content."""
    return 201, {"success": True, "data": len(request.body["content"])}


def test_a_script_makes_its_own_passwords_and_long_bodies(world_on: WorldOn) -> None:
    """Pasted as it is, a script registers with a new password, and sends a body that is too long to be shown."""
    routes: dict[str, Route] = {"POST /auth/register": register, "POST /api/messages": size, "GET /auth/me": echo}
    with running(Fake(routes=routes)) as fake:
        world = world_on(fake)
        world.trace.transcript.secrets.keep("sesame-open", "ANN_PASSWORD")
        world.trace.transcript.secrets.keep("eyJ.a.b", "ANN_TOKEN")
        base, json_type = fake.base_url, [("Content-Type", "application/json")]
        answer = '201 {"data": {"accessToken": "eyJ.a.b"}}'
        body = b'{"username": "ann-0123456789ab", "email": "a@example.com", "password": "sesame-open"}'
        world.trace.transcript.http("POST", f"{base}/auth/register", json_type, body, answer)
        world.trace.transcript.http("GET", f"{base}/auth/me", [("Authorization", "Bearer eyJ.a.b")], None, "200 {}")
        long = b'{"content": "' + b"x" * 5000 + b'"}'
        world.trace.transcript.http("POST", f"{base}/api/messages", json_type, long, "201 {}")
        lines = world.trace.transcript.lines(fake.base_url)
        output = paste(lines)
    assert "sesame" not in "\n".join(lines)
    assert not any("…" in line for line in lines if not line.startswith("#"))
    assert (output.count("HTTP/1.1 201"), output.count("HTTP/1.1 200")) == (2, 1), output
    assert '"data": 5000' in output


def test_a_token_of_no_answer_is_requested(world_on: WorldOn) -> None:
    """The script logs in a guest if none of its answers brings the token."""
    with running(Fake(routes={"GET /auth/me": echo})) as fake:
        world = world_on(fake)
        world.trace.transcript.secrets.keep("a-foreign-token", "FOREIGN_TOKEN")
        world.trace.transcript.http(
            "GET", f"{fake.base_url}/auth/me", [("Authorization", "Bearer a-foreign-token")], None, "200"
        )
        assert "HTTP/1.1 200" in paste(world.trace.transcript.lines(fake.base_url))


_EVIL = "\x1b]0;owned\x07\x1b[2J"


def evil(fake: Fake, request: Request) -> Reply:
    """Answer with what a terminal obeys."""
    return 200, _EVIL.encode()


def evil_json(fake: Fake, request: Request) -> Reply:
    """Answer with JSON that holds what a terminal obeys."""
    return 200, '{"data": {"id": "c0123456789", "text": "\x9b2J"}}'.encode()


def test_a_script_prints_no_bytes_that_a_terminal_obeys(world_on: WorldOn) -> None:
    """The bytes of a target come out of a pasted script visible, for all kinds of steps."""
    with running(Fake(routes={"GET /health": evil, "GET /api": evil_json})) as fake:
        transcript = world_on(fake).trace.transcript
        transcript.http("GET", f"{fake.base_url}/api", [], None, '200 {"data": {"id": "c0123456789"}}')
        transcript.http("GET", f"{fake.base_url}/health?id=c0123456789", [], None, "200 {}")
        transcript.command(f"curl -sS {fake.base_url}/health")
        transcript.command(command(Chunked("GET", "/health", b"", [], []), httpx.URL(fake.base_url)))
        lines = transcript.lines(fake.base_url)
        output = paste(lines)
    assert '"$API_ID"' in "\n".join(lines)
    assert (output.count("^[]0;owned^G^[[2J"), output.count("M-BM-^[2J")) == (3, 1), output
    assert not set("\x1b\x07\x9b") & set(output)


def test_an_answer_that_comes_early_is_printed(world_on: WorldOn) -> None:
    """A target that answers and closes before it has read the body ends neither the script nor its own answer."""
    with running(Fake(routes={"GET /health": evil, "GET /api": evil_json})) as fake:
        transcript = world_on(fake).trace.transcript
        large = Chunked("GET", "/health", b"x" * 2**22)
        transcript.command(command(large, httpx.URL(fake.base_url)))
        transcript.command(f"curl -sS {fake.base_url}/api")
        output = paste(transcript.lines(fake.base_url))
    assert (output.count("HTTP/1.1 200"), output.count("c0123456789")) == (1, 1), output


def test_a_url_runs_no_command(world_on: WorldOn, tmp_path: Path) -> None:
    """A base URL and a path with signs of the shell stay words, in every line of a script."""
    mark = tmp_path / "mark"
    with running(Fake(routes={".* .*": evil})) as fake:
        transcript = world_on(fake).trace.transcript
        transcript.secrets.keep("a-foreign-token", "FOREIGN_TOKEN")
        for sign in (f";touch {mark};", f"$(touch {mark})", f"`touch {mark}`", f"';touch {mark};'"):
            base = f"{fake.base_url}/{sign}"
            transcript.http("GET", f"{base}/auth/me", [("Authorization", "Bearer a-foreign-token")], None, "200")
            transcript.command(command(Chunked("GET", f"/{sign}", b"", [], []), httpx.URL(fake.base_url)))
            script = transcript.lines(base)
            subprocess.run(["bash", "-n"], input="\n".join(script), text=True, check=True)
            subprocess.run(["bash"], input="\n".join(script), text=True, capture_output=True, timeout=60, check=False)
    assert not mark.exists()


def test_only_marked_places_are_variables(world_on: WorldOn) -> None:
    """A text of the target that looks like a variable stays a text."""
    with running(Fake()) as fake:
        transcript = world_on(fake).trace.transcript
        body = b'{"content": "pay me $MONEY or \\"$PATH\\""}'
        transcript.http("POST", f"{fake.base_url}/api/messages", [], body, "404 {}")
        lines = transcript.lines(fake.base_url)
    assert not any(line.startswith(("MONEY", "PATH", ": ")) for line in lines), lines
    assert any('\'{"content": "pay me $MONEY or \\"$PATH\\""}\'' in line for line in lines), lines
