"""The world of one case: users, sockets and channels of its own, made when asked for and cleaned up afterwards."""

from __future__ import annotations

import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import httpx

from contract_tests.clients.gateway import Socket
from contract_tests.clients.opening import PATIENCE_S, address, connect
from contract_tests.clients.rest import Rest
from contract_tests.commons import Commons
from contract_tests.contract import Contract
from contract_tests.ledger import Trace
from contract_tests.must import Skipped, Violation
from contract_tests.options import DEFAULTS, Options
from contract_tests.transcript import Secrets, Transcript

T = TypeVar("T")


@dataclass
class Person:
    """A user of the target. `password` and `email` are None for a guest; `user` is the object that `/auth/*` gave."""

    name: str
    username: str
    email: str | None
    password: str | None
    user: dict[str, Any]
    token: str
    refresh_token: str
    pace: Pacer

    @property
    def id(self) -> str:
        """The user's id."""
        return str(self.user["id"])


class Pacer:
    """A client-side token bucket: keeps a user's frames within the contract's rate (ruling R31). Thread-safe."""

    def __init__(self, burst: float, per_second: float) -> None:
        """`burst` frames at once, then `per_second`; zero `per_second` means no limit."""
        self._burst = self._left = burst
        self._rate = per_second
        self._at = time.monotonic()
        self._lock = Lock()

    def wait(self) -> None:
        """Return when one more frame may be sent."""
        if not self._rate:
            return
        with self._lock:
            now = time.monotonic()
            self._left = min(self._burst, self._left + (now - self._at) * self._rate) - 1
            self._at = now
            debt = -self._left / self._rate
        if debt > 0:
            time.sleep(debt)  # noqa: TID251 - keeping the rate is the point


