"""More than a page holds: 600 messages, 300 users and 50 channels, once in a run.

A server that keeps, lists or counts only so many of its things conforms in small.
"""

from __future__ import annotations

from typing import Any

from hype_contract.actors import must
from hype_contract.actors.people import unique
from hype_contract.actors.world import World
from hype_contract.cases.registry import case
from hype_contract.cases.rest.samples import DEFAULT_SERVER
from hype_contract.cases.rest.users import MOST_LISTED, count

_AUTHORS = 10
_EACH = 60
"""The messages of one author: as many as a user may write without waiting (amendment A13)."""
_MESSAGES = _AUTHORS * _EACH
_LARGEST_PAGE = 100
_USERS = 300
_NEW_USERS = 60
"""The users whom the case makes itself, if the target has the others already."""
_MOST_WALKED = 3000
"""The end of the list of users that is walked: a target that has run for long may have a million of them."""
_OWNERS = 2
_CHANNELS = 50


@case(
    "R18.long-history",
    f"a channel keeps, counts and lists all of its {_MESSAGES} messages",
    source="openapi.yaml#/paths/~1api~1messages/get",
    slow=True,
)
def long_history(world: World) -> None:
    """Walk the whole list in pages of three lengths, look into it at some offsets, and change its oldest message."""
    authors = world.guests(*(f"author{number}" for number in range(_AUTHORS)))
    room = world.channel(authors[0])["id"]
    sent = [world.message(author, room, str(number)) for author in authors for number in range(_EACH)]
    newest_first = [message["id"] for message in reversed(sent)]
    for limit in (_LARGEST_PAGE, 70):
        seen: list[str] = []
        for offset in range(0, _MESSAGES, limit):
            seen += _page(world, room, limit, offset, total=_MESSAGES)
        must.equal(seen, newest_first, f"the ids in pages of {limit}")
    for offset in (119, 121, 255, 500, 511, _MESSAGES - 1):
        must.equal(_page(world, room, 2, offset), newest_first[offset:][:2], f"the ids at the offset {offset}")
    must.equal(_page(world, room, 1, _MESSAGES), [], "the ids behind the last message")
    oldest = {"id": newest_first[-1]}
    shown = world.rest.call("getMessage", path=oldest, expect=200)
    must.equal(shown.data, sent[0], "the oldest message", seen=shown.pair)
    first = authors[0]
    world.rest.call("updateMessage", path=oldest, token=first.token, body={"content": "edited"}, expect=200)
    page = world.rest.call("listMessages", query=_query(room, 1, _MESSAGES - 1), expect=200)
    must.equal(page.data[0]["content"], "edited", "the content of the oldest message in the list", seen=page.pair)
    world.rest.call("deleteMessage", path={"id": newest_first[0]}, token=authors[-1].token, expect=200)
    must.equal(_page(world, room, 2, 0, total=_MESSAGES - 1), newest_first[1:3], "the ids after the newest was deleted")
    must.equal(_page(world, room, 5, _MESSAGES - 3), newest_first[-2:], "the ids at the end after that")


def _query(room: str, limit: int, offset: int) -> dict[str, Any]:
    return {"channelId": room, "limit": limit, "offset": offset}


def _page(world: World, room: str, limit: int, offset: int, *, total: int | None = None) -> list[str]:
    """Return the ids of a page. total: what its `meta` must say, if that is to be compared."""
    reply = world.rest.call("listMessages", query=_query(room, limit, offset), expect=200)
    if total is not None:
        must.equal(reply.meta["total"], total, "meta.total", seen=reply.pair)
    return [message["id"] for message in reply.data]


@case(
    "R16.long-list",
    f"the list of {_USERS} users and more has every user once, in pages as in one piece",
    source="openapi.yaml#/paths/~1api~1users/get; rulings R16 and P10",
    level="published",
    alone=True,
    slow=True,
)
def long_list(world: World) -> None:
    """Walk the list in pages; compare it with the list without a limit, and with all users whom the run has seen."""
    people = [_newcomer(world) for _ in range(max(_NEW_USERS, _USERS - count(world)))]
    end = count(world)
    start = max(0, end - _MOST_WALKED)
    seen: list[str] = []
    for offset in range(start, end, _LARGEST_PAGE):
        query = {"limit": _LARGEST_PAGE, "offset": offset}
        reply = world.rest.call("listUsers", query=query, expect=200)
        seen += [user["id"] for user in reply.data]
    must.equal(len(seen), end - start, "the number of users in all pages", seen=reply.pair)
    missing = (
        world.witness.seen("user") - set(seen) if start == 0 else {each["user"]["id"] for each in people} - set(seen)
    )
    must.hold(not missing, "every user whom an answer has shown in the pages", f"{len(missing)} missing: {missing}")
    rest = world.rest.call("listUsers", query={"offset": start}, expect=200)
    listed = [user["id"] for user in rest.data]
    must.equal(listed, seen[:MOST_LISTED] if world.hardened else seen, "the ids without a limit", seen=rest.pair)
    for session in (people[0], people[-1]):
        me = world.rest.call("getCurrentUser", token=session["accessToken"], expect=200)
        must.equal(me.data["user"]["id"], session["user"]["id"], "the user whose token it is", seen=me.pair)
        world.rest.call("loginGuest", body={"username": session["user"]["username"]}, expect=400)


def _newcomer(world: World) -> dict[str, Any]:
    """Return the answer to a guest whom no case has had before: their user and their tokens."""
    with world.setting_up():
        session: dict[str, Any] = world.rest.call(
            "loginGuest", body={"username": unique("crowd")}, expect=200, patient=True
        ).data
    return session


@case(
    "R13.many-channels",
    f"{_CHANNELS} new channels are all listed, each as it was made",
    source="openapi.yaml#/paths/~1api~1channels/get; rulings R13 and P10",
    level="published",
    slow=True,
)
def many_channels(world: World) -> None:
    """Look for them in both lists, in the order of their creation, and write in the first and in the last one."""
    owners = world.guests(*(f"owner{number}" for number in range(_OWNERS)))
    # In front, so that channels which others have left behind do not fill the first thousand (P10).
    made = [world.channel(owners[number % _OWNERS], position=0) for number in range(_CHANNELS)]
    for operation, path in (("listChannels", {}), ("listServerChannels", {"serverId": DEFAULT_SERVER})):
        reply = world.rest.call(operation, path=path, expect=200)
        found = {channel["id"]: channel for channel in reply.data}
        missing = [channel["name"] for channel in made if channel["id"] not in found]
        must.hold(
            not missing, f"all {_CHANNELS} new channels in the list", f"a list without {missing}", seen=reply.pair
        )
        for channel in made:
            must.equal(found[channel["id"]], channel, "the channel in the list", seen=reply.pair)
    for channel in (made[0], made[-1]):
        message = world.message(owners[0], channel["id"])
        must.equal(_page(world, channel["id"], 1, 0, total=1), [message["id"]], f"the messages of {channel['name']}")
