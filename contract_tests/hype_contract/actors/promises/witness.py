"""The witness of a run: it sees every answer, and knows whose tokens are sent, and which things exist."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

from hype_contract.actors.promises import lists
from hype_contract.actors.promises.promise import Promise, Tell, telling
from hype_contract.contract.specs import Contract, Operation, Pair
from hype_contract.recording.ledger import Trace

_KINDS = (("username", "user"), ("content", "message"), ("position", "channel"))
"""A member that the objects of one kind alone have, and the kind. Some servers number each kind of its own."""
_FIXED = ("createdAt", "authorId", "channelId")
"""The members of a thing that never change."""
_SECRETS = frozenset({"password", "passwordhash", "hashedpassword", "currentpassword", "newpassword"})
_DELETIONS = {"deleteMessage": "message", "deleteChannel": "channel"}
_TELLING = (b'"id"', b'"accessToken"', b"assword")
"""Texts of which an answer has one that a promise is about."""


class Asked(NamedTuple):
    """A request, and its answer. target: path and query. began: when it was sent, on the monotonic clock."""

    operation: Operation
    status: int
    target: str
    token: str | None
    sent: bytes | None
    content: bytes
    began: float


class Witness:
    """The knowledge of a run about its target, against which it checks every answer. Thread-safe.

    A request of another case may run at the same time. So it compares only what no such request can change.
    """

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.calls: dict[str, set[str]] = {}
        """User id → the voice channels that the user's requests have named."""
        self._owners_only = _members_for_owners(contract.openapi)
        self._holders: dict[str, str] = {}  # token → user id
        self._fixed: dict[tuple[str, str], dict[str, object]] = {}
        self._created: set[tuple[str, str]] = set()
        self._deleted: dict[tuple[str, str], float] = {}

    def holder(self, token: str | None) -> str | None:
        """Return the id of the user whose token it is; None if that is unknown."""
        return self._holders.get(token) if token else None

    def users(self) -> set[str]:
        """Return the ids of the users whose tokens the run has had."""
        return set(self._holders.copy().values())

    def seen(self, kind: str) -> set[str]:
        """Return the ids of all things of a kind that any answer has shown: `user`, `message` or `channel`."""
        return {id for of, id in list(self._fixed) if of == kind}

    def answer(self, asked: Asked, trace: Trace) -> None:
        """Look at an answer that keeps its schema. trace: of the case that asked; it gets the breaches."""
        if not any(text in asked.content for text in _TELLING):
            return
        body = _parsed(asked.content)
        if not isinstance(body, dict):
            return
        data = body.get("data")
        asker = self._learn(asked, data)
        note = telling(trace, Pair("operation", asked.operation.id, str(asked.status)))
        subject = f"{asked.operation.method} {asked.target}"

        def wrong(promise: Promise, expected: str, got: object) -> None:
            note(promise, f"{expected} in the answer to {subject}", got)

        known = asked.token is None or asker is not None
        for thing in _objects(body):
            self.secret(thing, wrong)
            if known:
                self.visible(thing, asker, wrong)
            self.fixed(thing, wrong)
            self._gone(thing, asked.began, wrong)
        if asked.status < 300:
            self._whole(asked, data, body.get("meta"), wrong)

    def secret(self, thing: Mapping[str, Any], wrong: Tell) -> None:
        """Check that a user's object shows no password. ICE has passwords, too, but those are for clients."""
        if "username" not in thing:
            return
        for name, value in thing.items():
            if value is not None and name.lower().replace("_", "") in _SECRETS:
                wrong("secrets", f"no member {name!r}", "one with a value")

    def visible(self, thing: Mapping[str, Any], asker: str | None, wrong: Tell) -> None:
        """Check that an object shows members for its owner to nobody else. asker: None for one without a token."""
        for name in self._owners_only & thing.keys():
            if thing[name] is not None and "id" in thing and thing["id"] != asker:
                wrong("visibility", f"{name} null for all but its owner", {"id": thing["id"], name: thing[name]})

    def fixed(self, thing: Mapping[str, Any], wrong: Tell) -> None:
        """Check that the object's id still names the thing that it named before, and its times."""
        key = _key(thing)
        if key is None:
            return
        now = {name: thing[name] for name in _FIXED if isinstance(thing.get(name), str)}
        before = self._fixed.setdefault(key, now)
        changed = {name: (before[name], it) for name, it in now.items() if before.setdefault(name, it) != it}
        if changed:
            wrong("ids", f"{key[0]} {key[1]} to be the same thing as before", f"before and now: {changed}")
        updated, created = thing.get("updatedAt"), now.get("createdAt", "")
        if isinstance(updated, str) and updated < created:
            wrong("times", "no updatedAt before createdAt", f"{updated} and {created}")

    def _gone(self, thing: Mapping[str, Any], began: float, wrong: Tell) -> None:
        key = _key(thing)
        keys = [key] if key is not None else []
        if key is not None and key[0] == "message" and isinstance(thing.get("channelId"), str):
            keys.append(("channel", thing["channelId"]))
        for each in keys:
            if self._deleted.get(each, began) < began:
                wrong("deleted", f"nothing of {each[0]} {each[1]}, which was deleted before,", dict(thing))

    def _whole(self, asked: Asked, data: Any, meta: Any, wrong: Tell) -> None:
        """Look at the answer as a whole: a list, a new thing, or a deleted one."""
        operation = asked.operation
        if isinstance(data, list):
            every = parse_qs(urlsplit(asked.target).query)
            query = {name: values for name, values in every.items() if name in operation.query}
            for promise, expected, got in lists.problems(data, meta, lists.order(self.contract, operation.id), query):
                wrong(promise, expected, got)
        if not isinstance(data, dict):
            return
        key = _key(data)
        if asked.status == 201 and key is not None:
            if key in self._created:
                wrong("ids", "a new id for a new thing", f"the id of an earlier {key[0]}, {key[1]}")
            self._created.add(key)
        kind = _DELETIONS.get(operation.id)
        if kind is not None and isinstance(data.get("id"), str):
            self._deleted[kind, data["id"]] = time.monotonic()

    def _learn(self, asked: Asked, data: Any) -> str | None:
        """Note whose tokens an answer hands out, and whose call a request is about; return the id of the asker."""
        asker = self.holder(asked.token)
        sent = _parsed(asked.sent) if asked.sent else None
        if isinstance(sent, dict):
            if asker is not None and asked.operation.area == "voice" and isinstance(sent.get("channelId"), str):
                self.calls.setdefault(asker, set()).add(sent["channelId"])
            asker = asker or self.holder(_text(sent.get("refreshToken")))
        if not isinstance(data, dict) or "accessToken" not in data:
            return asker
        user = data.get("user")
        asker = _text(user.get("id")) if isinstance(user, dict) else asker
        if asker is not None:
            given = (data.get(name) for name in ("accessToken", "refreshToken"))
            self._holders.update((token, asker) for token in given if isinstance(token, str))
        return asker


def _members_for_owners(openapi: Mapping[str, Any]) -> frozenset[str]:
    """Return the names of the members that the spec shows to their owner alone (`x-hype-visible-to`)."""
    return frozenset(
        name
        for schema in openapi.get("components", {}).get("schemas", {}).values()
        for name, member in schema.get("properties", {}).items()
        if isinstance(member, dict) and member.get("x-hype-visible-to") == "owner"
    )


def _key(thing: Mapping[str, Any]) -> tuple[str, str] | None:
    id = thing.get("id")
    if not isinstance(id, str):
        return None
    return next(((kind, id) for member, kind in _KINDS if member in thing), None)


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON document."""
    left = [node]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            yield each
            left += [value for value in each.values() if isinstance(value, dict | list)]
        elif isinstance(each, list):
            left += each


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
