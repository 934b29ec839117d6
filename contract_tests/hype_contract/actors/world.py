"""The world of one case: its own users, sockets and channels, which are made on demand and removed afterwards."""

from __future__ import annotations

import json
import random
import secrets
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx

from hype_contract.actors.clients.conditions import Abandoned, Conditions
from hype_contract.actors.clients.gateway import Socket
from hype_contract.actors.clients.opening import address, connect, headers
from hype_contract.actors.clients.rest import Rest
from hype_contract.actors.fixtures import SharedFixtures
from hype_contract.actors.must import Skipped, Unsupported, Violation
from hype_contract.actors.options import DEFAULTS, Options
from hype_contract.actors.patience import Patience
from hype_contract.actors.people import Guest, IdleGuests, Pacer, Person, unique
from hype_contract.actors.promises.frames import Hearer
from hype_contract.actors.promises.witness import Witness
from hype_contract.contract.specs import Contract, Pair
from hype_contract.recording.ledger import Trace
from hype_contract.recording.makers import Makers
from hype_contract.recording.secrecy import Secrets
from hype_contract.recording.transcript import Transcript

_FEW_WRITES = 10
"""Writes of one user that leave most of the rate of writes (amendment A13) to the next case."""

_CLOSED_S = 1.0
"""Seconds after which the target knows that a user's sockets are closed."""

T = TypeVar("T")

SEEDED = {"text": "text-general", "voice": "voice-general"}
"""The type of a channel → a channel of the default server, which every target has."""

GREETED = Pair("event", "user_joined", "out")
"""The event with which a gateway greets: it stands for the gateway where no socket can be opened."""


@dataclass(frozen=True)
class Shared:
    """The state that the worlds of a run share beside the fixtures: the makers of objects, and the patience."""

    makers: Makers = field(default_factory=Makers)
    patience: Patience = field(default_factory=Patience)


