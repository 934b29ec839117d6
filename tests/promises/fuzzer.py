"""Sends a fuzzer's inputs to a running server, with everything judged, and counts what comes back."""

from __future__ import annotations

import re
import socket
from collections import Counter
from contextlib import suppress

from hype_contract.actors.clients.frames import Frame
from hype_contract.actors.clients.rest import Reply
from hype_contract.actors.must import Violation
from hype_contract.actors.world import World
from tests.promises.inputs import Bytes, Frames, Input, LastFrame, Request
from tests.running import Running

_PATIENCE_S = 20
_LARGEST_BODY = 102_400
_ONCE = {"authorization", "content-type", "origin"}


class Fuzzer:
    """counts: by HTTP status, event, `error` code and close code. wrong: what must not be, with the input."""

    def __init__(self, server: Running) -> None:
        """server: without rate limits."""
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._server = server
        self._world = server.world()
        self._names: dict[str, str] = {}
        self._someone_new()
        self._names["other"] = self._world.guest("other").id
        self._speaker = self._world.guest("speaker")
        self._owner = self._world.guest("owner")
        self._new_rooms()
        self._door = self._world.channel(self._owner)["id"]
        self._socket = self._world.socket(self._speaker, join=self._door)
        self._socket.pace = None

    def send(self, one: Input) -> None:
        """Send an input and look at everything that comes of it."""
        try:
            match one:
                case Request():
                    self._request(one)
                case Frames():
                    self._frames(one)
                case LastFrame():
                    self._last_frame(one)
                case Bytes():
                    self._bytes(one)
        except Violation as violation:
            self.wrong.append(f"{violation}\n  {str(one)[:3000]}")

    def finish(self) -> None:
        """The server still serves, and has counted no 5xx itself."""
        world: World = self._server.world()
        person = world.guest()
        world.socket(person).fence()
        world.message(person, world.channel(person)["id"])
        if world.hardened:
            own = world.rest.call("getMetrics", expect=200).content.decode()
            failures = re.findall(r'^hype_\w+{.*status="5\d\d".*', own, re.MULTILINE)
            self.wrong += [f"the server counts {line}" for line in failures]

    def _request(self, one: Request) -> None:
        target, content = self._fill(one.target), self._fill_bytes(one.content)
        headers = [(name, self._fill(value)) for name, value in one.headers]
        names = [name.lower() for name, _ in headers]
        if any(names.count(name) > 1 for name in _ONCE):
            return  # refused before it is routed (ruling A19); tests/rest/test_raw_messages.py sends such heads
        large = len(content or b"") > _LARGEST_BODY  # 413, also at operations that take no body
        operation = None if large else one.operation
        reply = self._world.rest.raw(one.method, target, headers=headers, content=content, operation=operation)
        self.counts[f"REST {reply.status}"] += 1
        if reply.status >= 500:
            raise Violation("no 5xx", f"{reply.status} {reply.content!r}")
        self._follow(one, reply)

    def _follow(self, one: Request, reply: Reply) -> None:
        """Keep `__names__` pointing at things that exist."""
        revoked = reply.status == 401 and ("Authorization", "Bearer __token__") in one.headers
        ends = one.operation in ("logoutUser", "logoutEverywhere", "refreshTokens")
        if revoked or (ends and reply.status == 200):
            self._someone_new()
        elif one.operation == "deleteChannel" and reply.status == 200:
            self._new_rooms()
        elif one.operation == "createMessage" and reply.status == 201:
            self._names["message"] = reply.data["id"]

    def _frames(self, frames: Frames) -> None:
        for text in frames.texts:
            self._socket.send_raw(self._fill(text))
        for frame in self._answers():
            code = f" {frame['data']['code']}" if frame["type"] == "error" else ""
            self.counts[f"gateway {frame['type']}{code}"] += 1
            if code == " internal":
                raise Violation("no internal error", frame)

    def _answers(self) -> list[Frame]:
        """Everything until a frame of ours is answered, by naming a room that no input knows."""
        here = {"channelId": self._door}
        self._socket.send("user_joined", {**self._socket.identity, **here})
        self._socket.expect("user_joined", here)
        answers, self._socket.pending = self._socket.pending, []
        return answers

    def _last_frame(self, frame: LastFrame) -> None:
        doomed = self._world.socket(self._speaker)
        doomed.pace = None
        with suppress(Violation):  # a long frame may find the door closed before its end
            doomed.send_raw(frame.payload, text=frame.text)
        self.counts[f"gateway closed {doomed.closed(frame.code)}"] += 1

    def _bytes(self, one: Bytes) -> None:
        port = self._server.port if one.door == "rest" else self._server.ws_port
        heard = b""
        with socket.create_connection(("127.0.0.1", port), _PATIENCE_S) as connection, suppress(ConnectionError):
            if one.head:
                connection.sendall(self._fill_bytes(one.head) or b"")
                heard = connection.recv(65536)
            connection.sendall(self._fill_bytes(one.content) or b"")
            connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                heard += part
        statuses = re.findall(rb"^HTTP/1.1 (\d+)", heard, re.MULTILINE)
        self.counts[f"raw {one.door} {', '.join(map(bytes.decode, statuses)) or 'no answer'}"] += 1
        if any(status.startswith(b"5") for status in statuses):
            raise Violation("no 5xx", heard)

    def _someone_new(self) -> None:
        me = self._world.guest("me")
        self._names |= {"me": me.id, "token": me.token, "refresh": me.refresh_token}

    def _new_rooms(self) -> None:
        self._names["room"] = self._world.channel(self._owner)["id"]
        self._names["voice"] = self._world.channel(self._owner, "voice")["id"]
        self._names["message"] = self._world.message(self._owner, self._names["room"])["id"]

    def _fill(self, text: str) -> str:
        return re.sub("__([a-z]+)__", lambda match: self._names.get(match[1], match[0]), text)

    def _fill_bytes(self, content: bytes | None) -> bytes | None:
        return None if content is None else self._fill(content.decode("latin-1")).encode("latin-1")
