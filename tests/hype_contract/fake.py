"""A tiny Hype server in the test process: tests of the harness's core run on it, and break it on purpose."""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

HEADERS = {401: ("WWW-Authenticate", "Bearer"), 429: ("Retry-After", "0"), 503: ("Retry-After", "1")}
"""Status → the header of every answer with it."""
NOW = "2025-10-23T10:30:00.000Z"
Reply = tuple[int, object]
Route: TypeAlias = "Callable[[Fake, Request], Reply]"


@dataclass
class Fake:
    """The state of the fake server. `routes` (method and path pattern → answer) may be replaced to break it.

    `heads`: the request line and headers of every request, and of every WebSocket handshake. `bodies`: the request line
    and body of every request.
    """

    profile: str = "hardened"
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    rooms: dict[str, list[ServerConnection]] = field(default_factory=dict)
    routes: dict[str, Route] = field(default_factory=dict)
    on_frame: Callable[[Fake, ServerConnection, str], None] | None = None
    on_connect: Callable[[ServerConnection], None] | None = None
    heads: list[str] = field(default_factory=list)
    bodies: list[tuple[str, bytes]] = field(default_factory=list)
    base_url: str = ""
    ws_url: str = ""


@dataclass(frozen=True)
class Request:
    """A request to a route. `user`: the user of the bearer token."""

    match: tuple[str, ...]
    body: Any
    user: dict[str, Any] | None


def envelope(data: Any) -> dict[str, Any]:
    """Return the body of a success."""
    return {"success": True, "data": data}


def failure(error: str) -> dict[str, Any]:
    """Return the body of a failure."""
    return {"success": False, "error": error}


def health(fake: Fake, request: Request) -> Reply:
    """Answer that all is well."""
    checks = {"database": "ok", "sfu": "ok"}
    return 200, {"status": "OK", "service": "Hype Backend", "version": "1", "timestamp": NOW, "checks": checks}


def without_a_version(fake: Fake, request: Request) -> Reply:
    """Answer /health without a required member."""
    status, body = health(fake, request)
    assert isinstance(body, dict)
    return status, {name: value for name, value in body.items() if name != "version"}


def api(fake: Fake, request: Request) -> Reply:
    """Answer the service document."""
    about = {"name": "Fake", "version": "1", "description": "A fake"}
    return 200, {**about, "profile": fake.profile, "endpoints": {"health": "/health"}}


def guest(fake: Fake, request: Request) -> Reply:
    """Create a guest, with a token that is looked up and not signed."""
    name = str(request.body["username"])
    user = {"id": f"c{secrets.token_hex(12)}", "username": name, "displayName": None, "email": None}
    token = f"eyJ.{secrets.token_hex(8)}.x"
    user |= {"avatarUrl": None, "status": "ONLINE", "createdAt": NOW}
    fake.users[token] = user
    return 200, envelope({"user": user, "accessToken": token, "refreshToken": f"refresh-{token}"})


def status(fake: Fake, request: Request) -> Reply:
    """Set a status: the only operation of the fake whose answer depends on the profile."""
    if request.user is None and fake.profile == "hardened":
        return 401, failure("Not authenticated")
    return 200, envelope({})


def create_channel(fake: Fake, request: Request) -> Reply:
    """Create a channel with the members of ruling R13."""
    made = {"id": f"c{secrets.token_hex(12)}", "type": request.body["type"].upper(), "name": request.body["name"]}
    made |= {"topic": None, "position": 4, "serverId": "default-server", "userLimit": None, "bitrate": None}
    made |= {"server": {"id": "default-server", "name": "Hype"}, "_count": {"messages": 0, "voiceStates": 0}}
    made |= {"createdBy": {"id": "u1", "username": "someone"}, "createdAt": NOW, "updatedAt": NOW}
    fake.channels[made["id"]] = made
    return 201, envelope(made)


def now_and_then(times: int, route: Route) -> Route:
    """Return `route` with a limit on requests: the first `times` requests are refused with 429."""
    refusals = iter(range(times))

    def limited(fake: Fake, request: Request) -> Reply:
        return route(fake, request) if next(refusals, None) is None else (429, failure("Too many requests"))

    return limited


