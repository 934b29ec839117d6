"""Messages: their order, their authors, and what the room hears."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from hype.cluster import RoomEvent
from hype.errors import BadRequest, Forbidden, HypeError, NotFound
from tests.operations.world import World

ROOM = "text-general"


def write(world: World, writer: Any, content: str, **rest: Any) -> Any:
    """The stored message."""
    return world.data("createMessage", {"channelId": ROOM, "content": content}, token=writer["accessToken"], **rest)


def page(world: World, limit: int = 50, offset: int = 0) -> Any:
    """The answer of listMessages: `data` and `meta`."""
    return world.call("listMessages", query={"channelId": ROOM, "limit": limit, "offset": offset}).body


def test_messages_are_announced_in_the_order_in_which_they_are_stored(hardened: World) -> None:
    """Eight writers at once; what the room hears is what the list shows (R36)."""
    writers = [hardened.guest(f"user{number}") for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: write(hardened, writers[number % 8], f"{number}"), range(80)))
    announced = [effect.data for effect in hardened.announced if isinstance(effect, RoomEvent)]
    assert announced == list(reversed(page(hardened, limit=100)["data"]))
    times = [message["createdAt"] for message in announced]
    assert times == sorted(set(times))


def test_the_socket_that_writes_joins_the_room(hardened: World) -> None:
    """It silently does so with the very event, so it hears its own message once."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello", origin="socket-1")
    assert hardened.announced == [RoomEvent(ROOM, "message", stored, joins="socket-1")]


def test_the_author_is_shown_as_they_are_now(hardened: World) -> None:
    """A new name and status show on old messages too (R24)."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello")
    assert stored["author"]["status"] == "ONLINE"
    myself = {"id": ann["user"]["id"]}
    hardened.call("updateUser", {"username": "anna", "displayName": "A."}, path=myself, token=ann["accessToken"])
    hardened.call("updateUserStatus", {"status": "dnd"}, path=myself, token=ann["accessToken"])
    author = hardened.data("getMessage", path={"id": stored["id"]})["author"]
    assert (author["username"], author["displayName"], author["status"]) == ("anna", "A.", "DND")
    assert write(hardened, ann, "again")["author"] == author


def test_an_edit_is_an_edit_even_when_nothing_changes(hardened: World) -> None:
    """`edited` is set and `updatedAt` moves strictly forward, however fast it goes (R20)."""
    ann = hardened.guest("ann")
    stored = write(hardened, ann, "hello")
    here, times = {"id": stored["id"]}, [stored["updatedAt"]]
    for _ in range(5):
        edited = hardened.data("updateMessage", {"content": "hello"}, path=here, token=ann["accessToken"])
        assert edited["edited"]
        times.append(edited["updatedAt"])
    assert times == sorted(set(times))
    assert hardened.announced_names() == ["message"] + ["message_edited"] * 5


def test_a_deleted_message_is_announced_and_gone(hardened: World) -> None:
    """The room learns its id and channel; deleting it again is 404 and says nothing."""
    ann = hardened.guest("ann")
    here = {"id": write(hardened, ann, "hello")["id"]}
    hardened.call("deleteMessage", path=here, token=ann["accessToken"])
    for operation_id in ("deleteMessage", "getMessage"):
        with pytest.raises(NotFound, match="Message not found"):
            hardened.call(operation_id, path=here, token=ann["accessToken"])
    assert hardened.announced[1:] == [RoomEvent(ROOM, "message_deleted", {**here, "channelId": ROOM})]


def test_nothing_is_heard_of_a_message_after_its_end(hardened: World) -> None:
    """An edit that races with the deletion comes before it, or fails (R36)."""
    ann = hardened.guest("ann")
    here = {"id": write(hardened, ann, "hello")["id"]}

    def act(number: int) -> None:
        operation_id = "deleteMessage" if number == 8 else "updateMessage"
        try:
            hardened.call(operation_id, {"content": f"{number}"}, path=here, token=ann["accessToken"])
        except NotFound:
            return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(24)))
    names = hardened.announced_names()
    assert names.index("message_deleted") == len(names) - 1


def test_only_the_author_may_and_nobody_hears_of_a_failure(hardened: World) -> None:
    """What is refused is not announced."""
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
    hardened: World, channel_id: str, error: str, status: type[HypeError]
) -> None:
    """Reading and writing agree on what a channel is (R18, R19)."""
    ann = hardened.guest("ann")
    with pytest.raises(status, match=error):
        hardened.call("createMessage", {"channelId": channel_id, "content": "x"}, token=ann["accessToken"])
    with pytest.raises(status, match=error):
        hardened.call("listMessages", query={"channelId": channel_id, "limit": 50, "offset": 0})


def test_pages_go_back_in_time(hardened: World) -> None:
    """Newest first; `meta.total` counts the channel, not the page (R18)."""
    ann = hardened.guest("ann")
    for number in range(5):
        write(hardened, ann, f"{number}")
    answer = page(hardened, limit=2, offset=1)
    assert [message["content"] for message in answer["data"]] == ["3", "2"]
    assert answer["meta"] == {"total": 5, "limit": 2, "offset": 1}


def test_an_offset_beyond_any_database_is_an_empty_page(hardened: World) -> None:
    """The spec sets no upper bound, so a number of thirty digits is as good as any other."""
    assert page(hardened, offset=10**30) == {
        "success": True,
        "data": [],
        "meta": {"total": 0, "limit": 50, "offset": 10**30},
    }
