"""Password hashes, and the threads that make them. No other module imports bcrypt (ruling R21)."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Lock
from typing import Any, Final

import bcrypt

from hype.errors import QueueFull

_HASH_S: Final = 0.1
_ROUNDS: Final = 10
# The hash of a text that is no digest of a password. A check against it takes as long as against a real one.
_NO_PASSWORD: Final = b"$2b$10$ZFISqDCzM76BPYn4POb7r.9FYY2dQhkAFUZFn6H7moSUNF5cQs3jS"


class HashingThreads(ThreadPoolExecutor):
    """Threads for `hash_password` and `verify`, for which a bounded number of calls waits.

    They have a low share of the processor by their number. A storm of registrations fills their queue, and delays
    nothing else.
    """

    def __init__(self, threads: int, waiting: int) -> None:
        """Prepare `threads` threads. waiting: the most calls that wait for a thread."""
        super().__init__(threads, thread_name_prefix="hype-hash")
        self._most = threads + waiting
        self._threads_s = _HASH_S / threads
        self._present = 0
        self._lock = Lock()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Begin a call. Raises QueueFull, with the time until the queue is shorter, when too many wait."""
        with self._lock:
            if self._present >= self._most:
                raise QueueFull(retry_after_s=self._most * self._threads_s / 2)
            self._present += 1
        try:
            begun = super().submit(fn, *args, **kwargs)
        except BaseException:
            self._end(None)
            raise
        begun.add_done_callback(self._end)
        return begun

    def _end(self, ended: Future[Any] | None) -> None:
        with self._lock:
            self._present -= 1


class Places:
    """The places of addresses in the queue of `HashingThreads`, so that no client alone fills it.

    It counts every kind of hash: a login with the right password costs as much as one that fails.
    """

    def __init__(self, most: int = 100) -> None:
        """Begin with an empty queue. most: the places of one address."""
        self._most = most
        self._taken: Counter[str] = Counter()

    @contextmanager
    def one(self, key: str) -> Iterator[None]:
        """Take a place for as long as the block runs. key: what an address counts under.

        Raises QueueFull, with the time until half of its hashes are done, when the address has all of its places.
        """
        if self._taken[key] >= self._most:
            raise QueueFull(retry_after_s=self._most * _HASH_S / 4)
        self._taken[key] += 1
        try:
            yield
        finally:
            self._taken[key] -= 1
            if not self._taken[key]:
                del self._taken[key]


def hash_password(password: str) -> str:
    """Return a salted hash to store. It takes about a tenth of a second: call it outside any transaction."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(_ROUNDS)).decode("ascii")


def verify(password: str, password_hash: str | None) -> bool:
    """Return whether this is the password. With None it takes as long and is False (ruling R22)."""
    stored = _NO_PASSWORD if password_hash is None else password_hash.encode("ascii")
    matches = bcrypt.checkpw(_digest(password), stored)
    return matches and password_hash is not None


def _digest(password: str) -> bytes:
    """Return 44 ASCII characters that depend on every character of the password.

    bcrypt itself takes at most 72 bytes and no zero byte. Text that is not Unicode (a lone surrogate) gets a digest,
    too, and so is a wrong password.
    """
    return base64.b64encode(hashlib.sha256(password.encode("utf-8", "surrogatepass")).digest())