def delete_channel(fake: Fake, request: Request) -> Reply:
    """Delete a channel."""
    fake.channels.pop(request.match[0], None)
    return 200, envelope({"id": request.match[0]})


ROUTES: dict[str, Route] = {
    r"GET /health": health,
    r"GET /api": api,
    r"POST /auth/guest": guest,
    r"PUT /api/users/([^/]+)/status": status,
    r"POST /api/channels": create_channel,
    r"DELETE /api/channels/([^/]+)": delete_channel,
}


def joined(fake: Fake, socket: ServerConnection, text: str) -> None:
    """Answer `user_joined` to the room, and no other frame."""
    frame = json.loads(text)
    if frame["type"] != "user_joined":
        return
    path = socket.request.path if socket.request else ""
    user = fake.users[path.rpartition("token=")[2]] if "token=" in path else {"id": frame["data"]["userId"]}
    channel = frame["data"].get("channelId")
    data = {"userId": user["id"], "username": user.get("username", "someone"), "channelId": channel}
    data |= {"displayName": None, "avatarUrl": None}
    if channel:
        fake.rooms.setdefault(channel, []).append(socket)
    for other in fake.rooms[channel] if channel else [socket]:
        with suppress(ConnectionClosed):
            other.send(json.dumps({"type": "user_joined", "data": data, "timestamp": NOW}))


@contextmanager
def running(fake: Fake) -> Iterator[Fake]:
    """Serve the fake server on free ports of this machine."""
    fake.routes = {**ROUTES, **fake.routes}
    web = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(fake))
    web.handle_error = lambda *about: None  # type: ignore[method-assign]  # a test may break a connection
    gateway = serve(lambda socket: _converse(fake, socket), "127.0.0.1", 0)
    fake.base_url = f"http://127.0.0.1:{web.server_address[1]}"
    fake.ws_url = f"ws://127.0.0.1:{gateway.socket.getsockname()[1]}"
    # The standard library's server checks only at intervals whether it shall stop, and each test waits for that.
    threads = [threading.Thread(target=web.serve_forever, args=(0.01,)), threading.Thread(target=gateway.serve_forever)]
    for thread in threads:
        thread.start()
    try:
        yield fake
    finally:
        web.shutdown()
        web.server_close()
        gateway.shutdown()
        for thread in threads:
            thread.join()


def _converse(fake: Fake, socket: ServerConnection) -> None:
    if socket.request:
        fake.heads.append(f"{socket.request.path}\n{socket.request.headers}")
    if fake.on_connect:
        fake.on_connect(socket)
    for text in socket:
        (fake.on_frame or joined)(fake, socket, str(text))


def handler_for(fake: Fake) -> type[BaseHTTPRequestHandler]:
    """Return the handler of HTTP requests."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            """Find the route and answer JSON."""
            line = f"{self.command} {self.path.partition('?')[0]}"
            fake.heads.append(f"{line}\n{self.headers}")
            content = self.rfile.read(int(self.headers.get("content-length", 0)))
            fake.bodies.append((line, content))
            token = self.headers.get("authorization", "").removeprefix("Bearer ")
            code: int = 404
            body: object = failure("Not found")
            for pattern, route in fake.routes.items():
                if match := re.fullmatch(pattern, line):
                    request = Request(match.groups(), json.loads(content or b"null"), fake.users.get(token))
                    code, body = route(fake, request)
            self.reply(code, body if isinstance(body, bytes) else json.dumps(body).encode())

        def reply(self, code: int, content: bytes) -> None:
            """Send an answer."""
            self.send_response(code)
            self.send_header("Content-Type", "text/html" if content.startswith(b"<") else "application/json")
            self.send_header("Content-Length", str(len(content)))
            if code in HEADERS:
                self.send_header(*HEADERS[code])
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Log nothing."""

    for method in ("GET", "POST", "PUT", "DELETE"):
        setattr(Handler, f"do_{method}", Handler.answer)
    return Handler
