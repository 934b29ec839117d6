"""A TCP proxy before a target, which has the faults of real ones: it hangs, drips, dies, restarts and closes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_PIECE = 65_536


class Proxy:
    """A proxy on a free port of this machine, for any number of connections.

    `kept_requests`: after so many answers a kept connection is closed unannounced, as the next request comes; 0: never.
    """

    def __init__(self, target: str) -> None:
        """Listen. target: `host:port`."""
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.kept_requests = 0
        self.requests = 0
        self._hanging = threading.Event()
        self._spared: bytes | None = None
        self._dripping = False
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = False
        self._listen()

    def hang(self, but: bytes | None = None) -> None:
        """Take connections and requests from now on, and answer none. but: the beginning of those that are answered."""
        self._spared = but
        self._hanging.set()

    def drip(self) -> None:
        """Begin each answer from now on, and send a byte of it now and then, without an end."""
        self._dripping = True

    def kill(self) -> None:
        """End as a process does that is killed: all connections are reset, and new ones refused."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._reset()

    def restart(self) -> None:
        """Listen again on the same port."""
        host, _, port = self.address.rpartition(":")
        self._listener = socket.create_server((host, int(port)))
        self._listen()

    def close(self) -> None:
        """End for good."""
        self._ended = True
        with suppress(OSError):
            self.kill()

    def _reset(self) -> None:
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def _listen(self) -> None:
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client = listener.accept()[0]
                threading.Thread(target=self._attend, args=(client,), daemon=True).start()

    def _attend(self, client: socket.socket) -> None:
        with client, suppress(OSError), socket.create_connection(self._target) as server:
            with self._lock:
                self._open |= {client, server}
            try:
                back = threading.Thread(target=self._answer, args=(server, client), daemon=True)
                back.start()
                self._ask(client, server)
                with suppress(OSError):
                    server.shutdown(socket.SHUT_WR)
                back.join()
            finally:
                with self._lock:
                    self._open -= {client, server}

    def _ask(self, client: socket.socket, server: socket.socket) -> None:
        asked = 0
        while piece := client.recv(_PIECE):
            if piece.split(b" ", 1)[0] in (b"GET", b"POST", b"PUT", b"DELETE", b"OPTIONS"):
                self.requests += 1
                asked += 1
            if self.kept_requests and asked > self.kept_requests:
                client.shutdown(socket.SHUT_RDWR)
                return
            if not self._hanging.is_set() or (self._spared and piece.startswith(self._spared)):
                server.sendall(piece)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        with suppress(OSError):
            while piece := server.recv(_PIECE):
                if self._hanging.is_set() and self._spared is None:
                    continue
                if self._dripping:
                    self._drip(client, piece)
                client.sendall(piece)
            client.shutdown(socket.SHUT_WR)

    def _drip(self, client: socket.socket, piece: bytes) -> None:
        client.sendall(piece[:1])
        waiting = threading.Event()
        while not self._ended:
            waiting.wait(0.1)
            client.sendall(b"H" if piece[:1] == b"H" else b" ")


@contextmanager
def proxy(url: str) -> Iterator[tuple[Proxy, str]]:
    """Yield a proxy before the target at `url`, and its own URL."""
    scheme, _, target = url.partition("://")
    made = Proxy(target.rstrip("/"))
    try:
        yield made, f"{scheme}://{made.address}"
    finally:
        made.close()
