"""The survival of data over a restart of the target (`--restart-command`): users, messages, sessions and their ends.

One restart serves all cases. They run alone, and last.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from hype_contract.actors import must
from hype_contract.actors.clients.rest import NoAnswer
from hype_contract.actors.must import Violation
from hype_contract.actors.people import Person
from hype_contract.actors.restart import restart
from hype_contract.actors.world import World
from hype_contract.cases.registry import case

LAST = 1000
"""The order of cases that restart the target."""
_SOURCE = "openapi.yaml#/info/description › Restarts"
_MOST_IN_FLIGHT = 5000
_JOIN_S = 60.0
_PAUSE_S = 0.02


@dataclass
class _Before:
    """The state before the restart. written: the contents that were acknowledged while it went on."""

    ann: Person
    bob: Person
    left: Person
    room: dict[str, Any]
    gone: str
    messages: list[dict[str, Any]]
    refreshed: dict[str, Any]
    busy: str
    written: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


@case(
    "restart.users",
    "users survive a restart, with their profiles and passwords",
    source=_SOURCE,
    level="published",
    alone=True,
    order=LAST,
)
def users(world: World) -> None:
    before = _restarted(world)
    ann = before.ann
    shown = world.rest.call("getUser", path={"id": ann.id}, token=ann.token, expect=200)
    must.members(shown.data, {"username": ann.username, "displayName": "Ann, before"}, "the user", seen=shown.pair)
    body = {"email": ann.email, "password": ann.password}
    again = world.rest.call("loginUser", body=body, expect=200, patient=True)
    must.equal(again.data["user"]["id"], ann.id, "the user who logs in", seen=again.pair)
    world.rest.call("loginGuest", body={"username": before.bob.username}, expect=400)


@case(
    "restart.messages",
    "channels and messages survive a restart, with edits and deletions",
    source=f"Messages (/api/messages); {_SOURCE}",
    level="documented",
    alone=True,
    order=LAST,
)
def messages(world: World) -> None:
    before = _restarted(world)
    query = {"channelId": before.room["id"]}
    page = world.rest.call("listMessages", query=query, expect=200)
    shown, wanted = ([_without_author(message) for message in some] for some in (page.data, before.messages))
    must.equal(shown, wanted, "the messages, newest first", seen=page.pair)
    must.equal(page.meta["total"], len(before.messages), "meta.total", seen=page.pair)
    world.rest.call("getMessage", path={"id": before.gone}, expect=404)
    channel = world.rest.call("getChannel", path={"id": before.room["id"]}, expect=200)
    names = ("id", "name", "topic", "position", "createdAt")
    must.members(channel.data, {name: before.room[name] for name in names}, "the channel", seen=channel.pair)
    later = world.message(before.bob, before.room["id"], "later")
    page = world.rest.call("listMessages", query=query, expect=200)
    ids = [message["id"] for message in (later, *before.messages)]
    must.equal([message["id"] for message in page.data], ids, "the ids with one more message", seen=page.pair)


@case(
    "restart.sessions",
    "tokens from before a restart work after it",
    source=_SOURCE,
    level="published",
    alone=True,
    order=LAST,
)
def sessions(world: World) -> None:
    before = _restarted(world)
    me = world.rest.call("getCurrentUser", token=before.bob.token, expect=200)
    must.equal(me.data["user"]["id"], before.bob.id, "the user whose token it is", seen=me.pair)
    pair = world.rest.call("refreshTokens", body={"refreshToken": before.bob.refresh_token}, expect=200)
    world.rest.call("getCurrentUser", token=pair.data["accessToken"], expect=200)


@case(
    "restart.revocations",
    "tokens that were revoked, or used up, before a restart are refused after it",
    source=f"{_SOURCE}; rulings P2 and P3",
    level="hardened",
    alone=True,
    order=LAST,
)
def revocations(world: World) -> None:
    before = _restarted(world)
    world.rest.call("getCurrentUser", token=before.left.token, expect=401)
    world.rest.call("refreshTokens", body={"refreshToken": before.left.refresh_token}, expect=401)
    world.rest.call("getCurrentUser", token=before.refreshed["accessToken"], expect=200)
    world.rest.call("refreshTokens", body={"refreshToken": before.ann.refresh_token}, expect=401)


@case(
    "restart.in-flight",
    "each message that was acknowledged while the target restarted is stored, once",
    source=f"{_SOURCE}; amendment A12",
    level="published",
    alone=True,
    order=LAST,
)
def in_flight(world: World) -> None:
    before = _restarted(world)
    kept: list[str] = []
    while page := world.rest.call("listMessages", query=_part(before.busy, len(kept)), expect=200).data:
        kept += [message["content"] for message in page]
        must.equal(len(set(kept)), len(kept), "the number of different messages")  # an offset that is ignored
    lost = [content for content in before.written if content not in set(kept)]
    must.hold(
        not lost, f"all {len(before.written)} acknowledged messages to be stored", f"{len(lost)} lost: {lost[:5]}"
    )
    must.hold(not before.failed, "no other failure than a lost connection, 429 and 503", before.failed[:3])


def _without_author(message: dict[str, Any]) -> dict[str, Any]:
    """Return a message without its author, whose status a later login changes."""
    return {name: value for name, value in message.items() if name != "author"}


def _part(room: str, offset: int) -> dict[str, Any]:
    return {"channelId": room, "limit": 100, "offset": offset}


def _restarted(world: World) -> _Before:
    """Return the state before the restart. The first case restarts the target. Raises what `restart` raises."""
    if world.options.restart_command is None:
        restart(None, world.http)  # before the preparation, which would be for nothing
    return world.shared("a restart", _prepare_and_restart)


def _prepare_and_restart(world: World) -> _Before:
    ann, bob, left = world.member("ann"), world.guest("bob"), world.guest("left")
    room, busy = world.channel(ann, topic="before"), world.channel(bob)["id"]
    body = {"displayName": "Ann, before"}
    world.rest.call("updateUser", path={"id": ann.id}, token=ann.token, body=body, expect=200)
    sent = [world.message(author, room["id"], f"{author.name}'s") for author in (ann, bob, ann)]
    path, gone = {"id": sent[0]["id"]}, sent[1]["id"]
    world.rest.call("updateMessage", path=path, token=ann.token, body={"content": "edited"}, expect=200)
    world.rest.call("deleteMessage", path={"id": gone}, token=bob.token, expect=200)
    page = world.rest.call("listMessages", query={"channelId": room["id"]}, expect=200).data
    world.rest.call("logoutUser", token=left.token, expect=200)
    refreshed = world.rest.call("refreshTokens", body={"refreshToken": ann.refresh_token}, expect=200).data
    before = _Before(ann, bob, left, room, gone, page, refreshed, busy)
    over = threading.Event()
    writer = threading.Thread(target=_write_until, args=(world, before, over), daemon=True)
    writer.start()
    try:
        restart(world.options.restart_command, world.http)
    finally:
        over.set()
        writer.join(_JOIN_S)
    return before


def _write_until(world: World, before: _Before, over: threading.Event) -> None:
    """Write messages one after the other, also while the target restarts, and note what was acknowledged."""
    for number in range(_MOST_IN_FLIGHT):
        if over.is_set():
            return
        try:
            _write(world, before, str(number))
        except NoAnswer:
            over.wait(_PAUSE_S)
        except Violation as wrong:
            before.failed.append(str(wrong))


def _write(world: World, before: _Before, content: str) -> None:
    body = {"channelId": before.busy, "content": content}
    statuses = (201, 429, 503)
    reply = world.rest.call("createMessage", token=before.bob.token, body=body, expect=statuses, patient=False)
    if reply.status == 201:
        before.written.append(content)
