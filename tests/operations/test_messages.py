"""Messages: order, authors, announcements."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hype.cluster import RoomEvent
from hype.errors import BadRequest, Forbidden, HypeError, NotFound
from tests.operations.backend import Backend, document

ROOM = "text-general"


def write(backend: Backend, writer: Any, content: str, **rest: Any) -> Any:
    """Store a message; return it."""
    return backend.data("createMessage", {"channelId": ROOM, "content": content}, token=writer["accessToken"], **rest)


def page(backend: Backend, limit: int = 50, offset: int = 0) -> Any:
    """Return the answer of listMessages: `data` and `meta`."""
    return document(backend.call("listMessages", query={"channelId": ROOM, "limit": limit, "offset": offset}))


async def test_messages_are_announced_in_stored_order(hardened: Backend) -> None:
    """The events of eight concurrent writers have the order of the list (R36)."""
    writers = [hardened.guest(f"user{number}") for number in range(8)]

    async def write_ten(writer: Any) -> None:
        for number in range(10):
            body = {"channelId": ROOM, "content": f"{number}"}
            await hardened.call_in_loop("createMessage", body, token=writer["accessToken"])

    await asyncio.gather(*map(write_ten, writers))
    announced = [effect.data for effect in hardened.announced if isinstance(effect, RoomEvent)]
    assert announced == list(reversed(page(hardened, limit=100)["data"]))
    times = [message["createdAt"] for message in announced]
    assert times == sorted(set(times))


def test_the_socket_that_writes_joins_the_room(hardened: Backend) -> None:
    """The socket joins silently with the event itself, so it gets its own message once."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello", origin="socket-1")
    assert hardened.announced == [RoomEvent(ROOM, "message", stored, joins="socket-1")]


def test_a_message_shows_the_present_author(hardened: Backend) -> None:
    """Old messages show a new name and status, too (R24)."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello")
    assert stored["author"]["status"] == "ONLINE"
    myself = {"id": ann["user"]["id"]}
    hardened.call("updateUser", {"username": "anna", "displayName": "A."}, path=myself, token=ann["accessToken"])
    hardened.call("updateUserStatus", {"status": "dnd"}, path=myself, token=ann["accessToken"])
    author = hardened.data("getMessage", path={"id": stored["id"]})["author"]
    assert (author["username"], author["displayName"], author["status"]) == ("anna", "A.", "DND")
    assert write(hardened, ann, "again")["author"] == author


def test_an_edit_with_the_same_text_is_an_edit(hardened: Backend) -> None:
    """An edit sets `edited` and moves `updatedAt` strictly forward, however fast edits follow (R20)."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello")
    here, times = {"id": stored["id"]}, [stored["updatedAt"]]
    for _ in range(5):
        edited = hardened.data("updateMessage", {"content": "hello"}, path=here, token=ann["accessToken"])
        assert edited["edited"]
        times.append(edited["updatedAt"])
    assert times == sorted(set(times))
    assert hardened.announced_names() == ["message"] + ["message_edited"] * 5


def test_a_deletion_is_announced_once(hardened: Backend) -> None:
    """The room gets the id and the channel; a second deletion is 404 and announces nothing."""
    ann = hardened.guest("ann")
    here = {"id": write(hardened, ann, "hello")["id"]}
    hardened.call("deleteMessage", path=here, token=ann["accessToken"])
    for operation_id in ("deleteMessage", "getMessage"):
        with pytest.raises(NotFound, match="Message not found"):
            hardened.call(operation_id, path=here, token=ann["accessToken"])
    assert hardened.announced[1:] == [RoomEvent(ROOM, "message_deleted", {**here, "channelId": ROOM})]


async def test_no_event_of_a_message_follows_its_deletion(hardened: Backend) -> None:
    """An edit that races with the deletion is announced before it, or fails (R36)."""
    ann = hardened.guest("ann")
    here = {"id": write(hardened, ann, "hello")["id"]}

    async def act(number: int) -> None:
        operation_id = "deleteMessage" if number == 8 else "updateMessage"
        try:
            await hardened.call_in_loop(operation_id, {"content": f"{number}"}, path=here, token=ann["accessToken"])
        except NotFound:
            return

    await asyncio.gather(*map(act, range(24)))
    names = hardened.announced_names()
    assert names.index("message_deleted") == len(names) - 1


def test_only_the_author_may_change_a_message(hardened: Backend) -> None:
    """Another user gets 403, and nothing is announced."""
    ann, ben = hardened.guest("ann"), hardened.guest("ben")
    here = {"id": write(hardened, ann, "hello")["id"]}
    for operation_id, verb in (("updateMessage", "edit"), ("deleteMessage", "delete")):
        with pytest.raises(Forbidden, match=f"^Forbidden: You can only {verb} your own messages$"):
            hardened.call(operation_id, {"content": "mine"}, path=here, token=ben["accessToken"])
    assert hardened.announced_names() == ["message"]


@pytest.mark.parametrize(
    ("channel_id", "error", "status"),
    [
        ("voice-general", "Channel is not a text channel", BadRequest),
        ("nowhere", "Channel not found", NotFound),
        ("with\0zero", "Channel not found", NotFound),
        ("long" * 100, "Channel not found", NotFound),
    ],
)
def test_only_text_channels_have_messages(
    hardened: Backend, channel_id: str, error: str, status: type[HypeError]
) -> None:
    """Reading and writing give the same errors for a channel (R18, R19)."""
    ann = hardened.guest("ann")
    with pytest.raises(status, match=error):
        hardened.call("createMessage", {"channelId": channel_id, "content": "x"}, token=ann["accessToken"])
    with pytest.raises(status, match=error):
        hardened.call("listMessages", query={"channelId": channel_id, "limit": 50, "offset": 0})


def test_pages_begin_with_the_newest_message(hardened: Backend) -> None:
    """`meta.total` counts the channel, not the page (R18)."""
    ann = hardened.guest("ann")
    for number in range(5):
        write(hardened, ann, f"{number}")
    answer = page(hardened, limit=2, offset=1)
    assert [message["content"] for message in answer["data"]] == ["3", "2"]
    assert answer["meta"] == {"total": 5, "limit": 2, "offset": 1}


def test_a_huge_offset_gives_an_empty_page(hardened: Backend) -> None:
    """The spec sets no upper bound, so an offset of thirty digits is valid."""
    assert page(hardened, offset=10**30) == {
        "success": True,
        "data": [],
        "meta": {"total": 0, "limit": 50, "offset": 10**30},
    }