class World:
    """The argument of every case. `rest` and `contract` are ready; the rest is made on demand and belongs to the case.

    `random` is seeded by the run's seed and the case. Unique names come from `secrets` instead, because the target
    remembers the names of earlier runs. `options`: of the command. `fixtures`: those that the cases of the run share;
    without them each case makes its own. `shared`: what else they share. `witness`: of the run, or of this world alone.
    """

    def __init__(
        self,
        contract: Contract,
        http: httpx.Client,
        ws_url: str,
        seed: str,
        secrets_: Secrets,
        options: Options = DEFAULTS,
        fixtures: SharedFixtures[World] | None = None,
        shared: Shared | None = None,
        conditions: Conditions | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.options = options
        self.patience = shared.patience if shared else Patience()
        self._fixtures = fixtures
        self.contract = contract
        self.trace = Trace(Secrets(secrets_), shared.makers if shared else None)
        self.conditions = conditions or Conditions()
        self.witness = witness or Witness(contract)
        self.rest = Rest(contract, http, self.trace, self.conditions, self.witness)
        self.rest.patience = self.patience
        self.http = http
        self.ws_url = ws_url
        self.seed = seed
        self.random = random.Random(seed)
        self._sockets: list[Socket] = []
        self._channels: list[tuple[str, Person]] = []
        self._people: dict[str, int] = {}
        self.by_the_words = False
        """Whether the case judges by the words of the document alone, and so prepares by them alone."""
        self.row: int | None = 0
        """The row of cases, one after another, which give each other their guests; None for new guests alone."""
        self._guests: list[Guest] = []
        self._registered: list[Person] = []
        self._named: Counter[str] = Counter()
        self._cleanups = ExitStack()

    @property
    def hardened(self) -> bool:
        """Whether the run judges the hardened profile."""
        return self.contract.profile == "hardened"

    def times(self, count: float) -> int:
        """Return the number of generated inputs, at least 1, that the mode of this run makes of `count`."""
        return max(1, round(count * self.options.effort))

    def guest(self, name: str = "guest") -> Person:
        """Return a guest with a unique username whom no other case uses now. name: how scripts call the guest.

        An earlier case may have used the guest under another name; then nothing of it is left (see `release`). Return a
        registered user, if the target has no guests.
        """
        label = self._label(name)
        if taken := self._idle and self._idle.take():
            guest, rest_s = taken
            self._guests.append(guest)
            self.conditions.sleep(rest_s)
            self._keep_tokens(label, guest.person)
            body = json.dumps({"username": guest.person.username}).encode()
            self.rest.repeat("loginGuest", body, *guest.answer)
            self.trace.take_over(guest.person.id)
        else:
            # Not `name`: requests that repeat the username would differ by which case made the guest.
            username = unique("guest")
            try:
                with self.setting_up():
                    reply = self.rest.call("loginGuest", body={"username": username}, expect=200, patient=True)
                    person = self._person(name, label, username, None, None, reply.data)
            except Violation as violation:
                self._noted(violation)
                return self.member(name)
            guest = Guest(person, (reply.status, reply.content), time.monotonic())
            self._guests.append(guest)
        return replace(guest.person, name=name)

    def member(self, name: str = "member") -> Person:
        """Register a user with a unique username, an email and a password. name: how scripts call the user."""
        username = unique(name)
        email, password = f"{username}@example.com", secrets.token_urlsafe(12)
        self.trace.transcript.secrets.keep(password, f"{name.upper()}_PASSWORD")
        body = {"username": username, "email": email, "password": password}
        with self.setting_up():
            reply = self.rest.call("registerUser", body=body, expect=201, patient=True)
        return self._registered_person(name, username, email, password, reply.data)

    def guests(self, *names: str) -> list[Person]:
        """Make several guests: `ann, bob = world.guests("ann", "bob")`."""
        return [self.guest(name) for name in names]

    def login(self, person: Person) -> Person:
        """Log a registered user in again; return the user with the tokens of the second session."""
        body = {"email": person.email, "password": person.password}
        with self.setting_up():
            data = self.rest.call("loginUser", body=body, expect=200, patient=True).data
        again = self._registered_person(person.name, person.username, person.email, person.password, data)
        again.pace = person.pace
        return again

    def channel(self, owner: Person, type: str = "text", **members: Any) -> dict[str, Any]:
        """Create a channel, which belongs to `owner` and is deleted when the case ends; return the channel object.

        type: text, voice or announcement. members: more members of the request's body.
        """
        body = {"name": unique("room"), "type": type, **members}
        with self.setting_up():
            made: dict[str, Any] = self.rest.call("createChannel", token=owner.token, body=body, expect=201).data
        self.adopt(made["id"], owner)
        return made

    def room(self, owner: Person, type: str = "text", **members: Any) -> str:
        """Return the id of a channel that the case does not change and need not have alone.

        It is a new one, or one of the seed if the target creates none. Members: as in `channel`.
        """
        try:
            return str(self.channel(owner, type, **members)["id"])
        except Violation as violation:
            self._noted(violation)
        with self.setting_up():
            return str(self.rest.call("getChannel", path={"id": SEEDED[type]}, expect=200).data["id"])

    def owns(self, channel_id: str) -> bool:
        """Return whether this case made the channel, so that no other case writes there."""
        return any(made == channel_id for made, _ in self._channels)

    def _noted(self, violation: Violation) -> None:
        """Enter the breach of a preparation that can be done in another way; raise it if it names no answer."""
        if violation.pair is None:
            raise violation
        _, name, status = violation.pair
        self.trace.note(f"answer.{name}.{status}", violation.expected, violation.got, violation.pair)

    def adopt(self, channel_id: str, owner: Person) -> None:
        """Delete a channel that the case made itself when the case ends."""
        self._channels.append((channel_id, owner))
        self.trace.made(channel_id)

    def message(self, author: Person, channel_id: str, content: str = "hello") -> dict[str, Any]:
        """Create a message by REST; return the message object."""
        body = {"channelId": channel_id, "content": content}
        with self.setting_up():
            made: dict[str, Any] = self.rest.call("createMessage", token=author.token, body=body, expect=201).data
        return made

    def socket(self, person: Person, *, join: str | None = None) -> Socket:
        """Open an identified socket of `person`, with no frame pending.

        join: the id of a channel whose room the socket enters. In the hardened profile the token goes into the URL; in
        the documented profile `user_joined` claims the identity (ruling P4).
        """
        with self.setting_up():
            made = self.open_socket(person.token if self.hardened else None, person)
            made.identity = {} if self.hardened else {"userId": person.id, "username": person.username}
            if join is not None or not self.hardened:
                made.send("user_joined", {**made.identity, **({"channelId": join} if join else {})})
                made.answered(join)
        return made

    def open_socket(
        self, token: str | None = None, person: Person | None = None, *, lazy: bool = False, origin: str | None = None
    ) -> Socket:
        """Open a socket that has no identity but `token`.

        person: gives the socket its name in scripts and its rate of frames. lazy: the socket reads from the network
        only what a case asks for. origin: the `Origin` header.
        """
        name = self._socket_name(person)
        self.trace.transcript.opening(name, address(self.ws_url, token), headers(origin))
        self.conditions.check()
        try:
            connection = connect(self.ws_url, token, lazy=lazy, origin=origin)
        except Violation as violation:
            violation.pair = GREETED  # every event needs a socket
            if isinstance(violation.__cause__, OSError | EOFError):
                self.conditions.lose(violation)
            raise
        pace, hearer = person.pace if person else None, Hearer(self.witness, name, token)
        made = Socket(self.contract, connection, self.trace, name, pace, self.conditions, hearer)
        made.user = {"userId": person.id} if person else {}
        made.patience = self.patience
        made.by_the_words = self.by_the_words
        self._sockets.append(made)
        return made

    def _socket_name(self, person: Person | None) -> str:
        """Return a name for the next socket of `person`, or of no user, which is unique in this case."""
        name = person.name if person else "stranger"
        self._named[name] += 1
        return name + (f"/{self._named[name]}" if self._named[name] > 1 else "")

    def shared(self, key: Hashable, make: Callable[[World], T]) -> T:
        """Return what `make` makes, once for all cases of the run.

        The script of this case contains the steps that made it, and this case shows the breaches that were seen then.
        """
        if self._fixtures is None:
            return make(self)
        return self._fixtures.get(key, make, lambda maker: self.trace.include(maker.trace))

    def restart_transcript(self) -> None:
        """Begin a new transcript: a script starts here, and the names of users and sockets are free again."""
        self.trace.transcript = Transcript(self.trace.transcript.secrets, whole=True)
        self._people.clear()
        self._named.clear()

    def at_end(self, end: Callable[[], object]) -> None:
        """Call `end` when the case has ended, before its sockets are closed."""
        self._cleanups.callback(end)

    def close(self) -> None:
        """Close the sockets, which judges the frames that are still unread, and delete the channels.

        Raises `Violation`.
        """
        self.trace.transcript.mark()
        self.conditions.clean()
        self._cleanups.close()
        wrong: Violation | None = None
        for socket in self._sockets:
            try:
                with self._unjudged():
                    socket.close()
            except Violation as violation:
                wrong = wrong or violation
        self.trace.transcript.end()
        for channel_id, owner in reversed(self._channels):
            with suppress(Violation, Skipped), self._unjudged():
                self.rest.call("deleteChannel", path={"id": channel_id}, token=owner.token)
        if wrong:
            raise wrong

    def release(self, *, passed: bool = False) -> None:
        """Give the guests of a case that has passed to later cases, and end all other sessions. The case is closed.

        No guest is given after a request that may have changed the guest or a session of it, or after the target has
        closed a socket of it, which may be a penalty.
        """
        self.trace.transcript.end()
        spoilt = self._spoilt() if passed else set()
        ended = dict.fromkeys([*(guest.person.token for guest in self._guests), *self.rest.effects.sessions])
        for guest in self._guests:
            if self._idle and passed and guest.person.id not in spoilt:
                self._idle.give(guest, self._rest_s(guest.person))
                ended.pop(guest.person.token)
        self.log_out(ended)

    @property
    def _idle(self) -> IdleGuests | None:
        return self._fixtures.idle_guests(self.row) if self._fixtures and self.row is not None else None

    def _spoilt(self) -> set[str]:
        """Return the ids of the users who may not be as the target made them, or who may have a penalty."""
        people = [*(guest.person for guest in self._guests), *self._registered]
        cut_off = [socket for socket in self._sockets if socket.cut_off]
        return self.rest.effects.changed(people) | {
            person.id for person in people if any(socket.may_be_of(person.id) for socket in cut_off)
        }

    def _rest_s(self, person: Person) -> float:
        """Return the seconds until this user has all rates again, and the target knows that no socket is open."""
        sockets = [socket for socket in self._sockets if socket.may_be_of(person.id)]
        writes = self.rest.effects.writes(person.token)
        limits = self.contract.openapi.get("x-hype-limits", {})
        rests = [_CLOSED_S] if sockets else [0.0]
        rests.append(_time_of(sum(socket.frames for socket in sockets), self.contract.limits.get("rate")))
        rests.append(_time_of(writes if writes > _FEW_WRITES else 0, limits.get("writes")))
        return max(rests)

    def log_out(self, tokens: Iterable[str]) -> None:
        """End the sessions of these access tokens; stop at the first answer that is wrong.

        A session may have ended before.
        """
        if not self.hardened:
            return  # there a logout ends nothing (ruling P2)
        self.conditions.clean()
        with suppress(Violation, Skipped, Unsupported, Abandoned), self._unjudged():
            for token in tokens:
                self.rest.call("logoutUser", token=token, expect=(200, 401))

    @contextmanager
    def setting_up(self) -> Iterator[None]:
        """Mark the requests and frames inside the `with` block as preparation, which shows nothing.

        A case whose preparation raises a `Violation` is blocked: another requirement stands for what went wrong.
        """
        with self._unjudged():
            try:
                yield
            except Violation as violation:
                violation.preparing = True
                raise

    @contextmanager
    def _unjudged(self) -> Iterator[None]:
        before, self.trace.setting_up = self.trace.setting_up, True
        try:
            yield
        finally:
            self.trace.setting_up = before

    def _label(self, name: str) -> str:
        """Return how scripts call the next user with this name."""
        count = self._people[name] = self._people.get(name, 0) + 1
        return name.upper().replace("-", "_") + (str(count) if count > 1 else "")

    def _registered_person(
        self, name: str, username: str, email: str | None, password: str | None, data: Any
    ) -> Person:
        person = self._person(name, self._label(name), username, email, password, data)
        self._registered.append(person)
        return person

    def _person(
        self, name: str, label: str, username: str, email: str | None, password: str | None, data: Any
    ) -> Person:
        self.trace.made(data["user"]["id"])
        rate = self.contract.limits.get("rate") or {}
        pace = Pacer(rate.get("burst", 1) - 1 or 1, rate.get("perSecond", 0) * 0.9)
        made = Person(name, username, email, password, data["user"], data["accessToken"], data["refreshToken"], pace)
        self._keep_tokens(label, made)
        return made

    def _keep_tokens(self, label: str, person: Person) -> None:
        """Call the tokens of this user by `label` in the script of this case."""
        self.trace.transcript.secrets.keep(person.token, f"{label}_TOKEN")
        self.trace.transcript.secrets.keep(person.refresh_token, f"{label}_REFRESH_TOKEN")


def _time_of(count: int, rate: Mapping[str, Any] | None) -> float:
    """Return the seconds in which a limit gives back so many of what it counts; 0 without a limit."""
    return count / rate["perSecond"] if rate and rate.get("perSecond") else 0.0
