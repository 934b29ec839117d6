"""The gateway over real sockets and a real database: what several clients see of each other."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from hype.cluster import ChannelDeleted, RoomEvent, SessionRevoked
from hype.database import Unit
from hype.models import User
from tests.gateway.stage import Stage, staged


async def test_three_sockets_see_a_room_alike(stage: Stage) -> None:
    """Comings, messages by both ways in and goings reach everybody in the room once and in one order."""
    anna, ben = [await stage.member(name, "text-general") for name in ("anna", "ben")]
    carl_login = await stage.guest("carl")
    carl = await stage.client(carl_login["accessToken"])
    joined = await carl.ask("user_joined", channelId="text-general")
    assert joined["username"] == "carl"
    await anna.hear("user_joined")
    for other in (anna, ben):
        assert await other.hear("user_joined") == joined
    await ben.send("message", channelId="text-general", content="by socket")
    stored = await stage.perform(
        "createMessage", carl_login["accessToken"], channelId="text-general", content="by REST"
    )
    for each in (anna, ben, carl):
        first, second = await each.hear("message"), await each.hear("message")
        assert {first["content"], second["content"]} == {"by socket", "by REST"}
        assert stored in (first, second)
        assert first["createdAt"] < second["createdAt"]
    await carl.connection.close()
    for other in (anna, ben):
        assert (await other.hear("user_left"))["username"] == "carl"
        await other.hears_nothing()


async def test_a_message_enters_the_room_silently(stage: Stage) -> None:
    """Who writes without having joined hears the room from then on, and only their leaving is told."""
    anna = await stage.member("anna", "text-general")
    ben = await stage.client((await stage.guest("ben"))["accessToken"])
    mine = await ben.ask("message", channelId="text-general", content=" Привет, 👋 ")
    assert mine["content"] == " Привет, 👋 "
    assert await anna.hear("message") == mine
    await ben.connection.close()
    assert (await anna.hear("user_left"))["username"] == "ben"


async def test_edits_and_deletions_are_told(stage: Stage) -> None:
    """What REST changes is announced with the message as it is, or was."""
    anna = await stage.member("anna", "text-general")
    token = (await stage.guest("ben"))["accessToken"]
    stored = await stage.perform("createMessage", token, channelId="text-general", content="one")
    await stage.perform("updateMessage", token, {"id": stored["id"]}, content="two")
    await stage.perform("deleteMessage", token, {"id": stored["id"]})
    assert (await anna.hear("message"))["content"] == "one"
    assert (await anna.hear("message_edited"))["content"] == "two"
    assert await anna.hear("message_deleted") == {"id": stored["id"], "channelId": "text-general"}


async def test_a_voice_channel_from_entering_to_dropping(stage: Stage) -> None:
    """The newcomer learns who is there, flags are passed on, and a dropped connection leaves in ruling R38's order."""
    anna = await stage.client((await stage.guest("anna"))["accessToken"])
    first = await anna.ask("voice_state", channelId="voice-general", isMuted=True)
    assert (first["channelId"], first["isMuted"], first["isDeafened"]) == ("voice-general", True, False)
    ben = await stage.client((await stage.guest("ben"))["accessToken"])
    second = await ben.ask("voice_state", channelId="voice-general")
    assert await ben.hear("voice_state") == first
    assert await anna.hear("voice_state") == second
    changed = await ben.ask("voice_state", channelId="voice-general", isDeafened=True)
    assert await anna.hear("voice_state") == changed
    channel = await stage.perform("getChannel", path={"id": "voice-general"})
    assert channel["_count"]["voiceStates"] == 2
    await ben.connection.close()
    assert (await anna.hear("voice_state"))["channelId"] is None
    assert (await anna.hear("user_left"))["username"] == "ben"
    assert (await anna.ask("voice_state", channelId=None))["channelId"] is None
    await anna.hears_nothing()