class World:
    """What a case gets. `rest` and `contract` are ready; everything else is made lazily and belongs to this case.

    `random` is seeded by the run's seed and the case, for choices; unique names come from `secrets`, because the target
    remembers the names of earlier runs. `options`: what the person at the terminal said. `commons`: what the cases of
    the run share; without it each makes its own.
    """

    def __init__(
        self,
        contract: Contract,
        http: httpx.Client,
        ws_url: str,
        seed: str,
        secrets_: Secrets,
        options: Options = DEFAULTS,
        commons: Commons | None = None,
    ) -> None:
        self.options = options
        self._commons = commons
        self.contract = contract
        self.trace = Trace(secrets_)
        self.rest = Rest(contract, http, self.trace)
        self.http = http
        self.ws_url = ws_url
        self.seed = seed
        self.random = random.Random(seed)
        self._sockets: list[Socket] = []
        self._channels: list[tuple[str, Person]] = []
        self._people: dict[str, int] = {}
        self._named: Counter[str] = Counter()
        self._ends = ExitStack()

    @property
    def hardened(self) -> bool:
        """The run judges the hardened profile."""
        return self.contract.profile == "hardened"

    def times(self, count: float) -> int:
        """How many generated inputs this run's mode makes of `count`; at least one."""
        return max(1, round(count * self.options.effort))

    def guest(self, name: str = "guest") -> Person:
        """A new guest. `name` is what scripts call them; usernames are unique."""
        username = unique(name)
        with self.setting_up():
            reply = self.rest.call("loginGuest", body={"username": username}, expect=200, patient=True)
        return self._person(name, username, None, None, reply.data)

    def member(self, name: str = "member") -> Person:
        """A new registered user with an email and a password."""
        username = unique(name)
        email, password = f"{username}@example.com", secrets.token_urlsafe(12)
        self.trace.transcript.secrets.keep(password, f"{name.upper()}_PASSWORD")
        body = {"username": username, "email": email, "password": password}
        with self.setting_up():
            reply = self.rest.call("registerUser", body=body, expect=201, patient=True)
        return self._person(name, username, email, password, reply.data)

    def guests(self, *names: str) -> list[Person]:
        """Several guests: `ann, bob = world.guests("ann", "bob")`."""
        return [self.guest(name) for name in names]

    def login(self, person: Person) -> Person:
        """A second session of a registered user."""
        body = {"email": person.email, "password": person.password}
        with self.setting_up():
            data = self.rest.call("loginUser", body=body, expect=200, patient=True).data
        again = self._person(person.name, person.username, person.email, person.password, data)
        again.pace = person.pace
        return again

    def channel(self, owner: Person, type: str = "text", **members: Any) -> dict[str, Any]:
        """A new channel (text, voice or announcement) that `owner` made; removed when the case ends."""
        body = {"name": unique("room"), "type": type, **members}
        with self.setting_up():
            made: dict[str, Any] = self.rest.call("createChannel", token=owner.token, body=body, expect=201).data
        self.adopt(made["id"], owner)
        return made

    def adopt(self, channel_id: str, owner: Person) -> None:
        """Have a channel that the case made itself removed when it ends."""
        self._channels.append((channel_id, owner))

    def message(self, author: Person, channel_id: str, content: str = "hello") -> dict[str, Any]:
        """A message stored by REST."""
        body = {"channelId": channel_id, "content": content}
        with self.setting_up():
            made: dict[str, Any] = self.rest.call("createMessage", token=author.token, body=body, expect=201).data
        return made

    def socket(self, person: Person, *, join: str | None = None) -> Socket:
        """An identified socket of `person`; with `join` in that channel's room, and nothing pending.

        Hardened: the token goes into the URL. Documented: `user_joined` claims the identity (P4).
        """
        with self.setting_up():
            made = self.open_socket(person.token if self.hardened else None, person)
            made.identity = {} if self.hardened else {"userId": person.id, "username": person.username}
            if join is not None or not self.hardened:
                made.send("user_joined", {**made.identity, **({"channelId": join} if join else {})})
                made.expect("user_joined", {"userId": person.id, "channelId": join})
        return made

    def open_socket(
        self,
        token: str | None = None,
        person: Person | None = None,
        *,
        lazy: bool = False,
        origin: str | None = None,
    ) -> Socket:
        """A socket as it comes: no identity but `token`. With `person` it is named after them and keeps their pace.

        `lazy`: it reads nothing that is not asked for. `origin`: of the page that opens it.
        """
        name = self._called(person)
        self.trace.transcript.opening(name, address(self.ws_url, token))
        connection = connect(self.ws_url, token, lazy=lazy, origin=origin)
        made = Socket(self.contract, connection, self.trace, name, person.pace if person else None)
        made.user = {"userId": person.id} if person else {}
        self._sockets.append(made)
        return made

    def _called(self, person: Person | None) -> str:
        """A name for the next socket of `person`, or of nobody, that no other one of this case has."""
        name = person.name if person else "stranger"
        self._named[name] += 1
        return name + (f"/{self._named[name]}" if self._named[name] > 1 else "")

    def shared(self, key: Hashable, make: Callable[[World], T]) -> T:
        """What `make` makes, once for all cases of the run; how it was made is told in this case's script too."""
        if self._commons is None:
            return make(self)
        made, maker = self._commons.get(key, make)
        self.trace.transcript.include(maker.trace.transcript)
        return made

    def tell_anew(self) -> None:
        """From here on it is another story: its script begins here, and names of people and sockets are free again."""
        self.trace.transcript = Transcript(self.trace.transcript.secrets, whole=True)
        self._people.clear()
        self._named.clear()

    def at_end(self, end: Callable[[], object]) -> None:
        """Have `end` called when the case has ended, before its sockets are closed."""
        self._ends.callback(end)

    def close(self) -> None:
        """Close the sockets, which judges the frames nobody read, and remove the channels. Raises `Violation`."""
        self._ends.close()
        wrong: Violation | None = None
        for socket in self._sockets:
            try:
                with self.setting_up():
                    socket.close()
            except Violation as violation:
                wrong = wrong or violation
        self.trace.transcript.end()
        for channel_id, owner in reversed(self._channels):
            with suppress(Violation, Skipped), self.setting_up():
                self.rest.call("deleteChannel", path={"id": channel_id}, token=owner.token)
        if wrong:
            raise wrong

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """What is sent meanwhile prepares the case, and shows nothing."""
        before, self.trace.setting_up = self.trace.setting_up, True
        try:
            yield
        finally:
            self.trace.setting_up = before

    def _person(self, name: str, username: str, email: str | None, password: str | None, data: Any) -> Person:
        count = self._people[name] = self._people.get(name, 0) + 1
        label = name.upper().replace("-", "_") + (str(count) if count > 1 else "")
        self.trace.transcript.secrets.keep(data["accessToken"], f"{label}_TOKEN")
        self.trace.transcript.secrets.keep(data["refreshToken"], f"{label}_REFRESH_TOKEN")
        rate = self.contract.limits.get("rate") or {}
        pace = Pacer(rate.get("burst", 1) - 1 or 1, rate.get("perSecond", 0) * 0.9)
        return Person(name, username, email, password, data["user"], data["accessToken"], data["refreshToken"], pace)


def unique(prefix: str = "u") -> str:
    """A name that this target has never seen: `prefix` (cut to 16 characters) and 48 random bits."""
    return f"{prefix[:16]}-{secrets.token_hex(6)}"


__all__ = ["PATIENCE_S", "Pacer", "Person", "World", "unique"]