async def test_a_channel_that_is_deleted_ends_its_room(stage: Stage) -> None:
    """Participants hear that everyone is out, nobody is said to have left the room, and it cannot be entered again."""
    anna, ben = await stage.guest("anna"), await stage.guest("ben")
    channel = await stage.perform("createChannel", anna["accessToken"], name="talk", type="voice")
    clients = [await stage.client(each["accessToken"]) for each in (anna, ben)]
    for client in clients:
        await client.ask("voice_state", channelId=channel["id"])
    await clients[0].hear("voice_state")
    await clients[1].hear("voice_state")
    await stage.perform("deleteChannel", anna["accessToken"], {"id": channel["id"]})
    for client in clients:
        gone = [await client.hear("voice_state") for _ in clients]
        assert [(each["userId"], each["channelId"]) for each in gone] == [
            (anna["user"]["id"], None),
            (ben["user"]["id"], None),
        ]
        await client.hears_nothing()
        assert await client.refused("voice_state", channelId=channel["id"]) == "not_found"


async def test_typing_is_for_the_others(stage: Stage) -> None:
    """Everybody in the room but the one who types hears it, who need not be in the room."""
    anna = await stage.member("anna", "text-general")
    ben = await stage.client((await stage.guest("ben"))["accessToken"])
    await ben.send("typing", channelId="text-general")
    assert (await anna.hear("typing"))["username"] == "ben"
    await ben.hears_nothing()
    assert await ben.refused("typing", channelId="nowhere") == "not_found"


async def test_leaving_a_room_is_not_answered(stage: Stage) -> None:
    """The others hear of it once, leaving again does nothing, and the one who left hears the room no more."""
    anna, ben = [await stage.member(name, "text-general") for name in ("anna", "ben")]
    await anna.hear("user_joined")
    for _ in range(2):
        await ben.send("user_left", channelId="text-general")
    await ben.hears_nothing()
    assert (await anna.hear("user_left"))["username"] == "ben"
    await anna.ask("message", channelId="text-general", content="gone?")
    await ben.hears_nothing()
    assert await ben.refused("user_left", channelId="nowhere") == "not_found"


async def test_a_second_socket_of_a_user_changes_nothing_for_the_others(stage: Stage) -> None:
    """It alone is answered, and the user has left only when both are gone."""
    anna = await stage.member("anna", "text-general")
    token = (await stage.guest("ben"))["accessToken"]
    first, second = [await stage.client(token) for _ in range(2)]
    await first.ask("user_joined", channelId="text-general")
    await anna.hear("user_joined")
    await second.ask("user_joined", channelId="text-general")
    await first.hears_nothing()
    await first.connection.close()
    await second.ask("message", channelId="text-general", content="still here")
    await anna.hear("message")
    await second.connection.close()
    assert (await anna.hear("user_left"))["username"] == "ben"


async def test_logout_closes_the_sockets_of_that_session_only(stage: Stage) -> None:
    """They close with 4401; another session of the same user stays."""
    email, password = "anna@example.com", "correct horse"
    first = await stage.perform("registerUser", username="anna", email=email, password=password)
    second = await stage.perform("loginUser", email=email, password=password)
    going, staying = [await stage.client(each["accessToken"]) for each in (first, second)]
    await going.ask("user_joined")
    await staying.ask("user_joined")
    await stage.perform("logoutUser", first["accessToken"])
    assert await going.closed() == 4401
    await staying.hears_nothing()


async def test_a_logout_that_overtakes_the_check_of_a_token_closes(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database said yes and the session was revoked before the socket was bound: 4401, not a socket for ever."""
    token = (await stage.guest("anna"))["accessToken"]
    session_id = stage.services.tokens.read_access(token).session_id
    client = await stage.client()
    run = stage.services.database.run

    async def overtaken(work: Any, *, write: bool) -> Any:
        found = await run(work, write=write)
        stage.services.cluster.publish([SessionRevoked(session_id)])
        return found

    monkeypatch.setattr(stage.services.database, "run", overtaken)
    await client.send("user_joined", token=token)
    assert await client.closed() == 4401


async def test_a_deletion_that_overtakes_the_look_at_a_channel_wins(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody enters the voice channel that was there a moment ago."""
    client = await stage.client((await stage.guest("anna"))["accessToken"])
    await client.ask("user_joined")
    run = stage.services.database.run

    async def overtaken(work: Any, *, write: bool) -> Any:
        found = await run(work, write=write)
        stage.services.cluster.publish([ChannelDeleted("voice-general")])
        return found

    monkeypatch.setattr(stage.services.database, "run", overtaken)
    assert await client.refused("voice_state", channelId="voice-general") == "not_found"
    assert stage.services.cluster.voice.count("voice-general") == 0


async def test_a_mistake_of_ours_costs_one_answer(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The frame is answered `internal`, the log has the traceback, and the socket works on."""
    client = await stage.member("anna", "text-general")

    async def broken(work: Any, *, write: bool) -> Any:
        raise ZeroDivisionError

    with monkeypatch.context() as breaking:
        breaking.setattr(stage.services.database, "run", broken)
        assert await client.refused("typing", channelId="text-general") == "internal"
    assert "ZeroDivisionError" in caplog.text
    await client.ask("message", channelId="text-general", content="works again")


async def test_being_online_is_written_down(stage: Stage) -> None:
    """The user is online from the first socket to the last one's end."""
    guest = await stage.guest("anna")

    def online() -> bool:
        def work(unit: Unit) -> bool:
            with unit.transaction():
                row = User.find(guest["user"]["id"])
                assert row is not None
                return bool(row.is_online)

        return stage.services.database.run_now(work, write=False)

    client = await stage.client(guest["accessToken"])
    await client.ask("user_joined")
    await client.connection.close()
    await stage.until(lambda: not online())
    again = await stage.client(guest["accessToken"])
    await again.ask("user_joined")
    await stage.until(online)


async def test_without_a_token_nothing_happens_until_one_comes(stage: Stage) -> None:
    """Known events are unauthenticated, unknown ones unknown, and a token in the first user_joined lets one in."""
    client = await stage.client()
    assert await client.refused("typing", channelId=5) == "unauthenticated"
    assert await client.refused("user_joined", userId="somebody") == "unauthenticated"
    assert await client.refused("nonsense") == "unknown_type"
    guest = await stage.guest("anna")
    joined = await client.ask("user_joined", token=guest["accessToken"])
    assert (joined["userId"], joined["channelId"]) == (guest["user"]["id"], None)


async def test_a_bad_token_closes_at_once(stage: Stage) -> None:
    """In the address or in a frame, empty, garbage or of the wrong kind: 4401."""
    refresh = (await stage.guest("anna"))["refreshToken"]
    for token in ("", "garbage", refresh):
        assert await (await stage.client(token)).closed() == 4401
        client = await stage.client()
        await client.send("user_joined", token=token)
        assert await client.closed() == 4401
    client = await stage.client()
    await client.send("user_joined", token="\ud800")
    assert await client.closed() == 4401


async def test_one_socket_has_one_user(stage: Stage) -> None:
    """Claims that are not the token's user's, and another user's token, are forbidden and change nothing."""
    anna, ben = await stage.guest("anna"), await stage.guest("ben")
    client = await stage.client(anna["accessToken"])
    for claim in ({"userId": ben["user"]["id"]}, {"username": "ben"}, {"token": ben["accessToken"]}):
        assert await client.refused("user_joined", **claim) == "forbidden"
    assert await client.refused("voice_state", userId=ben["user"]["id"], channelId=None) == "forbidden"
    joined = await client.ask("user_joined", userId=anna["user"]["id"], username="whatever")
    assert joined["username"] == "anna"


async def test_a_socket_without_a_token_is_closed_in_time(database_url: str) -> None:
    """The contract's patience, made short here, ends with 4401; a socket that said who it is stays."""
    async with staged(database_url, limits={"auth_timeout_ms": 200}) as stage:
        known = await stage.client((await stage.guest("anna"))["accessToken"])
        assert await (await stage.client()).closed() == 4401
        await known.hears_nothing()


async def test_claims_are_believed_in_the_documented_profile(claims: Stage) -> None:
    """A bad token is ignored, an unknown user not found, a name looked up, and a second identity forbidden."""
    anna, ben = await claims.guest("anna"), await claims.guest("ben")
    client = await claims.client("garbage")
    assert await client.refused("typing", channelId="text-general") == "unauthenticated"
    assert await client.refused("user_joined", userId="nobody") == "not_found"
    assert (await client.ask("user_joined", username="anna"))["userId"] == anna["user"]["id"]
    assert await client.refused("user_joined", userId=ben["user"]["id"]) == "forbidden"
    voice = await claims.client()
    entered = await voice.ask("voice_state", userId=ben["user"]["id"], channelId="voice-general")
    assert entered["userId"] == ben["user"]["id"]


async def test_too_many_frames_are_dropped_and_then_closed(database_url: str) -> None:
    """Over the burst each frame is refused; the tenth in a row is answered and closes with 4429."""
    async with staged(database_url, WS_RATE_BURST="3", WS_RATE_PER_SECOND="1") as stage:
        client = await stage.client((await stage.guest("anna"))["accessToken"])
        for _ in range(30):
            with suppress(ConnectionClosed):
                await client.send("nonsense")
        codes: list[str] = []
        with suppress(ConnectionClosed):
            while True:
                codes.append((await client.hear("error"))["code"])
        assert codes == ["unknown_type"] * 3 + ["rate_limited"] * 10
        assert await client.closed() == 4429


async def test_frames_that_cannot_be_taken_close(stage: Stage) -> None:
    """Binary is 1003, too long 1009, broken UTF-8 1007; what just fits is merely refused."""
    token = (await stage.guest("anna"))["accessToken"]
    for frame, text, code in ((b"{}", False, 1003), (b"x" * 65537, True, 1009), (b"\xff", True, 1007)):
        client = await stage.client(token)
        await client.connection.send(frame, text=text)
        assert await client.closed() == code
    client = await stage.client(token)
    await client.connection.send(b" " * 65536, text=True)
    assert (await client.hear("error"))["code"] == "invalid_json"


async def test_a_client_that_does_not_read_is_dropped_and_slows_nobody(database_url: str) -> None:
    """It is closed once its queue is full, while another one in the room hears every event in time."""
    async with staged(database_url, limits={"max_queue_bytes": 131_072}) as stage:
        slow = await stage.client((await stage.guest("slow"))["accessToken"], max_queue=1)
        await slow.ask("user_joined", channelId="text-general")
        slow.connection.transport.pause_reading()
        quick = await stage.member("quick", "text-general")
        type_, number = "typing", 0
        while type_ == "typing":
            number += 1
            event = {"userId": str(number), "username": "x" * 60_000, "channelId": "text-general"}
            stage.services.cluster.publish([RoomEvent("text-general", "typing", event)])
            type_, data = await quick.hear_any()
            assert type_ == "user_left" or data["userId"] == str(number)
        assert data["username"] == "slow"
        slow.connection.transport.resume_reading()
        assert await slow.closed() in {1013, 1006}


async def test_shutdown_says_goodbye_after_the_frame_at_hand(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A message that is being stored is acknowledged, what came after it is not taken, and all close with 1001."""
    async with staged(database_url) as stage:
        client, idle = await stage.member("anna", "text-general"), await stage.client()
        began, go_on = asyncio.Event(), asyncio.Event()
        run = stage.services.database.run

        async def slowly(work: Any, *, write: bool) -> Any:
            began.set()
            await go_on.wait()
            return await run(work, write=write)

        monkeypatch.setattr(stage.services.database, "run", slowly)
        await client.send("message", channelId="text-general", content="last words")
        await client.send("message", channelId="text-general", content="too late")
        await began.wait()
        closing = asyncio.create_task(stage.gateway.close())
        assert await idle.closed() == 1001
        go_on.set()
        assert (await client.hear("message"))["content"] == "last words"
        assert await client.closed() == 1001
        await closing


async def test_a_frame_without_end_does_not_hold_up_the_shutdown(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the deadline its connection is cut off."""
    async with staged(database_url) as stage:
        client = await stage.member("anna", "text-general")
        began = asyncio.Event()

        async def never(work: Any, *, write: bool) -> Any:
            began.set()
            await asyncio.Event().wait()

        with monkeypatch.context() as stuck:
            stuck.setattr(stage.services.database, "run", never)
            await client.send("typing", channelId="text-general")
            await began.wait()
        await stage.gateway.close(0.1)
        assert await client.closed() == 1006
